/** Decodes gzip: members that follow each other, with nothing between or behind them (format.md, section 8; RFC 1952). */
import { crc32, hex32 } from '../format/crc32.js';
import { XbstreamError } from '../errors.js';
import { layerError, type Decoder, type DecoderContext, type OutputSink } from './codec.js';
import { handleOf, type ZlibDecoder, type ZlibHandle } from './zlib-decoder.js';

/** Loaded where there is gzip: few archives are in one. */
const zlib = (): typeof import('node:zlib') => process.getBuiltinModule('node:zlib');
/** As zlib.h has it. */
const Z_NO_FLUSH = 0;

const ID1 = 0x1f;
const ID2 = 0x8b;
const METHOD_DEFLATE = 8;
/** Magic, method, flags, time, two bytes more. */
const FIXED_HEADER_BYTES = 10;
const FLAGS_AT = 3;
const METHOD_AT = 2;

const FLAG_HEADER_CRC = 0x02;
const FLAG_EXTRA = 0x04;
const FLAG_NAME = 0x08;
const FLAG_COMMENT = 0x10;
const FLAGS_RESERVED = 0xe0;

/** CRC-32 and length of the content. */
const TRAILER_BYTES = 8;
/** Output is passed on in pieces of this size, which stay in the CPU's caches. */
const OUTPUT_BYTES = 256 << 10;

/** What comes next in a member, in this order. */
type Part = 'header' | 'extra length' | 'extra' | 'name' | 'comment' | 'header checksum' | 'content' | 'trailer';

export class GzipDecoder implements Decoder {
  readonly layer = 'gzip';
  /** What is here is written before it is passed on, so that nothing has to wait. */
  readonly isPaused = false;
  recognised = false;
  readonly #output: OutputSink;
  #part: Part = 'header';
  /** Position of the next byte, in bytes. */
  #offset = 0;
  #memberOffset = 0;
  /** The part at hand, where it is a few bytes that are needed together. */
  readonly #gathered = Buffer.alloc(FIXED_HEADER_BYTES);
  #gatheredBytes = 0;
  #flags = 0;
  #extraBytes = 0;
  #headerCrc = 0;
  #content: RawInflater | undefined;
  #contentCrc = 0;
  /** Modulo 2^32, as the trailer has it. */
  #contentBytes = 0;

  constructor({ output }: DecoderContext) {
    this.#output = output;
  }

