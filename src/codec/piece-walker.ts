import type { DecodeJob, LayerName, LayerWalker } from './codec.js';
import type { JobMemory } from './job-memory.js';

const NOTHING = Buffer.alloc(0);
const HELD_BYTES_MIN = 4096;
const HELD_GROWTH_BYTES_MAX = 16 << 20;
/** Units that decode to next to nothing must not add up without end. */
const JOB_BYTES_MAX = 32 << 20;

/** What a walker finds where a unit begins. `more`: not all of the unit is there; `skip`: nothing to decode in it. */
export type Found = 'unit' | 'skip' | 'more';

/**
 * The part that all walkers share: makes of pieces of any size a *window* in which units (chunks, blocks, frames) stand
 * whole, and of units that follow each other one job.
 *
 * Where a pushed piece holds whole units the window is the piece itself and nothing is copied. A unit that begins in
 * one piece and ends in another is gathered in a buffer that grows with the bytes that have come, never with what a
 * header says will come.
 */
export abstract class PieceWalker implements LayerWalker {
  abstract readonly layer: LayerName;
  recognised = false;

  /** Position of the window's first byte in the layer's data. */
  protected windowOffset = 0;
  /** Bytes and most output of the unit that {@link measure} found; for `skip` only the bytes. */
  protected unitBytes = 0;
  protected unitOutputBytes = 0;
  /** The unit found makes a job alone. */
  protected unitStandsAlone = false;
  /** After `more`: how many bytes of the unit must be there before it is worth looking again. */
  protected unitNeedsBytes = 1;
  /** A job is expected to have no more bytes; room that is not filled costs nothing. At most some 16 MiB. */
  protected jobBytesExpected = 0;
  /** Most output of a job of several units, in bytes. */
  protected jobOutputBytesMax = 1 << 20;

  /** Units from the window's start that wait for more to make a job. */
  #batchBytes = 0;
  #batchOutputBytes = 0;
  #needBytes = 1;
  #held: Buffer = NOTHING;
  #heldBytes = 0;
  /** Bytes of the largest job so far: the next is begun with so much room, so that nothing is moved to grow. */
  #usualBytes = 0;
  readonly #gather: boolean;
  readonly #own: boolean;
  readonly #memory: JobMemory;

  /**
   * @param gather jobs are filled up over several pieces; otherwise each ends with the piece
   * @param own jobs own their bytes
   */
  constructor(memory: JobMemory, gather: boolean, own: boolean) {
    this.#memory = memory;
    this.#gather = gather;
    this.#own = own;
  }

  /** Looks at the unit that begins at `window[at]`; may be called again for the same unit when more of it has come. */
  protected abstract measure(window: Buffer, at: number): Found;

  /**
   * Makes a job of whole units. `bytes` is empty where a skipped part follows a job or another skipped part; `alone`
   * is true for the unit just found, when it stands alone.
   */
  protected abstract makeJob(
    bytes: Buffer,
    layerOffset: number,
    outputBytesMax: number,
    alone: boolean,
  ): DecodeJob | undefined;

  /** The data has ended with `rest`, which is no whole unit: throws unless it may end here. */
  protected abstract finish(rest: Buffer): void;

