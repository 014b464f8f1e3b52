/**
 * Shares the lane's writing with a second thread: pieces of the archive lie in memory that both see, and what is to be
 * written of them goes to that thread while it keeps up. What it has no time for the lane writes itself, so that both are
 * busy whatever there is more of, reading or writing.
 */
import { Helper } from '../../threads/helper.js';
import { isBefore, JOB_SLOTS, WriteJobs, type WriteJob, type WriteMemory } from './write-jobs.js';

/** Called on the lane's side when a job is done: `well` is false when the lane has to do it again by itself. */
type JobOutcome = (well: boolean) => void;

export class WriteQueue {
  readonly #jobs: WriteJobs;
  readonly #pieceBytes: number;
  /** For each piece the last job that uses it; undefined when none does. */
  readonly #lastUse: (number | undefined)[];
  #piece = 0;
  #thread: Helper<WriteMemory, never, never> | undefined;
  #given = 0;
  #seen = 0;
  readonly #outcomes: (JobOutcome | undefined)[] = new Array<JobOutcome | undefined>(JOB_SLOTS).fill(undefined);
  #published = 0;
  /** The last job, if it is a write that is not handed over yet. */
  #lastWrite: (WriteJob & { kind: 'write' }) | undefined;
  /** Files are handed over when {@link lastPieceIsSafe} says so, and not before. */
  #holdsFiles = false;
  /** That a file is to be handed over. */
  #heldFile: NodeJS.Immediate | undefined;

  /**
   * @param pieceBytes room for one piece
   * @param pieces how many pieces there are at a time, at least 3
   */
  constructor(pieceBytes: number, pieces: number) {
    this.#pieceBytes = pieceBytes;
    this.#jobs = new WriteJobs(pieceBytes * pieces);
    this.#lastUse = new Array<number | undefined>(pieces).fill(undefined);
  }

