/** Lets no more than so many pieces of work be under way at a time; the others wait, and come in their order. */
export class Turnstile {
  readonly #most: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  async pass<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running === this.#most) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    try {
      return await work();
    } finally {
      // Whoever comes next takes the place over, before what has come out here is dealt with.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
