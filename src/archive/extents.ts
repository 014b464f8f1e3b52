/** Where the content of an entry lies in an archive: a pair of numbers for each chunk, in little room. */
import { XbstreamError } from '../errors.js';
import { chunkEnd, decodeChunkHeader, MAX_HEADER_BYTES, type ChunkHeader } from '../format/chunk.js';
import { firstIndex } from '../format/first-index.js';
import { PIECE_BYTES, PIECE_ROOM_BYTES, type Source } from '../input/source.js';
import { ChunkReader } from './chunk-reader.js';

/** For a consumer that makes much of little; and a map may cut content into parts of a byte, each of which it keeps. */
export const SMALL_PIECE_BYTES = 32 * 1024;

/** The most that {@link ExtentReader.glance} gives. */
const GLANCE_BYTES_MAX = 64;

/** Where a chunk's header lies in the archive, and its content in the file. */
interface ChunkPlace {
  archiveOffset: number;
  fileOffset: number;
}

export class Extents {
  #numbers = new Float64Array(2);
  #used = 0;

  /** How many chunks there are. */
  get length(): number {
    return this.#used / 2;
  }

  /** @param archiveOffset of the chunk's header */
  add(archiveOffset: number, fileOffset: number): void {
    if (this.#used === this.#numbers.length) {
      const larger = new Float64Array(this.#used * 2);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[this.#used] = archiveOffset;
    this.#numbers[this.#used + 1] = fileOffset;
    this.#used += 2;
  }

  /** The chunks come in the order of the file. */
  get areInFileOrder(): boolean {
    for (let index = 1; index < this.length; index += 1) {
      if (this.#fileOffset(index - 1) > this.#fileOffset(index)) return false;
    }
    return true;
  }

  /**
   * Each chunk brings content of its own: none is empty.
   *
   * @param endBytes where the file ends; chunks come in its order
   */
  allBringContent(endBytes: number): boolean {
    for (let index = 0; index < this.length; index += 1) {
      if (this.#fileOffset(index) === (index + 1 < this.length ? this.#fileOffset(index + 1) : endBytes)) return false;
    }
    return true;
  }

  /** The chunks from one number to another, which is not among them. */
  slice(from: number, to: number): Extents {
    const part = new Extents();
    part.#numbers = this.#numbers.slice(from * 2, to * 2);
    part.#used = part.#numbers.length;
    return part;
  }

  /** The number of the chunk that holds a byte of the file, where chunks come in its order and leave out nothing. */
  chunkOf(fileOffset: number): number {
    return Math.max(0, firstIndex(this.length, (chunk) => this.#fileOffset(chunk) > fileOffset) - 1);
  }

  at(chunk: number): ChunkPlace {
    return { archiveOffset: this.#numbers[chunk * 2]!, fileOffset: this.#fileOffset(chunk) };
  }

  /** The archive offsets of the chunks' headers, in the order of the file. */
  inFileOrder(): Float64Array {
    const order = new Float64Array(this.length);
    for (let index = 0; index < order.length; index += 1) order[index] = this.#numbers[index * 2]!;
    if (this.areInFileOrder) return order;
    const indices = Array.from(order, (_, index) => index);
    indices.sort((a, b) => this.#fileOffset(a) - this.#fileOffset(b));
    return order.map((_, place) => this.#numbers[indices[place]! * 2]!);
  }

  #fileOffset(index: number): number {
    return this.#numbers[index * 2 + 1]!;
  }
}

/** Takes the content of an entry. */
export interface ExtentConsumer {
  /** `bytes` are lent until {@link afterPiece} is. */
  take(bytes: Buffer, fileOffset: number): void;
  /** A piece was taken: what to wait for, if anything. */
  afterPiece(): Promise<void> | undefined;
}

/** Reads the content of entries, chunk by chunk in the order of the file, and little else of the archive. */
export class ExtentReader {
  readonly #source: Source;
  readonly #room = Buffer.allocUnsafeSlow(PIECE_ROOM_BYTES);
  /** What was read last, and where in the archive it stands: small files are read many at a time. */
  #window: Buffer = Buffer.alloc(0);
  #windowOffset = 0;
  /** For a few bytes that are looked at in between. */
  readonly #little = Buffer.alloc(GLANCE_BYTES_MAX);
  /** The chunk in which they were. */
  #glanced: ChunkHeader | undefined;

  /** @param source can seek */
  constructor(source: Source) {
    this.#source = source;
  }

  /**
   * Reads the content of one entry.
   *
   * @param pieceBytes most that the consumer is given before it is asked what to wait for
   * @throws XbstreamError what {@link ChunkReader} throws, `XB_TRUNCATED`, `XB_IO`, and what the consumer throws
   */
  async read(extents: Extents, consumer: ExtentConsumer, pieceBytes: number): Promise<void> {
    for (const archiveOffset of extents.inFileOrder()) await this.#readChunk(archiveOffset, consumer, pieceBytes);
  }

  /**
   * A few bytes of an entry whose chunks come in its order, leave out nothing and have no holes. No checksum is held: that is
   * for whoever reads all of it.
   *
   * @param bytes at most {@link GLANCE_BYTES_MAX}
   * @returns lent until the next call; fewer bytes at the end
   */
  glance(extents: Extents, fileOffset: number, bytes: number): Buffer {
    const out = this.#little.subarray(0, bytes);
    let taken = 0;
    for (let chunk = extents.chunkOf(fileOffset); taken < bytes && chunk < extents.length; chunk += 1) {
      const { start, end } = this.#payloadOf(extents.at(chunk), fileOffset + taken);
      const wanted = Math.min(bytes - taken, end - start);
      if (wanted <= 0) break;
      const found = this.#source.bytesAt!(start, wanted);
      found.copy(out, taken);
      taken += found.length;
      if (found.length < wanted) break;
    }
    return out.subarray(0, taken);
  }

  /** Where in the archive a byte of a chunk's payload lies, and where the payload ends. */
  #payloadOf(chunk: ChunkPlace, fileOffset: number): { start: number; end: number } {
    if (this.#glanced?.archiveOffset !== chunk.archiveOffset) {
      const head = this.#source.bytesAt!(chunk.archiveOffset, MAX_HEADER_BYTES);
      const header = decodeChunkHeader(head, 0, head.length, chunk.archiveOffset);
      if (header === undefined) throw shortened(chunk.archiveOffset);
      this.#glanced = header;
    }
    const { archiveOffset, headerBytes } = this.#glanced;
    const start = archiveOffset + headerBytes + fileOffset - chunk.fileOffset;
    return { start, end: chunkEnd(this.#glanced) };
  }

  async #readChunk(archiveOffset: number, consumer: ExtentConsumer, most: number): Promise<void> {
    const header = this.#header(archiveOffset);
    const end = chunkEnd(header);
    const pieceBytes = header.type === 'sparse' ? SMALL_PIECE_BYTES : most;
    const reader = new ChunkReader(
      {
        chunk: () => 'take',
        payload: (bytes, fileOffset) => consumer.take(bytes, fileOffset),
        chunkEnd: () => undefined,
      },
      archiveOffset,
    );
    while (reader.archiveOffset < end) {
      this.#pushPiece(reader, Math.min(pieceBytes, end - reader.archiveOffset));
      const waiting = consumer.afterPiece();
      if (waiting !== undefined) await waiting;
    }
  }

  #pushPiece(reader: ChunkReader, most: number): void {
    const bytes = this.#bytesAt(reader.archiveOffset);
    if (bytes.length === 0) throw shortened(reader.archiveOffset);
    reader.push(bytes.length <= most ? bytes : bytes.subarray(0, most));
  }

  #header(archiveOffset: number): ChunkHeader {
    let head = this.#bytesAt(archiveOffset);
    if (head.length < MAX_HEADER_BYTES) head = this.#readAt(archiveOffset);
    const header = decodeChunkHeader(head, 0, head.length, archiveOffset);
    if (header === undefined) throw shortened(archiveOffset);
    return header;
  }

  /** What stands at a place; nothing at the archive's end. */
  #bytesAt(archiveOffset: number): Buffer {
    const inWindow = archiveOffset - this.#windowOffset;
    if (inWindow >= 0 && inWindow < this.#window.length) return this.#window.subarray(inWindow);
    return this.#readAt(archiveOffset);
  }

  #readAt(archiveOffset: number): Buffer {
    this.#window = this.#source.bytesAt!(archiveOffset, PIECE_BYTES, this.#room);
    this.#windowOffset = archiveOffset;
    return this.#window;
  }
}

function shortened(archiveOffset: number): XbstreamError {
  return new XbstreamError('XB_TRUNCATED', 'the archive has become shorter while it was being read', { archiveOffset });
}
