import type { Extents } from './extents.js';

/** More of a small file is not kept. */
const MAX_CONTENT_BYTES = 1024 * 1024;

/** What an index notes of an entry beside what every entry has. */
export class NotedContent {
  extents: Extents | undefined;
  readonly #pieces: Buffer[] = [];
  #bytes = 0;
  /** All that came is kept: it came in order, and is not too much. */
  #isKept = true;

  take(bytes: Buffer, fileOffset: number): void {
    this.#isKept &&= fileOffset === this.#bytes && fileOffset + bytes.length <= MAX_CONTENT_BYTES;
    if (!this.#isKept) return;
    this.#pieces.push(Buffer.from(bytes));
    this.#bytes += bytes.length;
  }

  /** The content; undefined where it is too large. */
  get content(): Buffer | undefined {
    return this.#isKept ? Buffer.concat(this.#pieces) : undefined;
  }
}