  push(bytes: Buffer, emit: (job: DecodeJob) => void): void {
    let at = 0;
    while (this.#heldBytes > 0 && at < bytes.length) {
      // No more than the unit needs, so that what follows it can be walked where it lies.
      const take = Math.min(this.#needBytes - this.#heldBytes, bytes.length - at);
      this.#hold(bytes, at, at + take);
      at += take;
      if (this.#heldBytes < this.#needBytes) return;
      const end = this.#heldBytes;
      const done = this.#scan(this.#held.subarray(0, end), emit);
      this.#heldBytes = end - done;
      if (done > 0 && this.#heldBytes > 0) this.#held.copyWithin(0, done, end);
    }
    if (at === bytes.length) return;
    const window = at === 0 ? bytes : bytes.subarray(at);
    const done = window.length < this.#needBytes ? 0 : this.#scan(window, emit);
    this.#hold(window, done, window.length);
  }

  end(emit: (job: DecodeJob) => void): void {
    const window = this.#held.subarray(0, this.#heldBytes);
    // Before the window may go away with its job.
    const rest = window.subarray(this.#batchBytes);
    this.windowOffset += this.#flush(window, 0, emit);
    this.finish(rest);
    this.#memory.give(this.#held);
    // Not close(): the last jobs are still to be done, and what does them may be the walker's own.
    this.#forgetHeld();
  }

  jobDone(job: DecodeJob): void {
    if (this.#own) this.#memory.give(job.bytes);
  }

  close(): void {
    // Not given back: this may be called while it is walked.
    this.#forgetHeld();
  }

  #forgetHeld(): void {
    this.#held = NOTHING;
    this.#heldBytes = 0;
  }

  /** Walks the window and returns how many of its bytes are done with. */
  #scan(window: Buffer, emit: (job: DecodeJob) => void): number {
    const end = window.length;
    let start = 0;
    for (;;) {
      const at = start + this.#batchBytes;
      // Where its last bytes have gone out in a job, the window may have gone with them.
      const found = at < end ? this.measure(window, at) : this.measure(NOTHING, 0);
      if (found === 'unit') {
        if (this.#batchBytes > 0 && this.#isFull()) start += this.#flush(window, start, emit);
        this.#batchBytes += this.unitBytes;
        this.#batchOutputBytes += this.unitOutputBytes;
        // A full job goes out now and not when the next unit, which may be large, is there.
        if (this.unitStandsAlone || this.#batchOutputBytes >= this.jobOutputBytesMax) {
          start += this.#flush(window, start, emit, this.unitStandsAlone);
        }
      } else {
        if (found === 'skip' || !this.#gather) start += this.#flush(window, start, emit);
        if (found === 'skip') {
          start += this.unitBytes;
        } else {
          this.#needBytes = this.#batchBytes + this.unitNeedsBytes;
          this.windowOffset += start;
          return start;
        }
      }
    }
  }

  #isFull(): boolean {
    return (
      this.unitStandsAlone ||
      this.#batchOutputBytes + this.unitOutputBytes > this.jobOutputBytesMax ||
      this.#batchBytes + this.unitBytes > JOB_BYTES_MAX
    );
  }

  #flush(window: Buffer, start: number, emit: (job: DecodeJob) => void, alone = false): number {
    const bytes = this.#batchBytes;
    const outputBytesMax = this.#batchOutputBytes;
    this.#batchBytes = 0;
    this.#batchOutputBytes = 0;
    const units = this.#own ? this.#owned(window, start, start + bytes) : window.subarray(start, start + bytes);
    const job = this.makeJob(units, this.windowOffset + start, outputBytesMax, alone);
    if (job) emit(job);
    return bytes;
  }

  /**
   * A part of the window as memory that its job keeps until it is done. When it ends the window and fills a good part of the
   * gathering buffer, that buffer itself is given away: a large frame would otherwise be in memory twice.
   */
  #owned(window: Buffer, start: number, end: number): Buffer {
    if (window.buffer === this.#held.buffer && end === window.length && 8 * (end - start) > this.#held.length) {
      this.#usualBytes = Math.max(this.#usualBytes, end - start);
      this.#held = NOTHING;
      return window.subarray(start, end);
    }
    const copy = this.#memory.take(end - start);
    window.copy(copy, 0, start, end);
    return copy.subarray(0, end - start);
  }

  #hold(bytes: Buffer, start: number, end: number): void {
    if (start === end) return;
    const total = this.#heldBytes + end - start;
    if (total > this.#held.length) {
      const ahead = Math.min(2 * this.#held.length, this.#held.length + HELD_GROWTH_BYTES_MAX);
      const expected = Math.max(this.#usualBytes, this.jobBytesExpected);
      const grown = this.#memory.take(Math.max(HELD_BYTES_MIN, total, ahead, expected));
      this.#held.copy(grown, 0, 0, this.#heldBytes);
      this.#memory.give(this.#held);
      this.#held = grown;
    }
    bytes.copy(this.#held, this.#heldBytes, start, end);
    this.#heldBytes = total;
  }
}
