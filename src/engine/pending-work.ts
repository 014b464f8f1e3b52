/** Work that goes on while the archive is read, and that something later has to wait for. */
export class PendingWork {
  readonly #promises = new Set<Promise<void>>();
  readonly #failures: { error: unknown }[] = [];

  get count(): number {
    return this.#promises.size;
  }

  add(work: Promise<void>): void {
    const settled: Promise<void> = work
      .catch((error: unknown) => {
        this.#failures.push({ error });
      })
      .finally(() => this.#promises.delete(settled));
    this.#promises.add(settled);
  }

  /** Waits until no more than `most` pieces of work are under way. @throws what one of them threw */
  async until(most: number): Promise<void> {
    while (this.#promises.size > most && this.#failures.length === 0) await Promise.race(this.#promises);
    this.throwFailure();
  }

  /** @throws what a piece of work threw, once */
  throwFailure(): void {
    const failure = this.#failures.shift();
    if (failure !== undefined) throw failure.error;
  }
}
