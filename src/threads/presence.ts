import { accessSync, readlinkSync } from 'node:fs';
import { systemCodeOf } from '../errors.js';

/** The error for waiting for a thread that is gone; `message` says which, and for what. */
export function threadEnded(message: string): Error {
  return Object.assign(new Error(message), { code: 'THREAD_ENDED' });
}

/** How often, in milliseconds, a wait looks whether the thread is still there. That no answer has come by then means nothing. */
const LOOK_MS = 500;

/** On the busiest machine a thread has begun by then. */
const BEGINNING_MS_MAX = 120_000;

/** Where the system lists the threads of this process. */
const THREADS = '/proc/self/task';
const NOT_BEGUN = 0;
/** The system does not tell. */
const UNKNOWN = -1;

/**
 * Whether another thread of this process is there, for a thread that waits for it without handling events: what ends a thread
 * (memory runs out, an exception) is told by an event, which a thread that waits does not hear.
 *
 * What was lent to a thread (a descriptor, memory) is free when it has said so, or when it is gone. A stalled disk makes
 * a write last for minutes, so that no time that has passed says anything.
 */
export class ThreadPresence {
  readonly #ints: Int32Array;
  readonly #at: number;
  readonly #since = performance.now();
  readonly #beginningMsMax: number;

  /**
   * @param ints memory that both threads see
   * @param at which of them is for this, 0 at first
   * @param beginningMsMax so long it may take to begin, in milliseconds
   */
  constructor(ints: Int32Array, at: number, beginningMsMax = BEGINNING_MS_MAX) {
    this.#ints = ints;
    this.#at = at;
    this.#beginningMsMax = beginningMsMax;
  }

  /** Called by the thread itself, before it does anything with what is lent to it. */
  announce(): void {
    Atomics.store(this.#ints, this.#at, ownNumber());
  }

  /** Before this nothing may be lent to it: a thread that cannot be started is never gone. */
  get hasBegun(): boolean {
    return Atomics.load(this.#ints, this.#at) !== NOT_BEGUN;
  }

  /**
   * Waits for the thread to change a number, however long that takes.
   *
   * @param isStopped asked now and then whether to wait no more
   * @returns whether it has; false when it is gone, and so will never do
   */
  waitWhile(ints: Int32Array, at: number, value: number, isStopped = (): boolean => false): boolean {
    for (;;) {
      const outcome = Atomics.wait(ints, at, value, LOOK_MS);
      const isGone = outcome === 'timed-out' && (this.#isGone || this.#cannotBegin);
      // That it changes the number may have been the last that it did. And that it wakes this thread may be for the change
      // before, which was seen before this wait began.
      if (Atomics.load(ints, at) !== value) return true;
      if (isGone || isStopped()) return false;
    }
  }

  /** Perhaps its module cannot be loaded. Nothing is lent to it yet, so that it may be given up. */
  get #cannotBegin(): boolean {
    return !this.hasBegun && performance.now() - this.#since > this.#beginningMsMax;
  }

  /** Certainly: where it cannot be seen, it counts as there. */
  get #isGone(): boolean {
    const number = Atomics.load(this.#ints, this.#at);
    return number > 0 && isMissing(`${THREADS}/${number}`) && !isMissing(THREADS);
  }
}

function isMissing(path: string): boolean {
  try {
    accessSync(path);
    return false;
  } catch (error) {
    return systemCodeOf(error) === 'ENOENT';
  }
}

/** The system's number of this thread. */
function ownNumber(): number {
  try {
    const found = /\/task\/(\d+)$/.exec(readlinkSync('/proc/thread-self'));
    return found?.[1] === undefined ? UNKNOWN : Number(found[1]);
  } catch {
    return UNKNOWN;
  }
}
