import { XbstreamError } from '../errors.js';
import { chunkEnd, decodeChunkHeader, MAX_HEADER_BYTES, type ChunkHeader } from '../format/chunk.js';
import { PIECE_BYTES, PIECE_ROOM_BYTES, type Source } from '../input/source.js';
import { ChunkReader } from './chunk-reader.js';

/** For a consumer that makes much of little; and a map may cut content into parts of a byte, each of which it keeps. */
export const SMALL_PIECE_BYTES = 32 * 1024;

/** Where the content of an entry lies in an archive: a pair of numbers for each chunk, in little room. */
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

  /** The chunks from one number to another, which is not among them. */
  slice(from: number, to: number): Extents {
    const part = new Extents();
    part.#numbers = this.#numbers.slice(from * 2, to * 2);
    part.#used = part.#numbers.length;
    return part;
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

/** Who takes the content of an entry. */
export interface ExtentConsumer {
  /** `bytes` are lent until {@link settled} is. */
  take(bytes: Buffer, fileOffset: number): void;
  /** A piece was taken: what to wait for. */
  settled(): Promise<void>;
}

/** Reads the content of entries, chunk by chunk in the order of the file, and little else of the archive. */
export class ExtentReader {
  readonly #source: Source;
  readonly #room = Buffer.allocUnsafeSlow(PIECE_ROOM_BYTES);
  /** What was read last, and where in the archive it stands: small files are read many at a time. */
  #window: Buffer = Buffer.alloc(0);
  #windowOffset = 0;

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
      const room = Math.min(pieceBytes, end - reader.archiveOffset);
      const piece = this.#bytesAt(reader.archiveOffset).subarray(0, room);
      if (piece.length === 0) throw shortened(reader.archiveOffset);
      reader.push(piece);
      await consumer.settled();
    }
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