  push(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      const taken = this.#take(bytes.subarray(at));
      at += taken;
      this.#offset += taken;
    }
  }

  resume(): void {
    // It never pauses.
  }

  end(): void {
    if (this.#part === 'header' && this.#gatheredBytes === 0 && this.recognised) return;
    const where = this.#part === 'content' ? 'the compressed content' : `the ${this.#part}`;
    throw layerError(
      'XB_LAYER_TRUNCATED',
      'the gzip data ends inside a member',
      this.layer,
      this.#offset,
      `it ends in ${where} of the member that begins at byte ${this.#memberOffset}`,
    );
  }

  close(): void {
    this.#content?.close();
    this.#content = undefined;
  }

  /** @returns how many of the bytes, at least one, belong to what was expected */
  #take(bytes: Buffer): number {
    switch (this.#part) {
      case 'header':
        return this.#header(bytes);
      case 'extra length':
        return this.#gather(bytes, 2, (field) => {
          this.#extraBytes = field.readUInt16LE(0);
          this.#toPart('extra');
        });
      case 'extra':
        return this.#skip(bytes);
      case 'name':
      case 'comment':
        return this.#skipText(bytes, this.#part);
      case 'header checksum':
        return this.#checkHeader(bytes);
      case 'content':
        return this.#inflate(bytes);
      case 'trailer':
        return this.#trailer(bytes);
    }
  }

  #header(bytes: Buffer): number {
    // What is no member is told at once, not when ten bytes have come.
    const expected = [ID1, ID2, METHOD_DEFLATE];
    const known = Math.min(expected.length - this.#gatheredBytes, bytes.length);
    for (let index = 0; index < known; index += 1) {
      if (bytes[index] !== expected[this.#gatheredBytes + index]) throw this.#noMember(bytes, index);
    }
    if (this.#gatheredBytes === 0) {
      this.#memberOffset = this.#offset;
      this.#headerCrc = 0;
    }
    return this.#gather(bytes, FIXED_HEADER_BYTES, (header) => {
      this.recognised = true;
      this.#flags = header[FLAGS_AT]!;
      if ((this.#flags & FLAGS_RESERVED) !== 0) {
        throw layerError(
          'XB_UNSUPPORTED_LAYER',
          'the gzip data uses a feature that is not known',
          this.layer,
          this.#memberOffset,
          `flags ${this.#flags.toString(16)} (hex)`,
        );
      }
      this.#toPart('extra length');
    });
  }

  #noMember(bytes: Buffer, index: number): XbstreamError {
    const at = this.#offset + index;
    if (!this.recognised) return layerError('XB_BAD_LAYER', 'this is no gzip data', this.layer, at);
    if (index + this.#gatheredBytes === METHOD_AT) {
      return layerError('XB_BAD_LAYER', 'a gzip member is compressed by a method that is not known', this.layer, at);
    }
    return layerError(
      'XB_BAD_LAYER',
      'there is something else behind the end of the gzip data',
      this.layer,
      this.#gatheredBytes === 0 ? at : this.#memberOffset,
      `expected the end, or another member (1f8b), found ${bytes.toString('hex', index, index + 8)} (hex)`,
    );
  }

  /** Goes on to the first part from here on that the member has. */
  #toPart(part: Part): void {
    const order: readonly [Part, number][] = [
      ['extra length', FLAG_EXTRA],
      ['name', FLAG_NAME],
      ['comment', FLAG_COMMENT],
      ['header checksum', FLAG_HEADER_CRC],
    ];
    if (part === 'extra') {
      this.#part = this.#extraBytes > 0 ? part : 'name';
      if (this.#extraBytes > 0) return;
      part = 'name';
    }
    const from = order.findIndex(([name]) => name === part);
    const next = from === -1 ? undefined : order.slice(from).find(([, flag]) => (this.#flags & flag) !== 0);
    this.#part = next?.[0] ?? 'content';
    if (this.#part !== 'content') return;
    this.#content ??= new RawInflater();
    this.#content.begin();
    this.#contentCrc = 0;
    this.#contentBytes = 0;
  }

  #gather(bytes: Buffer, neededBytes: number, use: (field: Buffer) => void): number {
    const taken = bytes.copy(this.#gathered, this.#gatheredBytes, 0, neededBytes - this.#gatheredBytes);
    this.#gatheredBytes += taken;
    if (this.#part !== 'header checksum') this.#headerCrc = crc32(bytes.subarray(0, taken), this.#headerCrc);
    if (this.#gatheredBytes < neededBytes) return taken;
    this.#gatheredBytes = 0;
    use(this.#gathered);
    return taken;
  }

  #skip(bytes: Buffer): number {
    const taken = Math.min(bytes.length, this.#extraBytes);
    this.#headerCrc = crc32(bytes.subarray(0, taken), this.#headerCrc);
    this.#extraBytes -= taken;
    if (this.#extraBytes === 0) this.#toPart('name');
    return taken;
  }

  #skipText(bytes: Buffer, part: 'name' | 'comment'): number {
    const end = bytes.indexOf(0);
    const taken = end === -1 ? bytes.length : end + 1;
    this.#headerCrc = crc32(bytes.subarray(0, taken), this.#headerCrc);
    if (end !== -1) this.#toPart(part === 'name' ? 'comment' : 'header checksum');
    return taken;
  }

  #checkHeader(bytes: Buffer): number {
    return this.#gather(bytes, 2, (field) => {
      const expected = field.readUInt16LE(0);
      const found = this.#headerCrc & 0xffff;
      this.#part = 'content';
      if (expected !== found) {
        throw this.#damage('checksum mismatch in the header of a gzip member', expected, found);
      }
      this.#flags = 0;
      this.#toPart('header checksum');
    });
  }

  #inflate(bytes: Buffer): number {
    const inflater = this.#content!;
    try {
      const taken = inflater.push(bytes, (piece) => {
        this.#contentCrc = crc32(piece, this.#contentCrc);
        this.#contentBytes = (this.#contentBytes + piece.length) >>> 0;
        this.#output(piece);
      });
      if (!inflater.hasEnded) return taken;
      this.#part = 'trailer';
      return taken === 0 ? this.#trailer(bytes) : taken;
    } catch (error) {
      if (!(error instanceof InflateFailure)) throw error;
      throw layerError(
        'XB_BAD_LAYER',
        'a gzip member cannot be decoded',
        this.layer,
        this.#offset + error.taken,
        `${error.message}; the member begins at byte ${this.#memberOffset}`,
      );
    }
  }

  #trailer(bytes: Buffer): number {
    return this.#gather(bytes, TRAILER_BYTES, (trailer) => {
      const crc = trailer.readUInt32LE(0);
      if (crc !== this.#contentCrc >>> 0) {
        throw this.#damage('checksum mismatch in the content of a gzip member', crc, this.#contentCrc);
      }
      const contentBytes = trailer.readUInt32LE(4);
      if (contentBytes !== this.#contentBytes) {
        throw this.#damage('a gzip member does not hold as much as it says', contentBytes, this.#contentBytes);
      }
      this.#part = 'header';
    });
  }

  #damage(message: string, expected: number, found: number): XbstreamError {
    const member = `in the member that begins at byte ${this.#memberOffset}`;
    const values = `expected ${hex32(expected)}, found ${hex32(found)} (hex)`;
    return layerError('XB_BAD_LAYER', message, this.layer, this.#offset, member, values);
  }
}

