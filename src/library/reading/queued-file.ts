import type { Entry } from '../../archive/entry.js';
import { allLayersOf } from '../../codec/stored-layers.js';
import { XbstreamError } from '../../errors.js';
import { pathText, type StoredPath } from '../../format/stored-path.js';
import { HeldContent } from '../../output/held-content.js';
import { outOfOrder } from '../../output/output.js';
import type { FileEntry } from './archive-entry.js';

/** Pieces of memory that is so much larger are copied: a few bytes must not keep all of what they came with. */
const COPIED_PART = 4;

/** Between a file and what reads the archive. */
export interface FileFlow {
  /** Has more of the archive read, or waits until somebody else has taken something. */
  more: () => Promise<void>;
  /** Called when something of what waits was taken. */
  taken: () => void;
  /** Lets everything else have its turn when it is due. @throws the signal's reason after it was aborted */
  turn: () => Promise<void>;
}

/** A file of an archive that is being read, and what of its content waits for its reader. */
export class QueuedFile implements FileEntry {
  readonly kind = 'file';
  readonly path: StoredPath;
  readonly layers: readonly string[];
  readonly archiveOffset: number;
  readonly rewrites: boolean;
  /** Its content is being read. */
  isRead = false;
  /** Nobody wants the rest of its content. */
  isPassed = false;
  readonly #entry: Entry<unknown>;
  readonly #flow: FileFlow;
  readonly #held = new HeldContent();
  #isClaimed = false;
  #isEnded = false;
  #misplaced: XbstreamError | undefined;

  constructor(entry: Entry<unknown>, rewrites: boolean, flow: FileFlow) {
    this.path = entry.path;
    this.layers = allLayersOf(entry.path);
    this.archiveOffset = entry.archiveOffset;
    this.rewrites = rewrites;
    this.#entry = entry;
    this.#flow = flow;
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

  /** What waits takes so much memory, in bytes. */
  get waitingBytes(): number {
    return this.#held.bytes;
  }

  /** Nothing of it waits, or ever will. */
  get isOver(): boolean {
    return this.isPassed || (this.#isEnded && this.#isClaimed && this.waitingBytes === 0);
  }

  take(bytes: Buffer, fileOffset: number): void {
    if (this.isPassed || this.#misplaced !== undefined) return;
    const isPart = bytes.length * COPIED_PART < bytes.buffer.byteLength;
    if (this.#held.put(isPart ? Buffer.from(bytes) : bytes, fileOffset)) return;
    this.#misplaced = outOfOrder(
      this.path,
      `the content of ${pathText(this.path)} does not come in order`,
      { expected: this.#held.positionBytes, found: fileOffset },
      'readChunks gives content in any order',
    );
  }

  end(sizeBytes: number): void {
    this.#isEnded = true;
    if (!this.isPassed && this.#misplaced === undefined) this.#held.skipTo(sizeBytes);
  }

  /** Passes over its content, unless that was asked for. */
  passUnclaimed(): void {
    if (!this.#isClaimed) this.#pass();
  }

  #pass(): void {
    this.isPassed = true;
    this.#held.clear();
    this.#flow.taken();
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
    const pieces = this.#read();
    // One that has not begun when it is ended has nothing to clean up, for all that it knows.
    const passUnbegun = (): void => {
      if (!this.isRead) this.#pass();
    };
    return {
      [Symbol.asyncIterator]: () => ({
        next: () => pieces.next(),
        return: () => {
          passUnbegun();
          return pieces.return();
        },
        throw: (error: unknown) => {
          passUnbegun();
          return pieces.throw(error);
        },
      }),
    };
  }

  async *#read(): AsyncGenerator<Buffer, void, undefined> {
    this.isRead = true;
    try {
      for (;;) {
        for (const piece of this.#held.take()) {
          // A few bytes of an archive may stand for a hole of any length.
          await this.#flow.turn();
          this.#flow.taken();
          yield piece;
        }
        if (this.#misplaced !== undefined) throw this.#misplaced;
        if (this.#isEnded) return;
        await this.#flow.more();
      }
    } finally {
      this.#pass();
    }
  }
}
