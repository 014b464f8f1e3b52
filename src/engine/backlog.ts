import type { DecodeBudget } from '../codec/decode-budget.js';

/** What may wait to be written before decoding stops, in bytes. */
const UNWRITTEN_BYTES_MAX = 16 * 1024 * 1024;

/** What was decoded and is not written yet: when it is much, decoding waits. */
export class Backlog {
  readonly #budget: DecodeBudget;
  #bytes = 0;
  #isFull = false;
  #full = signalled();
  #written = signalled();

  constructor(budget: DecodeBudget) {
    this.#budget = budget;
  }

  /** Resolves when it is time to write. */
  get full(): Promise<void> {
    return this.#full.promise;
  }

  /** What to wait for before more is decoded; undefined when there is no need to. */
  get catchingUp(): Promise<void> | undefined {
    return this.#isFull ? this.#written.promise : undefined;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#isFull || this.#bytes < UNWRITTEN_BYTES_MAX) return;
    this.#isFull = true;
    this.#budget.hold();
    this.#full.resolve();
  }

  /** All of it is written, and decoding goes on. */
  isWritten(): void {
    if (!this.#isFull) return;
    this.#bytes = 0;
    this.#isFull = false;
    this.#full = signalled();
    const written = this.#written;
    this.#written = signalled();
    this.#budget.resume();
    written.resolve();
  }
}

interface Signalled {
  promise: Promise<void>;
  resolve: () => void;
}

function signalled(): Signalled {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
