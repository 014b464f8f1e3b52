/** Bytes that may be read again beside as many as the archive has. */
const REREAD_BYTES = 256 * 1024 * 1024;

/** What may be read of an archive more than once: a hostile one must not have us go back for ever. */
export class RereadBudget {
  readonly #archiveBytes: () => number;
  #spent = 0;

  /** @param archiveBytes how much of the archive has come */
  constructor(archiveBytes: () => number) {
    this.#archiveBytes = archiveBytes;
  }

  get isExceeded(): boolean {
    return this.#spent > REREAD_BYTES + this.#archiveBytes();
  }

  /** How many of `bytes` may be read again. */
  most(bytes: number): number {
    return Math.max(0, Math.min(bytes, REREAD_BYTES + this.#archiveBytes() - this.#spent));
  }

  spend(bytes: number): void {
    this.#spent += bytes;
  }
}
