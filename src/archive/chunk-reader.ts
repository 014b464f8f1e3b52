/**
 * Reads an archive that is pushed in, a piece at a time, of any size (format.md, section 1).
 *
 * It keeps no payload: what a piece holds of one goes straight on to the consumer, so memory does not depend on what a
 * chunk claims. Nothing in here is asynchronous or does I/O.
 */
import { XbstreamError } from '../errors.js';
import {
  CHUNK_MAGIC,
  decodeChunkHeader,
  MAX_HEADER_BYTES,
  SPARSE_MAP_ENTRY_BYTES,
  type ChunkHeader,
  type PayloadHeader,
  type SparseHeader,
} from '../format/chunk.js';
import { crc32, hex32 } from '../format/crc32.js';
import { checkSparseMap, type SparseMap } from '../format/sparse-map.js';
import { pathText } from '../format/stored-path.js';
import { notAnArchive, textPreview } from './foreign.js';

/**
 * What to do with a chunk's payload: hand it over and check it, only check it, or pass over it unread (its checksum is
 * then not judged).
 */
export type PayloadUse = 'take' | 'check' | 'pass';

/** Receives what a {@link ChunkReader} finds, in archive order. */
export interface ChunkConsumer {
  /**
   * A chunk begins.
   *
   * @param spanBytes bytes of the file that the chunk covers, holes included; 0 for chunks that carry no content
   */
  chunk(header: ChunkHeader, spanBytes: number): PayloadUse;
  /**
   * Whether the chunk must wait: then {@link ChunkReader.push} ends early, and the next push or the end begins with it.
   * Missing where none ever has to.
   */
  mustWait?(header: ChunkHeader): boolean;
  /**
   * A piece of its payload; `bytes` are the reader's again after the call, unless they lie in memory of the consumer's that
   * they alone were put into. Holes are what no call covers.
   */
  payload(bytes: Buffer, fileOffset: number): void;
  /** Its payload has come and the checksum held. Called for chunks with a payload that was not passed over. */
  chunkEnd(): void;
}

export class ChunkReader {
  /** Archive offset of the next byte to be pushed. */
  archiveOffset: number;
  /** Chunks that have begun. */
  chunks = 0;

  readonly #consumer: ChunkConsumer;
  /** The start of a header that came in more than one piece. */
  readonly #scratch = Buffer.alloc(MAX_HEADER_BYTES);
  #scratchBytes = 0;

  /** A chunk that has to wait. */
  #held: ChunkHeader | undefined;
  #state: 'header' | 'map' | 'payload' | 'skip' = 'header';
  #header: PayloadHeader | SparseHeader | undefined;
  #use: PayloadUse = 'take';
  /** Bytes of the map, the payload or what is skipped that are still to come. */
  #left = 0;
  #crc = 0;
  /** File position of the next byte of payload. */
  #fileOffset = 0;
  #mapBytes: Buffer = Buffer.alloc(0);
  #map: SparseMap | undefined;
  /** The map's current entry, and what is left of its data. */
  #mapAt = 0;
  #runLeft = 0;

  /** It never goes back: what has come is what lies before the next byte. */
  get archiveBytes(): number {
    return this.archiveOffset;
  }

  /** @param archiveOffset where the first byte pushed stands in the archive, in bytes; only for messages */
  constructor(consumer: ChunkConsumer, archiveOffset = 0) {
    this.#consumer = consumer;
    this.archiveOffset = archiveOffset;
  }

  /** How many of the next bytes nobody needs; whoever can seek may jump over them with {@link skip}. */
  get skippableBytes(): number {
    return this.#state === 'skip' ? this.#left : 0;
  }

