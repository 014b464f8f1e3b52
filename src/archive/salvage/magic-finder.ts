import { CHUNK_MAGIC } from '../../format/chunk.js';

const MAGIC = Buffer.from(CHUNK_MAGIC, 'latin1');
const NOTHING = Buffer.alloc(0);

/** Looks for the magic of a chunk in bytes that come in pieces. */
export class MagicFinder {
  /** The last bytes searched, fewer than a magic has. */
  #tail = NOTHING;

  /**
   * Searches the bytes that follow those of the last call. When a magic was found, the search begins anew.
   *
   * @returns where the magic begins in `bytes`, negative where it began before them; undefined when there is none yet
   */
  find(bytes: Buffer): number | undefined {
    const seam = Buffer.concat([this.#tail, bytes.subarray(0, MAGIC.length - 1)]);
    const inSeam = seam.indexOf(MAGIC);
    const at = inSeam === -1 ? bytes.indexOf(MAGIC) : inSeam - this.#tail.length;
    if (inSeam === -1 && at === -1) {
      this.#tail = Buffer.concat([this.#tail, bytes.subarray(1 - MAGIC.length)]).subarray(1 - MAGIC.length);
      return undefined;
    }
    this.#tail = NOTHING;
    return at;
  }
}