  /** Begins to share: before that nothing that is offered is taken, so that a small archive pays for no thread. */
  start(): void {
    this.#thread ??= new Helper(new URL('./write-thread.js', import.meta.url), {
      name: 'the writing thread',
      data: { memory: this.#jobs.memory, dataBytes: this.#jobs.bytes.length },
      decodes: false,
    });
  }

  /**
   * What was pushed up to now stays in its memory even if this thread is ended: files may be made of it, and get their names. Where
   * this is called, it is for each push; what is only written to open files is of no harm if it is spoilt.
   */
  lastPieceIsSafe(): void {
    this.#holdsFiles = true;
    this.#publish();
  }

  /** Room for the next piece; what was in it before is written. */
  nextPiece(): Buffer {
    this.#publishUnlessHeld();
    this.#piece = (this.#piece + 1) % this.#lastUse.length;
    const lastUse = this.#lastUse[this.#piece];
    if (lastUse !== undefined) this.waitFor(lastUse);
    this.#lastUse[this.#piece] = undefined;
    const start = this.#piece * this.#pieceBytes;
    return this.#jobs.bytes.subarray(start, start + this.#pieceBytes);
  }

  /**
   * Offers to have something written.
   *
   * @param bytes part of the current piece
   * @returns the job's number if it was taken; undefined when the lane had better do it itself
   */
  offerWrite(bytes: Buffer, descriptor: number, fileOffset: number, outcome: JobOutcome): number | undefined {
    const start = this.#startOf(bytes);
    if (start === undefined) return undefined;
    const end = start + bytes.length;
    const last = this.#lastWrite;
    if (last?.end === start && last.descriptor === descriptor && last.fileOffset + start - last.start === fileOffset) {
      return this.#extend(last, end, outcome);
    }
    // Who waits for it must not have to hand over a file before its time.
    if (this.#heldFile !== undefined || !this.#hasTime()) return undefined;
    return this.#give({ kind: 'write', start, end, descriptor, fileOffset }, outcome);
  }

  /** Offers to have a small file made, from its partial to its final name; otherwise as {@link offerWrite}. */
  offerFile(
    bytes: Buffer,
    { partialPath, finalPath, replace }: Pick<WriteJob & { kind: 'file' }, 'partialPath' | 'finalPath' | 'replace'>,
    outcome: JobOutcome,
  ): number | undefined {
    const start = this.#startOf(bytes);
    if (start === undefined || !this.#hasTime()) return undefined;
    if (!WriteJobs.fits(partialPath) || !WriteJobs.fits(finalPath)) return undefined;
    return this.#give({ kind: 'file', start, end: start + bytes.length, partialPath, finalPath, replace }, outcome);
  }

  /** Waits until a job and all before it are done, or all jobs, and hears how they went. */
  waitFor(number = this.#given): void {
    if (!isBefore(this.#seen, number)) return;
    // No more than what is waited for: that is done before anything can spoil it.
    if (isBefore(this.#published, number)) this.#publish(number);
    const thread = this.#thread!;
    const isDone = this.#jobs.waitFor(number, thread.presence);
    this.#hear();
    if (!isDone) throw thread.ended();
  }

  /**
   * Has all jobs done after the extraction has failed: what goes well still counts, what fails is no news any more.
   */
  drain(): void {
    for (let seen: number | undefined; seen !== this.#seen && isBefore(this.#seen, this.#given);) {
      seen = this.#seen;
      try {
        this.waitFor();
      } catch {
        // The error that came first is the one to tell.
      }
    }
  }

  /** Ends the thread; what was offered and taken is done first. */
  close(): void {
    try {
      this.waitFor();
    } finally {
      // It would wait for more, and keep the program alive.
      this.#jobs.quit();
    }
  }

  /** Whether `bytes` are part of a piece, and so stay as they are until the next. */
  holds(bytes: Buffer): boolean {
    return bytes.buffer === this.#jobs.memory;
  }

  /** Where in the shared memory `bytes` begin; undefined when they lie elsewhere, or nobody is there to share with. */
  #startOf(bytes: Buffer): number | undefined {
    return this.#thread?.presence.hasBegun === true && bytes.buffer === this.#jobs.memory
      ? bytes.byteOffset
      : undefined;
  }

  /**
   * Whether the thread is likely to get to another job before the lane could do it. Small files come by the hundred in a
   * piece, large parts one by one, each with a piece that cannot be filled again before it is written.
   */
  #hasTime(): boolean {
    const waiting = (this.#given - this.#jobs.done) | 0;
    return waiting < MOST_WAITING && this.#busyPieces() < this.#lastUse.length - 1;
  }

  #busyPieces(): number {
    const { done } = this.#jobs;
    let busy = 0;
    this.#lastUse.forEach((job, piece) => {
      if (piece !== this.#piece && job !== undefined && isBefore(done, job)) busy += 1;
    });
    return busy;
  }

  /** What comes by small pieces, from a pipe, is handed over in larger ones: each time costs the thread a wake-up. */
  #extend(job: WriteJob & { kind: 'write' }, end: number, outcome: JobOutcome): number {
    job.end = end;
    this.#jobs.put(this.#given, job);
    const slot = this.#given & (JOB_SLOTS - 1);
    const before = this.#outcomes[slot]!;
    this.#outcomes[slot] = (well) => {
      before(well);
      outcome(well);
    };
    if (end - job.start >= PUBLISH_BYTES) this.#publishUnlessHeld();
    return this.#given;
  }

  #give(job: WriteJob, outcome: JobOutcome): number {
    if (((this.#given - this.#seen) | 0) >= JOB_SLOTS - 1) this.#hear();
    this.#given = (this.#given + 1) | 0;
    this.#jobs.put(this.#given, job);
    this.#outcomes[this.#given & (JOB_SLOTS - 1)] = outcome;
    this.#lastUse[this.#piece] = this.#given;
    const unpublished = (this.#given - this.#published) | 0;
    this.#lastWrite = job.kind === 'write' ? job : undefined;
    // Perhaps no further piece comes for long: when events are looked for again, this push is over as well.
    if (this.#holdsFiles && job.kind === 'file') this.#heldFile ??= setImmediate(() => this.#publish());
    if (unpublished >= PUBLISH_EVERY || (job.kind === 'write' && job.end - job.start >= PUBLISH_BYTES)) {
      this.#publishUnlessHeld();
    }
    return this.#given;
  }

  #publishUnlessHeld(): void {
    if (this.#heldFile === undefined) this.#publish();
  }

  #publish(number = this.#given): void {
    if (number === this.#given) {
      this.#lastWrite = undefined;
      clearImmediate(this.#heldFile);
      this.#heldFile = undefined;
    }
    if (this.#published === number) return;
    this.#published = number;
    this.#jobs.publish(number);
  }

  #hear(): void {
    const { done } = this.#jobs;
    while (isBefore(this.#seen, done)) {
      this.#seen = (this.#seen + 1) | 0;
      const slot = this.#seen & (JOB_SLOTS - 1);
      const outcome = this.#outcomes[slot]!;
      this.#outcomes[slot] = undefined;
      outcome(this.#jobs.wentWell(this.#seen));
    }
  }
}

/** Jobs that wait for the thread at most. Enough that it seldom runs out of them: each sleep and wake-up costs as much as a file. */
const MOST_WAITING = 160;
/** To wake the thread for each small file would cost as much as half of making it. */
const PUBLISH_EVERY = 16;
/** Nor for less than this of a large one. */
const PUBLISH_BYTES = 256 * 1024;