/** What zlib says of data that it cannot decode. */
class InflateFailure extends Error {
  /** Bytes of what was given that it had taken before. */
  readonly taken: number;

  constructor(message: string, taken: number) {
    super(message);
    this.taken = taken;
  }
}

interface RawInflate extends ZlibDecoder {
  reset(): void;
}

/** Undoes deflate as it comes. */
class RawInflater {
  /** The end of the compressed data has been seen. */
  hasEnded = false;
  readonly #stream = zlib().createInflateRaw() as unknown as RawInflate;
  readonly #handle: ZlibHandle;
  readonly #room = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
  #failure: string | undefined;

  constructor() {
    const handle = handleOf(this.#stream);
    if (handle === undefined) {
      throw new XbstreamError('XB_UNSUPPORTED_LAYER', `gzip cannot be decoded by this Node, ${process.version}`, {
        hints: ['unpack it on the way: gzip -dc FILE | tsxbstream -x -C DIR'],
      });
    }
    this.#handle = handle;
    handle.onerror = (message) => {
      this.#failure = message;
    };
  }

  /** Another stream of compressed data follows. */
  begin(): void {
    this.hasEnded = false;
    this.#failure = undefined;
    this.#stream.reset();
  }

  /**
   * @param bytes lent until the call returns
   * @returns how many of them belong to the compressed data; fewer than all where it has ended
   * @throws {@link InflateFailure}, and what the sink throws
   */
  push(bytes: Buffer, sink: OutputSink): number {
    const room = this.#room;
    let at = 0;
    for (;;) {
      this.#handle.writeSync(Z_NO_FLUSH, bytes, at, bytes.length - at, room, 0, room.length);
      if (this.#failure !== undefined) throw new InflateFailure(this.#failure, at);
      const [leftOutput = 0, leftInput = 0] = this.#stream._writeState;
      at = bytes.length - leftInput;
      if (leftOutput < room.length) sink(room.subarray(0, room.length - leftOutput));
      // There was room for more: it does not want the rest.
      if (leftOutput > 0) {
        this.hasEnded = leftInput > 0;
        return at;
      }
    }
  }

  close(): void {
    this.#stream.close();
  }
}
