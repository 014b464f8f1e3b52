/**
 * The first index for which something holds, where from there on it holds for all of them.
 *
 * @param count of the indexes, from 0
 * @returns `count` where it holds for none
 */
export function firstIndex(count: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
