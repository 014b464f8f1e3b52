/** Which bytes of a file have come, as separate ranges in rising order. */
import { XbstreamError } from '../errors.js';
import { firstIndex } from '../format/first-index.js';

/** Most separate ranges that the open files of one archive may consist of at a time (format.md, section 1). */
export const MAX_RANGES = 65_536;

/** How many ranges all open files of an archive have at the moment. */
export class RangeBudget {
  #used = 0;

  take(): void {
    this.#used += 1;
    if (this.#used > MAX_RANGES) {
      throw new XbstreamError(
        'XB_BAD_HEADER',
        `the archive's open files are in more than ${MAX_RANGES} separate pieces`,
      );
    }
  }

  giveBack(ranges: number): void {
    this.#used -= ranges;
  }
}

export class Coverage {
  /** File position after the last chunk, wherever it lay; kept by the code that adds them. */
  positionBytes = 0;
  readonly #budget: RangeBudget;
  /** Start and end (exclusive) of each range, in turn; undefined as long as there is none. */
  #bounds: number[] | undefined;

  constructor(budget: RangeBudget) {
    this.#budget = budget;
  }

  /**
   * Adds the bytes from `start` up to `end`.
   *
   * @returns the first byte that was there already (nothing is added then), or `undefined` when all was well
   * @throws XbstreamError `XB_BAD_HEADER` when the archive's open files consist of too many ranges
   */
  add(start: number, end: number): number | undefined {
    if (start === end) return undefined;
    if (this.#bounds === undefined) {
      this.#budget.take();
      this.#bounds = [start, end];
      return undefined;
    }
    const bounds = this.#bounds;
    const last = bounds.length - 1;
    // Nearly every chunk goes on where the one before it ended.
    if (bounds[last] === start) {
      bounds[last] = end;
      return undefined;
    }
    if (bounds[last]! < start) {
      this.#budget.take();
      bounds.push(start, end);
      return undefined;
    }
    return this.#insert(bounds, start, end);
  }

  #insert(bounds: number[], start: number, end: number): number | undefined {
    // The first range that ends after `start`.
    const next = firstIndex(bounds.length / 2, (range) => bounds[range * 2 + 1]! > start) * 2;
    const nextStart = bounds[next] ?? Infinity;
    if (nextStart < end) return Math.max(nextStart, start);
    const joinsPrevious = next > 0 && bounds[next - 1] === start;
    const joinsNext = nextStart === end;
    if (joinsPrevious && joinsNext) {
      bounds.splice(next - 1, 2);
      this.#budget.giveBack(1);
    } else if (joinsPrevious) {
      bounds[next - 1] = end;
    } else if (joinsNext) {
      bounds[next] = start;
    } else {
      this.#budget.take();
      bounds.splice(next, 0, start, end);
    }
    return undefined;
  }

  /** The first `most` ranges that are missing before the last byte, start and end (exclusive). */
  gaps(most: number): (readonly [number, number])[] {
    const bounds = this.#bounds ?? [];
    const gaps: (readonly [number, number])[] = [];
    for (let at = 0; at < bounds.length && gaps.length < most; at += 2) {
      const before = at === 0 ? 0 : bounds[at - 1]!;
      if (bounds[at]! > before) gaps.push([before, bounds[at]!]);
    }
    return gaps;
  }

  /** Forgets everything; the budget gets back what it lent. */
  release(): void {
    if (this.#bounds !== undefined) this.#budget.giveBack(this.#bounds.length / 2);
    this.#bounds = undefined;
  }
}
