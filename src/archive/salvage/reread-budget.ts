/** Bytes that may be read again beside as many as the archive has. */
const REREAD_BYTES = 256 * 1024 * 1024;

/** Headers that may be guessed, beside one for so many bytes of the archive: each has some hundred readings. */
const GUESSES = 4096;
const BYTES_A_GUESS = 256 * 1024;

/** What may be read of an archive more than once: a hostile one must not have us go back for ever. */
export class RereadBudget {
  readonly #archiveBytes: () => number;
  #spent = 0;
  #guesses = 0;

  /** @param archiveBytes how much of the archive has come */
  constructor(archiveBytes: () => number) {
    this.#archiveBytes = archiveBytes;
  }

  get isExceeded(): boolean {
    return this.#spent > REREAD_BYTES + this.#archiveBytes();
  }

  /** Whether so many bytes may be read again. */
  has(bytes: number): boolean {
    return this.most(bytes) === bytes;
  }

  /** How many of `bytes` may be read again. */
  most(bytes: number): number {
    return Math.max(0, Math.min(bytes, REREAD_BYTES + this.#archiveBytes() - this.#spent));
  }

  spend(bytes: number): void {
    this.#spent += bytes;
  }

  /** @returns whether there may be one guess more */
  takeGuess(): boolean {
    if (this.#guesses >= GUESSES + this.#archiveBytes() / BYTES_A_GUESS) return false;
    this.#guesses += 1;
    return true;
  }
}
