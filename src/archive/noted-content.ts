import type { Extents } from './extents.js';

/** More of a small file is not kept. */
const MAX_CONTENT_BYTES = 1024 * 1024;
/** Most that is kept of all small files of an archive together: it may have any number. */
const MAX_ALL_CONTENT_BYTES = 32 * MAX_CONTENT_BYTES;

/** What the small files of an archive may take in memory, together. */
export class NotesBudget {
  #leftBytes = MAX_ALL_CONTENT_BYTES;

  /** @returns whether there is room for so much more */
  take(bytes: number): boolean {
    if (bytes > this.#leftBytes) return false;
    this.#leftBytes -= bytes;
    return true;
  }
}

/** What is noted of an entry beside what every entry has. */
export class NotedContent {
  extents: Extents | undefined;
  readonly #budget: NotesBudget;
  readonly #pieces: Buffer[] = [];
  #bytes = 0;
  /** All that came is kept: it came in order, and is not too much. */
  #isKept = true;

  constructor(budget: NotesBudget) {
    this.#budget = budget;
  }

  take(bytes: Buffer, fileOffset: number): void {
    this.#isKept &&=
      fileOffset === this.#bytes && fileOffset + bytes.length <= MAX_CONTENT_BYTES && this.#budget.take(bytes.length);
    if (!this.#isKept) return;
    this.#pieces.push(Buffer.from(bytes));
    this.#bytes += bytes.length;
  }

  /** The content; undefined where it is too large. */
  get content(): Buffer | undefined {
    return this.#isKept ? Buffer.concat(this.#pieces) : undefined;
  }
}
