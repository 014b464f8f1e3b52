import { type StoredPath, rawPath } from '../../format/stored-path.js';
import type { ThreadPresence } from '../../threads/presence.js';
import { makeFile, writeAll } from '../directory/file-calls.js';

/**
 * The memory that a lane shares with its writing thread: pieces of the archive, and a ring of jobs that say what to do
 * with parts of them. Jobs are done in the order in which they were given.
 */

/** Jobs that may be waiting at a time; a power of two. */
export const JOB_SLOTS = 256;
/** Room for a path of the system: a directory's entry in /proc and a name of 255 bytes. */
const PATH_BYTES = 320;

const JOB_INTS = 8;
/** Even, so that the numbers behind them stand where they can. */
const CONTROL_INTS = 2;
const WRITE = 0;
const FILE = 1;
const FILE_REPLACING = 2;
const QUIT = 3;

const GIVEN = 0;
const DONE = 1;

/** Bytes for a part of a file that is open, or for a small file from its creation to its final name. */
export type WriteJob =
  | { kind: 'write'; start: number; end: number; descriptor: number; fileOffset: number }
  | { kind: 'file'; start: number; end: number; partialPath: StoredPath; finalPath: StoredPath; replace: boolean };

/** What the writing thread is started with. */
export interface WriteMemory {
  memory: SharedArrayBuffer;
  dataBytes: number;
}

/** Both sides' view of the shared memory. */
export class WriteJobs {
  readonly memory: SharedArrayBuffer;
  /** The pieces, from the memory's first byte. */
  readonly bytes: Buffer;
  readonly #control: Int32Array;
  readonly #ints: Int32Array;
  readonly #offsets: Float64Array;
  readonly #paths: Buffer;

  /** @param dataBytes bytes of all pieces; a multiple of 8 */
  constructor(dataBytes: number, memory?: SharedArrayBuffer) {
    const tail = CONTROL_INTS * 4 + JOB_SLOTS * (JOB_INTS * 4 + 8 + 2 * PATH_BYTES);
    this.memory = memory ?? new SharedArrayBuffer(dataBytes + tail);
    this.bytes = Buffer.from(this.memory, 0, dataBytes);
    let at = dataBytes;
    this.#control = new Int32Array(this.memory, at, CONTROL_INTS);
    at += CONTROL_INTS * 4;
    this.#offsets = new Float64Array(this.memory, at, JOB_SLOTS);
    at += JOB_SLOTS * 8;
    this.#ints = new Int32Array(this.memory, at, JOB_SLOTS * JOB_INTS);
    at += JOB_SLOTS * JOB_INTS * 4;
    this.#paths = Buffer.from(this.memory, at, JOB_SLOTS * 2 * PATH_BYTES);
  }

  /** Whether a path can be handed over. */
  static fits(path: string): boolean {
    return path.length <= PATH_BYTES;
  }

  /** Jobs done so far. Job numbers begin at 1 and wrap around as int32 do. */
  get done(): number {
    return Atomics.load(this.#control, DONE);
  }

  /** Writes a job down; {@link publish} hands it over. */
  put(number: number, job: WriteJob): void {
    const slot = number & (JOB_SLOTS - 1);
    const at = slot * JOB_INTS;
    this.#ints[at] = job.kind === 'write' ? WRITE : job.replace ? FILE_REPLACING : FILE;
    this.#ints[at + 1] = job.start;
    this.#ints[at + 2] = job.end;
    if (job.kind === 'write') {
      this.#ints[at + 3] = job.descriptor;
      this.#offsets[slot] = job.fileOffset;
    } else {
      const path = slot * 2 * PATH_BYTES;
      this.#ints[at + 3] = this.#paths.write(job.partialPath, path, 'latin1');
      this.#ints[at + 4] = this.#paths.write(job.finalPath, path + PATH_BYTES, 'latin1');
    }
  }

  /** Hands over all jobs up to this number. */
  publish(number: number): void {
    Atomics.store(this.#control, GIVEN, number);
    Atomics.notify(this.#control, GIVEN);
  }

  /** @returns undefined for the last one: that no more will come */
  get(number: number): WriteJob | undefined {
    const slot = number & (JOB_SLOTS - 1);
    const at = slot * JOB_INTS;
    const start = this.#ints[at + 1]!;
    const end = this.#ints[at + 2]!;
    const kind = this.#ints[at];
    if (kind === QUIT) return undefined;
    if (kind === WRITE) {
      return { kind: 'write', start, end, descriptor: this.#ints[at + 3]!, fileOffset: this.#offsets[slot]! };
    }
    const path = slot * 2 * PATH_BYTES;
    return {
      kind: 'file',
      start,
      end,
      replace: kind === FILE_REPLACING,
      partialPath: rawPath(this.#paths.toString('latin1', path, path + this.#ints[at + 3]!)),
      finalPath: rawPath(this.#paths.toString('latin1', path + PATH_BYTES, path + PATH_BYTES + this.#ints[at + 4]!)),
    };
  }

  /** The writing thread has done a job, well or not. */
  complete(number: number, well: boolean): void {
    this.#ints[(number & (JOB_SLOTS - 1)) * JOB_INTS + 5] = well ? 1 : 0;
    Atomics.store(this.#control, DONE, number);
    Atomics.notify(this.#control, DONE);
  }

  /** Whether a job that is done was done well. */
  wentWell(number: number): boolean {
    return this.#ints[(number & (JOB_SLOTS - 1)) * JOB_INTS + 5] === 1;
  }

  /**
   * Waits until a job is done, however long that takes.
   *
   * @param thread that does them
   * @returns false when it is gone, and will not do it
   */
  waitFor(number: number, thread: ThreadPresence): boolean {
    for (let done = this.done; isBefore(done, number); done = this.done) {
      if (!thread.waitWhile(this.#control, DONE, done)) return false;
    }
    return true;
  }

  /** Waits for jobs beyond `number`. @returns the last one given */
  waitForMore(number: number): number {
    for (;;) {
      const given = Atomics.load(this.#control, GIVEN);
      if (given !== number) return given;
      Atomics.wait(this.#control, GIVEN, number);
    }
  }

  /**
   * No more jobs will come behind those that were handed over. It is a job like them: a thread that has looked for one, and does not wait
   * yet, sees by the number that something has come, and would miss anything else.
   */
  quit(): void {
    const number = (Atomics.load(this.#control, GIVEN) + 1) | 0;
    this.#ints[(number & (JOB_SLOTS - 1)) * JOB_INTS] = QUIT;
    this.publish(number);
  }
}

/** Whether job `a` was given before job `b`; numbers wrap around. */
export function isBefore(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

/** In the writing thread: does what it is given, in order, until no more will come. Says only whether it went well. */
export function doWriteJobs(jobs: WriteJobs): void {
  for (let done = 0; ;) {
    const given = jobs.waitForMore(done);
    while (done !== given) {
      done = (done + 1) | 0;
      const job = jobs.get(done);
      if (job === undefined) return;
      let well = true;
      try {
        perform(job, jobs.bytes);
      } catch {
        // The other side does it again, and hears why.
        well = false;
      }
      jobs.complete(done, well);
    }
  }
}

function perform(job: WriteJob, pieces: Buffer): void {
  const bytes = pieces.subarray(job.start, job.end);
  if (job.kind === 'write') writeAll(job.descriptor, bytes, job.fileOffset);
  else makeFile(job.partialPath, job.finalPath, bytes, job.replace);
}
