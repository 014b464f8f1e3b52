import type { Hash } from 'node:crypto';

/** Digests of the raw input, worked out as its pieces come: where it is wrapped as a whole, of that, as it was stored. */
export class ArchiveDigests {
  readonly #hashes: ReadonlyMap<string, Hash>;
  #hashedBytes = 0;
  /** What is in the archive is none of what the input is made of. */
  #isWrapped = false;

  /** @param names as `node:crypto` knows them */
  constructor(names: readonly string[]) {
    this.#hashes = new Map(names.map((name) => [name, process.getBuiltinModule('node:crypto').createHash(name)]));
  }

  /** Whether any was asked for: then no byte of the archive may be passed over. */
  get areWanted(): boolean {
    return this.#hashes.size > 0;
  }

  /** @param archiveOffset where the piece lies; what comes again, after damage, is in the digests already */
  update(piece: Buffer, archiveOffset: number): void {
    if (this.#isWrapped) return;
    const fresh = piece.subarray(Math.max(0, this.#hashedBytes - archiveOffset));
    for (const hash of this.#hashes.values()) hash.update(fresh);
    this.#hashedBytes = Math.max(this.#hashedBytes, archiveOffset + piece.length);
  }

  /** @param piece what the archive is wrapped in, before anything of what is inside */
  updateWrapped(piece: Buffer): void {
    this.#isWrapped = true;
    for (const hash of this.#hashes.values()) hash.update(piece);
  }

  /** In hex, by name. Good once, after the end. */
  finish(): Record<string, string> {
    return Object.fromEntries([...this.#hashes].map(([name, hash]) => [name, hash.digest('hex')]));
  }
}
