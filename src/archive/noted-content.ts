/** What is noted of an entry beside what every entry has. */
import type { Extents } from './extents.js';

/** More of a small file is not kept. */
const MAX_CONTENT_BYTES = 1024 * 1024;
/** Most that is kept of all small files of an archive together: it may have any number. */
const MAX_ALL_CONTENT_BYTES = 32 * MAX_CONTENT_BYTES;

const NOTHING = Buffer.alloc(0);

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

export class NotedContent {
  extents: Extents | undefined;
  readonly #budget: NotesBudget;
  /** Has room for more where content comes in many pieces: each by itself would take far more than its bytes. */
  #bytes: Buffer = NOTHING;
  #used = 0;
  /** All that came is kept: it came in order, and is not too much. */
  #isKept = true;

  constructor(budget: NotesBudget) {
    this.#budget = budget;
  }

  take(bytes: Buffer, fileOffset: number): void {
    const end = fileOffset + bytes.length;
    this.#isKept &&= fileOffset === this.#used && end <= MAX_CONTENT_BYTES && this.#makeRoom(end);
    if (!this.#isKept) {
      this.#bytes = NOTHING;
      return;
    }
    bytes.copy(this.#bytes, this.#used);
    this.#used = end;
  }

  #makeRoom(end: number): boolean {
    const { length } = this.#bytes;
    if (end <= length) return true;
    const larger = length === 0 ? end : Math.min(MAX_CONTENT_BYTES, Math.max(end, 2 * length));
    if (!this.#budget.take(larger - length)) return false;
    const before = this.#bytes;
    this.#bytes = Buffer.allocUnsafe(larger);
    before.copy(this.#bytes, 0, 0, this.#used);
    return true;
  }

  /** The content; undefined where it is too large. */
  get content(): Buffer | undefined {
    return this.#isKept ? this.#bytes.subarray(0, this.#used) : undefined;
  }
}
