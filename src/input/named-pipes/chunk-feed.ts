import { XbstreamError } from '../../errors.js';
import { chunkEnd, decodeChunkHeader, type ChunkHeader } from '../../format/chunk.js';
import { pathText } from '../../format/stored-path.js';
import type { NamedPipe } from './named-pipe.js';

const NOTHING = Buffer.alloc(0);

/** The chunks that come through one of several pipes. */
export class ChunkFeed {
  readonly pipe: NamedPipe;
  /** Read, and not taken yet. */
  #bytes: Buffer = NOTHING;
  #readBytes = 0;
  #header: ChunkHeader | undefined;
  /** Bytes of the chunk at hand, its header included, that were not taken yet. */
  #leftBytes = 0;
  #isOver = false;

  constructor(pipe: NamedPipe) {
    this.pipe = pipe;
  }

  /** A chunk has been taken in part. */
  get isInChunk(): boolean {
    return this.#leftBytes > 0;
  }

  /** No more comes. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Nothing has come. */
  get isEmpty(): boolean {
    return this.#readBytes === 0;
  }

  /**
   * Reads on.
   *
   * @throws XbstreamError `XB_TRUNCATED` when the pipe ends within a chunk, `XB_IO`
   */
  async more(): Promise<void> {
    // What is left is less than a header, or nothing, and lies where the next bytes come.
    const left = Buffer.from(this.#bytes);
    this.#bytes = left;
    const next = await this.pipe.read();
    if (next === undefined) {
      this.#isOver = true;
      this.#assertEnd();
      return;
    }
    this.#readBytes += next.length;
    this.#bytes = left.length === 0 ? next : Buffer.concat([left, next]);
  }

  /** The next bytes, of one chunk: undefined where no more of it, or less than the header of another, has come. */
  take(): Buffer | undefined {
    if (this.#leftBytes === 0) this.#leftBytes = this.#chunkBytes();
    const taken = this.#bytes.subarray(0, this.#leftBytes);
    if (taken.length === 0) return undefined;
    this.#bytes = this.#bytes.subarray(taken.length);
    this.#leftBytes -= taken.length;
    return taken;
  }

  /** How long the next chunk is; 0 when that cannot be told yet. */
  #chunkBytes(): number {
    try {
      this.#header = decodeChunkHeader(this.#bytes, 0, this.#bytes.length, 0);
      return this.#header === undefined ? 0 : chunkEnd(this.#header);
    } catch {
      // The consumer of the bytes will see the same, and knows better what to say.
      return Infinity;
    }
  }

  #assertEnd(): void {
    if (this.#leftBytes === 0 && this.#bytes.length === 0) return;
    const path = this.#header?.path;
    const end = `${this.pipe.path} has ended after ${this.#readBytes} bytes`;
    if (this.#leftBytes === 0 || path === undefined) {
      throw new XbstreamError('XB_TRUNCATED', 'the archive is cut short: a pipe ends inside the header of a chunk', {
        details: [end],
      });
    }
    throw new XbstreamError('XB_TRUNCATED', `the archive is cut short inside ${pathText(path)}`, {
      path,
      details: [`${end}; ${this.#leftBytes} bytes of this chunk are missing`],
    });
  }
}
