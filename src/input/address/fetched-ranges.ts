/** The ranges of an archive that were fetched, or are on their way, and the memory that they take. */
import { HEAD_BYTES } from './fetch-protocol.js';
import { clearRoom, RangeMemory, roomFor, roomOf } from './range-memory.js';

/** Memory of ranges of so many bytes and more is used again. */
const REUSED_BYTES_MIN = HEAD_BYTES;
/** More than this is not kept for that. */
const SPARES_MAX = 12;

/** A range that is there, or on its way. */
export interface Range {
  readonly id: number;
  readonly start: number;
  readonly end: number;
  readonly memory: RangeMemory;
  /** Somebody has said that he will read it, and has not yet. */
  isExpected: boolean;
}

/** How many bytes of a range have come. */
export function comeBytes({ memory, start, end }: Range): number {
  return Math.min(memory.come, end - start);
}

export function isWhole(range: Range): boolean {
  return comeBytes(range) === range.end - range.start;
}

export class FetchedRanges {
  #ranges: Range[] = [];
  #spare: SharedArrayBuffer[] = [];

  /** In the order in which they were asked for. */
  get all(): readonly Range[] {
    return this.#ranges;
  }

  /** A new one, whose bytes are to come. @param memory where, if that is there already */
  add(range: Omit<Range, 'memory'>, memory?: RangeMemory): Range {
    const added = { ...range, memory: memory ?? new RangeMemory(this.#memory(range.end - range.start)) };
    this.#ranges.push(added);
    return added;
  }

  /** What a position lies in: rather what has come than what is on its way. */
  at(position: number): Range | undefined {
    let coming: Range | undefined;
    for (const range of this.#ranges) {
      if (position < range.start || position >= range.end) continue;
      if (position < range.start + range.memory.come) return range;
      coming ??= range;
    }
    return coming;
  }

  /** Lets go of ranges; what is on its way there goes on into memory that nobody looks at. */
  remove(isUnwanted: (range: Range, place: number) => boolean): Range[] {
    const removed: Range[] = [];
    this.#ranges = this.#ranges.filter((range, place) => {
      if (!isUnwanted(range, place)) return true;
      removed.push(range);
      return false;
    });
    for (const range of removed) {
      const isReusable = isWhole(range) && roomOf(range.memory.shared) >= REUSED_BYTES_MIN;
      if (isReusable && this.#spare.length < SPARES_MAX) this.#spare.push(range.memory.shared);
    }
    return removed;
  }

  #memory(bytes: number): SharedArrayBuffer {
    if (bytes < REUSED_BYTES_MIN) return roomFor(bytes);
    const room = 2 ** Math.ceil(Math.log2(bytes));
    // What was read last is still in the CPU's caches.
    const at = this.#spare.findLastIndex((spare) => roomOf(spare) >= room);
    if (at === -1) {
      // Sizes grow: what is too small for now is of no use later.
      this.#spare = this.#spare.filter((spare) => roomOf(spare) >= room);
      return roomFor(room);
    }
    const [spare] = this.#spare.splice(at, 1);
    clearRoom(spare!);
    return spare!;
  }
}
