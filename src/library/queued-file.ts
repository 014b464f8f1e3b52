import type { Entry } from '../archive/entry.js';
import { allLayersOf } from '../codec/stored-layers.js';
import { XbstreamError } from '../errors.js';
import { pathText, type StoredPath } from '../format/stored-path.js';
import type { FileEntry } from './archive-entry.js';

/** Smaller pieces are copied: a few bytes must not keep all of what they came with in memory. */
const COPIED_BYTES = 64 * 1024;
/** What a piece takes beside its bytes, about. */
const PIECE_OVERHEAD_BYTES = 200;
const ZEROS = Buffer.alloc(256 * 1024);

/** A file of an archive that is being read, and what of its content waits for its reader. */
export class QueuedFile implements FileEntry {
  readonly kind = 'file';
  readonly path: StoredPath;
  readonly layers: readonly string[];
  readonly archiveOffset: number;
  readonly rewrites: boolean;
  /** What waits in memory, in bytes. */
  waitingBytes = 0;
  /** Its content is being read. */
  isRead = false;
  /** Nobody wants the rest of its content. */
  isPassed = false;
  readonly #entry: Entry<unknown>;
  readonly #more: () => Promise<void>;
  readonly #taken: () => void;
  /** Content, and lengths of holes. */
  readonly #pieces: (Buffer | number)[] = [];
  #positionBytes = 0;
  #isClaimed = false;
  #isEnded = false;
  #misplaced: XbstreamError | undefined;

  /**
   * @param more has more of the archive read, or waits until somebody else has taken something
   * @param taken called when something of what waits was taken
   */
  constructor(entry: Entry<unknown>, rewrites: boolean, more: () => Promise<void>, taken: () => void) {
    this.path = entry.path;
    this.layers = allLayersOf(entry.path);
    this.archiveOffset = entry.archiveOffset;
    this.rewrites = rewrites;
    this.#entry = entry;
    this.#more = more;
    this.#taken = taken;
  }

  get bytes(): number {
    return this.#entry.sizeBytes;
  }

  get chunks(): number {
    return this.#entry.chunks;
  }

  get complete(): boolean {
    return this.#isEnded;
  }

  /** Nothing of it waits, or ever will. */
  get isOver(): boolean {
    return this.isPassed || (this.#isEnded && this.#isClaimed && this.waitingBytes === 0);
  }

  take(bytes: Buffer, fileOffset: number): void {
    if (this.isPassed || this.#misplaced !== undefined) return;
    if (fileOffset < this.#positionBytes) {
      this.#misplaced = misplaced(this.path, this.#positionBytes, fileOffset);
      return;
    }
    this.#skipTo(fileOffset);
    this.#pieces.push(bytes.length < COPIED_BYTES ? Buffer.from(bytes) : bytes);
    this.#positionBytes += bytes.length;
    this.waitingBytes += bytes.length + PIECE_OVERHEAD_BYTES;
  }

  end(sizeBytes: number): void {
    this.#isEnded = true;
    if (!this.isPassed && this.#misplaced === undefined) this.#skipTo(sizeBytes);
  }

  #skipTo(fileOffset: number): void {
    if (fileOffset === this.#positionBytes) return;
    this.#pieces.push(fileOffset - this.#positionBytes);
    this.#positionBytes = fileOffset;
    this.waitingBytes += PIECE_OVERHEAD_BYTES;
  }

  /** Passes over its content, unless that was asked for. */
  passUnclaimed(): void {
    if (!this.#isClaimed) this.#pass();
  }

  #pass(): void {
    this.isPassed = true;
    this.waitingBytes = 0;
    this.#pieces.length = 0;
    this.#taken();
  }

  content(): AsyncIterable<Buffer> {
    if (this.isPassed || this.#isClaimed) {
      throw new XbstreamError(
        'XB_USAGE',
        'the content of a file can be read once, and must be asked for before the next entry is',
        { path: this.path },
      );
    }
    this.#isClaimed = true;
    return this.#read();
  }

  async *#read(): AsyncGenerator<Buffer, void, undefined> {
    this.isRead = true;
    try {
      for (;;) {
        const pieces = this.#pieces.splice(0);
        for (const piece of pieces) {
          this.waitingBytes -= PIECE_OVERHEAD_BYTES + (typeof piece === 'number' ? 0 : piece.length);
          if (typeof piece === 'number') yield* zeros(piece);
          else yield piece;
        }
        if (pieces.length > 0) this.#taken();
        else if (this.#misplaced !== undefined) throw this.#misplaced;
        else if (this.#isEnded) return;
        else await this.#waitForMore();
      }
    } finally {
      this.#pass();
    }
  }

  /** What came before the place of an error is given first: asking for more fails again. */
  async #waitForMore(): Promise<void> {
    try {
      await this.#more();
    } catch (error) {
      if (this.#pieces.length === 0) throw error;
    }
  }
}

function* zeros(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= ZEROS.length) yield ZEROS.subarray(0, left);
}

function misplaced(path: StoredPath, expected: number, found: number): XbstreamError {
  return new XbstreamError('XB_UNSUPPORTED_ORDER', `the content of ${pathText(path)} does not come in order`, {
    path,
    details: [`expected byte ${expected} of the file, found byte ${found}`],
    hints: ['readChunks gives content in any order'],
  });
}
