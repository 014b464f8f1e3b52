/**
 * How many jobs may be under way at a time, and how many bytes they may bind (what goes in and the most that comes
 * out). One budget can serve the chains of many files.
 */
export class DecodeBudget {
  #jobs = 0;
  #bytes = 0;
  #isHeld = false;
  readonly #waiting = new Set<() => void>();

  constructor(
    readonly jobsMax: number,
    readonly bytesMax: number,
  ) {}

  /** A job larger than the whole budget is granted when there is no other. */
  take(bytes: number): boolean {
    if (this.#isHeld) return false;
    if (this.#jobs > 0 && (this.#jobs >= this.jobsMax || this.#bytes + bytes > this.bytesMax)) return false;
    this.#jobs++;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#jobs--;
    this.#bytes -= bytes;
    this.#retry();
  }

  /** No job begins any more, until {@link resume}: who takes what comes out has to catch up. */
  hold(): void {
    this.#isHeld = true;
  }

  resume(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#retry();
  }

  #retry(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const retry of waiting) retry();
  }

  get isUsedUp(): boolean {
    return this.#bytes >= this.bytesMax;
  }

  /** Calls `retry` once, when something has been given back. */
  whenGiven(retry: () => void): void {
    this.#waiting.add(retry);
  }
}
