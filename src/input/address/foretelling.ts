/** The least distance between the headers of large chunks, in bytes. */
const STRIDE_BYTES_MIN = 64 * 1024;
/** Paths have different lengths, and so have headers. */
const STRIDE_TOLERANCE_BYTES = 3 * 1024;
/** The most headers that are foretold. */
const HEADERS_MAX = 80;
/** A new stride counts for so much of the average. */
const STRIDE_WEIGHT = 1 / 8;

/**
 * Foretells where the next headers of chunks stand, for a reader that hops from one to the next: writers make chunks of one size. Where
 * it is right it looks further ahead, where it is wrong less far.
 */
export class Foretelling {
  #lastAt = 0;
  /** Bytes from one header to the next, on average; 0 as long as there is no rule. */
  #stride = 0;
  /** One that did not fit: a file has ended, or the rule is another now. */
  #oddStride = 0;
  /** How many headers to look ahead. */
  #count = 1;
  /** The furthest place that was foretold. */
  #furthest = 0;

  /**
   * Somebody hops to a place.
   *
   * @param isKnown it was foretold
   * @returns where headers are likely to stand that were not foretold yet
   */
  hop(at: number, isKnown: boolean): number[] {
    this.#learn(at - this.#lastAt);
    this.#lastAt = at;
    this.#count = isKnown ? Math.min(HEADERS_MAX, this.#count * 2) : Math.max(1, Math.ceil(this.#count / 2));
    const stride = Math.round(this.#stride);
    if (stride === 0) return [];
    // From here, so that what one header is off does not add up; where it went wrong, all anew.
    const known = isKnown ? Math.max(0, Math.round((this.#furthest - at) / stride)) : 0;
    const places: number[] = [];
    for (let ahead = known + 1; ahead <= this.#count; ahead += 1) places.push(at + ahead * stride);
    this.#furthest = places.at(-1) ?? at + known * stride;
    return places;
  }

  #learn(stride: number): void {
    const isLike = (other: number): boolean => Math.abs(stride - other) <= STRIDE_TOLERANCE_BYTES;
    if (stride < STRIDE_BYTES_MIN) return;
    if (this.#stride > 0 && isLike(this.#stride)) this.#stride += (stride - this.#stride) * STRIDE_WEIGHT;
    else if (this.#stride === 0 || isLike(this.#oddStride)) this.#stride = stride;
    this.#oddStride = stride;
  }
}