  /** Takes note that `bytes` of the input, at most {@link skippableBytes}, were jumped over. */
  skip(bytes: number): void {
    this.#left -= bytes;
    this.archiveOffset += bytes;
    if (this.#left === 0) this.#state = 'header';
  }

  /**
   * Takes the next piece of the archive.
   *
   * @returns how many bytes of it were taken: all, unless {@link isHolding}
   * @throws XbstreamError what {@link decodeChunkHeader} and {@link checkSparseMap} throw, `XB_BAD_CRC`, and what the
   *   consumer throws; the reader is of no use after that
   */
  push(piece: Buffer): number {
    this.#beginHeld();
    const { length } = piece;
    let at = 0;
    while (at < length && this.#held === undefined) {
      const before = at;
      switch (this.#state) {
        case 'header':
          at = this.#takeHeader(piece, at);
          break;
        case 'map':
          at = this.#takeMap(piece, at);
          break;
        case 'payload':
          at = this.#takePayload(piece, at);
          break;
        case 'skip':
          at += Math.min(this.#left, piece.length - at);
          this.skip(at - before);
          continue; // skip() has moved archiveOffset
      }
      this.archiveOffset += at - before;
    }
    return at;
  }

  /** A chunk has to wait for what the consumer is doing. */
  get isHolding(): boolean {
    return this.#held !== undefined;
  }

  /**
   * Says that the input has ended.
   *
   * @throws XbstreamError `XB_TRUNCATED` when it ended inside a chunk
   */
  end(): void {
    this.#beginHeld();
    if (this.#state === 'header') {
      if (this.#scratchBytes === 0) return;
      const start = this.archiveOffset - this.#scratchBytes;
      const found = this.#scratch.toString('latin1', 0, Math.min(this.#scratchBytes, CHUNK_MAGIC.length));
      if (!CHUNK_MAGIC.startsWith(found)) {
        if (start === 0) throw notAnArchive(this.#scratch.subarray(0, this.#scratchBytes));
        throw new XbstreamError('XB_BAD_MAGIC', 'something else follows the last chunk of the archive', {
          archiveOffset: start,
          details: [`${this.#scratchBytes} bytes from archive byte ${start} to its end at ${this.archiveOffset}`],
        });
      }
      throw new XbstreamError('XB_TRUNCATED', 'the archive is cut short: it ends inside the header of a chunk', {
        archiveOffset: start,
        details: [`chunk at archive byte ${start}, the input ends at byte ${this.archiveOffset}`],
      });
    }
    const header = this.#header;
    const missing = this.#state === 'map' ? this.#left + (header?.payloadBytes ?? 0) : this.#left;
    const name = header === undefined ? 'a chunk that may be skipped' : pathText(header.path);
    throw new XbstreamError('XB_TRUNCATED', `the archive is cut short inside ${name}`, {
      path: header?.path,
      archiveOffset: header?.archiveOffset ?? this.archiveOffset,
      details: [
        ...(header === undefined ? [] : [`chunk at archive byte ${header.archiveOffset}`]),
        `the input ends at byte ${this.archiveOffset}; ${missing} bytes of this chunk are missing`,
      ],
    });
  }

  #takeHeader(piece: Buffer, at: number): number {
    const before = this.#scratchBytes;
    if (before === 0) {
      const header = this.#decode(piece, at, piece.length, this.archiveOffset);
      if (header !== undefined) {
        this.#beginOrHold(header);
        return at + header.headerBytes;
      }
      this.#scratchBytes = piece.copy(this.#scratch, 0, at);
      return piece.length;
    }
    const taken = piece.copy(this.#scratch, before, at);
    const header = this.#decode(this.#scratch, 0, before + taken, this.archiveOffset - before);
    if (header === undefined) {
      this.#scratchBytes = before + taken;
      return at + taken;
    }
    // MariaDB's S is only told by what follows it, so that the scratch may already hold the start of the next header.
    const ahead = Math.max(0, before - header.headerBytes);
    this.#scratch.copy(this.#scratch, 0, header.headerBytes, header.headerBytes + ahead);
    this.#scratchBytes = ahead;
    this.#beginOrHold(header);
    return ahead > 0 ? at : at + header.headerBytes - before;
  }

  #decode(bytes: Buffer, start: number, end: number, archiveOffset: number): ChunkHeader | undefined {
    try {
      return decodeChunkHeader(bytes, start, end, archiveOffset);
    } catch (error) {
      if (!(error instanceof XbstreamError) || error.code !== 'XB_BAD_MAGIC') throw error;
      const found = bytes.subarray(start, end);
      if (archiveOffset === 0) throw notAnArchive(found);
      const line = textPreview(found);
      if (line === undefined) throw error;
      throw error.with({
        details: [`it looks like text: ${line}`],
        hints: ["a program's messages (stderr) must not go into the same pipe or file as the stream"],
      });
    }
  }

  #beginOrHold(header: ChunkHeader): void {
    if (this.#consumer.mustWait?.(header) === true) this.#held = header;
    else this.#begin(header);
  }

  #beginHeld(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#begin(held);
  }

  #begin(header: ChunkHeader): void {
    this.chunks += 1;
    switch (header.type) {
      case 'payload':
        this.#header = header;
        this.#use = this.#consumer.chunk(header, header.payloadBytes);
        this.#map = undefined;
        this.#fileOffset = header.fileOffset;
        this.#crc = 0;
        this.#beginPayload(header);
        break;
      case 'sparse':
        this.#header = header;
        this.#left = header.mapEntries * SPARSE_MAP_ENTRY_BYTES;
        this.#mapBytes = Buffer.alloc(this.#left);
        this.#state = 'map';
        if (this.#left === 0) this.#beginSparsePayload(header);
        break;
      case 'ignorable':
        this.#header = undefined;
        this.#consumer.chunk(header, 0);
        this.#left = header.payloadBytes;
        this.#state = this.#left === 0 ? 'header' : 'skip';
        break;
      case 'end':
      case 'seek':
      case 'remove':
      case 'rename':
        this.#consumer.chunk(header, 0);
        break;
    }
  }

  #beginPayload(header: PayloadHeader | SparseHeader): void {
    this.#left = header.payloadBytes;
    this.#state = this.#use === 'pass' ? 'skip' : 'payload';
    if (this.#left > 0) return;
    if (this.#use === 'pass') this.#state = 'header';
    else this.#finishPayload();
  }

  #takeMap(piece: Buffer, at: number): number {
    const filled = this.#mapBytes.length - this.#left;
    const taken = piece.copy(this.#mapBytes, filled, at, Math.min(piece.length, at + this.#left));
    this.#left -= taken;
    if (this.#left === 0) this.#beginSparsePayload(this.#header as SparseHeader);
    return at + taken;
  }

  #beginSparsePayload(header: SparseHeader): void {
    const map = checkSparseMap(header, this.#mapBytes);
    this.#use = this.#consumer.chunk(header, map.spanBytes);
    this.#crc = crc32(map.bytes);
    this.#map = map;
    this.#mapAt = 0;
    this.#fileOffset = header.fileOffset;
    this.#runLeft = 0;
    this.#beginPayload(header);
  }

  #takePayload(piece: Buffer, at: number): number {
    const end = Math.min(piece.length, at + this.#left);
    const bytes = at === 0 && end === piece.length ? piece : piece.subarray(at, end);
    // Not to be asked later: where the consumer keeps what it gets, nothing may be left of it here.
    const { length } = bytes;
    this.#crc = crc32(bytes, this.#crc);
    if (this.#use === 'take') {
      if (this.#map === undefined) {
        this.#consumer.payload(bytes, this.#fileOffset);
        this.#fileOffset += length;
      } else {
        this.#placeSparse(this.#map, bytes);
      }
    }
    this.#left -= length;
    if (this.#left === 0) this.#finishPayload();
    return end;
  }

  #placeSparse(map: SparseMap, bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      while (this.#runLeft === 0) {
        this.#fileOffset += map.bytes.readUInt32LE(this.#mapAt);
        this.#runLeft = map.bytes.readUInt32LE(this.#mapAt + 4);
        this.#mapAt += SPARSE_MAP_ENTRY_BYTES;
      }
      const length = Math.min(this.#runLeft, bytes.length - at);
      this.#consumer.payload(bytes.subarray(at, at + length), this.#fileOffset);
      this.#fileOffset += length;
      this.#runLeft -= length;
      at += length;
    }
  }

  #finishPayload(): void {
    const header = this.#header!;
    this.#state = 'header';
    if (this.#crc !== header.crc32) {
      const first = header.fileOffset;
      const span = this.#map?.spanBytes ?? header.payloadBytes;
      throw new XbstreamError('XB_BAD_CRC', `checksum mismatch in ${pathText(header.path)}`, {
        path: header.path,
        archiveOffset: header.archiveOffset,
        details: [
          `chunk at archive byte ${header.archiveOffset}, ` +
            (span === 0 ? 'no payload' : `bytes ${first}-${first + span - 1} of the file`),
          `expected crc32 ${hex32(header.crc32)}, found ${hex32(this.#crc)}`,
        ],
      });
    }
    this.#consumer.chunkEnd();
  }
}
