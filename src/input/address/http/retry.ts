/** When to ask a server again, and when no more. */
import { setTimeout as sleep } from 'node:timers/promises';

/** How often in a row a range is requested again of which no bytes, or few, come. */
const FAILURES_MAX = 8;
/** And where a server says nothing at all: each time costs the whole wait. */
const STALLS_MAX = 3;
/** After so many bytes a server counts as well again. */
const WELL_BYTES = 256 * 1024;
/** Most that is waited before the first repetition, in milliseconds; twice as long before each that follows. */
const FIRST_WAIT_MS = 250;
const WAIT_MS_MAX = 20_000;
/** A server that asks for a longer pause gets this one. */
const ASKED_WAIT_MS_MAX = 60_000;

/** What may go better when it is tried again. */
export class Passing extends Error {
  /** Nothing has come for a while. */
  readonly isStall: boolean;
  /** The pause that the server has asked for, in milliseconds. */
  readonly pauseMs: number | undefined;

  /** @param message what has happened, as the end of a sentence: nothing secret */
  constructor(message: string, { isStall = false, pauseMs }: { isStall?: boolean; pauseMs?: number | undefined } = {}) {
    super(message);
    this.isStall = isStall;
    this.pauseMs = pauseMs;
  }
}

/** Counts what goes wrong with one range, and waits between its repetitions: longer each time, and each time for a random part. */
export class Repetitions {
  readonly #firstWaitMs: number;
  #failures = 0;
  #stalls = 0;
  #at: number;

  /**
   * @param at archive offset of the first byte that is wanted
   * @param firstWaitMs for tests
   */
  constructor(at: number, firstWaitMs = FIRST_WAIT_MS) {
    this.#at = at;
    this.#firstWaitMs = firstWaitMs;
  }

  /** How often it was tried. */
  get tries(): number {
    return this.#failures;
  }

  /**
   * Waits until it is to be tried again.
   *
   * @param at archive offset of the next byte that is wanted now
   * @returns false when it is not
   * @throws the signal's reason after it was aborted
   */
  async again(failure: Passing, at: number, signal: AbortSignal | undefined): Promise<boolean> {
    if (at - this.#at >= WELL_BYTES) this.#failures = this.#stalls = 0;
    this.#at = at;
    this.#failures += 1;
    this.#stalls = failure.isStall ? this.#stalls + 1 : 0;
    if (this.#failures >= FAILURES_MAX || this.#stalls >= STALLS_MAX) return false;
    const most = Math.min(WAIT_MS_MAX, this.#firstWaitMs * 2 ** (this.#failures - 1));
    const asked = Math.min(ASKED_WAIT_MS_MAX, failure.pauseMs ?? 0);
    await sleep(Math.max(asked, Math.random() * most), undefined, signal === undefined ? {} : { signal });
    return true;
  }
}

/** The pause that a `Retry-After` header asks for, in milliseconds. */
export function pauseOf(retryAfter: string | undefined): number | undefined {
  if (retryAfter === undefined) return undefined;
  const seconds = /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : (Date.parse(retryAfter) - Date.now()) / 1000;
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
}
