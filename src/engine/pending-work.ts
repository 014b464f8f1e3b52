/** Work that goes on while the archive is read, and that something later has to wait for. */
export class PendingWork {
  readonly #promises = new Set<Promise<void>>();
  #failure: { error: unknown } | undefined;

  get count(): number {
    return this.#promises.size;
  }

  add(work: Promise<void>): void {
    const settled: Promise<void> = work
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#promises.delete(settled));
    this.#promises.add(settled);
  }

  /** Waits until no more than `most` pieces of work are under way. @throws what one of them threw */
  async until(most: number): Promise<void> {
    while (this.#promises.size > most && this.#failure === undefined) await Promise.race(this.#promises);
    this.throwFailure();
  }

  /** @throws what a piece of work threw, once */
  throwFailure(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
  }
}
