/** Sparse files in GNU tar's older form, which it still writes unless told otherwise (GNU tar manual, "Old GNU Format"). */
import { numberField } from './about.js';
import { SparseBounds } from './sparse.js';

const MAGIC = 'ustar  \0';
/** A part's start and length, 12 bytes each. */
const PAIR_BYTES = 24;
const FIELD_BYTES = 12;

/** Whether a header is that of such a file: `S` alone may be another program's, which has other things at these places. */
export function isOldSparse(header: Buffer): boolean {
  // typeflag (offset 156, length 1), magic and version (offset 257, length 8)
  return header[156] === 'S'.charCodeAt(0) && header.toString('latin1', 257, 265) === MAGIC;
}

/** Where its parts lie, by its header and the blocks behind that. */
export class OldSparseMap {
  readonly sizeBytes: number;
  readonly map: SparseBounds;
  /** More of it stands in the next block. */
  goesOn: boolean;
  /** Something in it cannot be. */
  isBad = false;
  /** A pair without a length ends it. */
  #isOver = false;

  constructor(header: Buffer) {
    const sizeBytes = numberField(header, 483, FIELD_BYTES); // realsize (offset 483, length 12)
    this.sizeBytes = sizeBytes ?? 0;
    this.isBad = sizeBytes === undefined;
    this.map = new SparseBounds(this.sizeBytes);
    this.#take(header, 386, 4); // sparse map (offset 386, 4 pairs)
    this.goesOn = header[482] !== 0; // isextended (offset 482, length 1)
  }

  /** The next block of the map. */
  push(block: Buffer): void {
    this.#take(block, 0, 21); // sparse map (offset 0, 21 pairs)
    this.goesOn = block[504] !== 0; // isextended (offset 504, length 1)
  }

  #take(block: Buffer, at: number, pairs: number): void {
    // What has ended does not go on.
    if (this.#isOver) this.isBad = true;
    for (let pair = at; pair < at + pairs * PAIR_BYTES && !this.isBad && !this.#isOver; pair += PAIR_BYTES) {
      this.#isOver = block[pair + FIELD_BYTES] === 0;
      if (!this.#isOver) this.isBad = !this.#takeField(block, pair) || !this.#takeField(block, pair + FIELD_BYTES);
    }
  }

  #takeField(block: Buffer, at: number): boolean {
    const value = numberField(block, at, FIELD_BYTES);
    return value !== undefined && this.map.take(value);
  }
}
