/** How far back the rate looks: long enough to be steady, short enough to show a pipe that has stalled. */
const WINDOW_SECONDS = 6;

interface Sample {
  seconds: number;
  bytes: number;
}

/** How fast a growing number of bytes grows just now. */
export class RateMeter {
  readonly #samples: Sample[] = [];

  /** @param seconds a clock that only goes forward; its zero does not matter */
  add(seconds: number, bytes: number): void {
    this.#samples.push({ seconds, bytes });
    this.#forget(seconds);
  }

  /** Bytes a second over the last seconds; 0 before there is anything to go by. */
  rate(seconds: number): number {
    this.#forget(seconds);
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || seconds <= first.seconds) return 0;
    return (last.bytes - first.bytes) / (seconds - first.seconds);
  }

  #forget(seconds: number): void {
    // The newest sample before the window is where the window starts from.
    while (this.#samples.length > 1 && this.#samples[1]!.seconds <= seconds - WINDOW_SECONDS) this.#samples.shift();
  }
}
