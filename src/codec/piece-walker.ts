import type { DecodeJob, LayerName, LayerWalker } from './codec.js';
import type { JobMemory } from './job-memory.js';

const NOTHING = Buffer.alloc(0);
const HELD_BYTES_MIN = 4096;
const HELD_GROWTH_BYTES_MAX = 16 << 20;
/** Units that decode to next to nothing must not add up without end. */
const JOB_BYTES_MAX = 32 << 20;
/** With less room behind what is held it is moved to where there is more. */
const ROOM_BYTES_MIN = 64 << 10;
/** What is read at a time reaches so far beyond the end of a job. */
const ROOM_BYTES = 512 << 10;

/** What a walker finds where a unit begins. `more`: not all of the unit is there; `skip`: nothing to decode in it. */
export type Found = 'unit' | 'skip' | 'more';

/**
 * The part that all walkers share: makes of pieces of any size a *window* in which units (chunks, blocks, frames) stand
 * whole, and of units that follow each other one job.
 *
 * Where a pushed piece holds whole units the window is the piece itself and nothing is copied. A unit that begins in
 * one piece and ends in another is gathered in a buffer that grows with the bytes that have come, never with what a
 * header says will come. Who can put pieces right into that buffer ({@link room}) spares a copy of everything.
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
  /** What is walked, and how many of its bytes are done with. */
  #window: Buffer = NOTHING;
  #done = 0;
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

  /** See {@link LayerWalker.room}. */
  room(bytes: number): Buffer | undefined {
    if (!this.#own) return undefined;
    if (this.#held.length - this.#heldBytes < Math.min(bytes, ROOM_BYTES_MIN)) this.#makeRoom(bytes);
    return this.#held.subarray(this.#heldBytes, this.#heldBytes + bytes);
  }

  push(bytes: Buffer, emit: (job: DecodeJob) => void): void {
    if (this.#isInRoom(bytes)) {
      this.#heldBytes += bytes.length;
      if (this.#heldBytes >= this.#needBytes) this.#walkHeld(emit);
      return;
    }
    let at = 0;
    while (this.#heldBytes > 0 && at < bytes.length) {
      // No more than the unit needs, so that what follows it can be walked where it lies.
      const take = Math.min(this.#needBytes - this.#heldBytes, bytes.length - at);
      this.#hold(bytes, at, at + take);
      at += take;
      if (this.#heldBytes < this.#needBytes) return;
      this.#walkHeld(emit);
    }
    if (at === bytes.length) return;
    const window = at === 0 ? bytes : bytes.subarray(at);
    const left = window.length < this.#needBytes ? window.length : this.#walk(window, emit);
    this.#hold(window, window.length - left, window.length);
  }

  end(emit: (job: DecodeJob) => void): void {
    this.#window = this.#held.subarray(0, this.#heldBytes);
    this.#done = 0;
    this.#flush(emit);
    this.windowOffset += this.#done;
    this.finish(this.#window.subarray(this.#done));
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

  #isInRoom(bytes: Buffer): boolean {
    return bytes.buffer === this.#held.buffer && bytes.byteOffset === this.#held.byteOffset + this.#heldBytes;
  }

  #walkHeld(emit: (job: DecodeJob) => void): void {
    const left = this.#walk(this.#held.subarray(0, this.#heldBytes), emit);
    if (left > 0 && left < this.#heldBytes) this.#held.copyWithin(0, this.#heldBytes - left, this.#heldBytes);
    this.#heldBytes = left;
  }

  /** Walks a window and returns how many of its last bytes are not done with. */
  #walk(window: Buffer, emit: (job: DecodeJob) => void): number {
    this.#window = window;
    this.#done = 0;
    for (;;) {
      const found = this.measure(this.#window, this.#done + this.#batchBytes);
      if (found === 'unit') {
        if (this.#batchBytes > 0 && this.#isFull()) this.#flush(emit);
        this.#batchBytes += this.unitBytes;
        this.#batchOutputBytes += this.unitOutputBytes;
        // A full job goes out now and not when the next unit, which may be large, is there.
        if (this.unitStandsAlone || this.#batchOutputBytes >= this.jobOutputBytesMax) {
          this.#flush(emit, this.unitStandsAlone);
        }
      } else {
        if (found === 'skip' || !this.#gather) this.#flush(emit);
        if (found === 'skip') {
          this.#done += this.unitBytes;
        } else {
          this.#needBytes = this.#batchBytes + this.unitNeedsBytes;
          this.windowOffset += this.#done;
          return this.#window.length - this.#done;
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

  /** Makes a job of the batch. */
  #flush(emit: (job: DecodeJob) => void, alone = false): void {
    const start = this.#done;
    const layerOffset = this.windowOffset + start;
    const outputBytesMax = this.#batchOutputBytes;
    this.#done += this.#batchBytes;
    this.#batchBytes = 0;
    this.#batchOutputBytes = 0;
    const units = this.#own ? this.#owned(start) : this.#window.subarray(start, this.#done);
    const job = this.makeJob(units, layerOffset, outputBytesMax, alone);
    if (job) emit(job);
  }

  /** What the window has from `start` to where it is done with, as memory that its job keeps until it is done. */
  #owned(start: number): Buffer {
    const window = this.#window;
    const bytes = this.#done - start;
    const rest = window.length - this.#done;
    // Rather than to copy much of what is held, the rest moves away from it. Only a small job must not bind much memory.
    if (window.buffer === this.#held.buffer && bytes >= rest && 8 * bytes > this.#held.length) {
      this.#giveHeldAway(rest, bytes);
      return window.subarray(start, start + bytes);
    }
    const copy = this.#memory.take(bytes);
    window.copy(copy, 0, start, start + bytes);
    return copy.subarray(0, bytes);
  }

  /** What is held goes with a job, but for the rest of the window, which is the window from now on. */
  #giveHeldAway(rest: number, jobBytes: number): void {
    this.#usualBytes = Math.max(this.#usualBytes, jobBytes);
    this.#forgetHeld();
    this.#hold(this.#window, this.#done, this.#done + rest);
    this.#window = this.#held.subarray(0, rest);
    this.windowOffset += this.#done;
    this.#done = 0;
  }

  #hold(bytes: Buffer, start: number, end: number): void {
    if (start === end) return;
    if (this.#heldBytes + end - start > this.#held.length) this.#makeRoom(end - start);
    bytes.copy(this.#held, this.#heldBytes, start, end);
    this.#heldBytes += end - start;
  }

  /** Moves what is held to where there is room behind it. */
  #makeRoom(bytes: number): void {
    const ahead = Math.min(2 * this.#held.length, this.#held.length + HELD_GROWTH_BYTES_MAX);
    const expected = Math.max(this.#usualBytes, this.jobBytesExpected);
    const usual = expected === 0 ? 0 : expected + ROOM_BYTES;
    const larger = this.#memory.take(Math.max(HELD_BYTES_MIN, this.#heldBytes + bytes, ahead, usual));
    this.#held.copy(larger, 0, 0, this.#heldBytes);
    this.#memory.give(this.#held);
    this.#held = larger;
  }
}
