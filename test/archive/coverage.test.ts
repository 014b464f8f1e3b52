import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../helpers/fast-check.js';
import { Coverage, MAX_RANGES, RangeBudget } from '../../dist/archive/coverage.js';

const SPACE = 60;
const range = fc
  .tuple(fc.nat({ max: SPACE }), fc.nat({ max: 12 }))
  .map(([start, length]) => [start, start + length] as const);

test('ranges in any order: what overlaps and what is missing', () => {
  fc.assert(
    fc.property(fc.array(range, { maxLength: 30 }), (ranges) => {
      const budget = new RangeBudget();
      const coverage = new Coverage(budget);
      const bytes = new Set<number>();
      for (const [start, end] of ranges) {
        let overlap: number | undefined;
        for (let at = end - 1; at >= start; at -= 1) if (bytes.has(at)) overlap = at;
        assert.equal(coverage.add(start, end), overlap);
        if (overlap === undefined) for (let at = start; at < end; at += 1) bytes.add(at);
      }
      const size = Math.max(0, ...[...bytes].map((at) => at + 1));
      const first = Array.from({ length: size }, (_, at) => at).find((at) => !bytes.has(at));
      const [gap] = coverage.gaps(1);
      assert.equal(gap?.[0], first);
      if (gap !== undefined) {
        for (let at = gap[0]; at < gap[1]; at += 1) assert.ok(!bytes.has(at));
        assert.ok(bytes.has(gap[1]));
      }
    }),
    { seed: 11, numRuns: 2000 },
  );
});

/** How many ranges it has lent. */
class CountedBudget extends RangeBudget {
  lent = 0;

  override take(): void {
    super.take();
    this.lent += 1;
  }

  override giveBack(ranges: number): void {
    super.giveBack(ranges);
    this.lent -= ranges;
  }
}

test('ranges that touch are one: no more are lent than stand apart, and each gap is told once', () => {
  fc.assert(
    fc.property(fc.array(range, { maxLength: 30 }), fc.nat({ max: 5 }), (ranges, most) => {
      const budget = new CountedBudget();
      const coverage = new Coverage(budget);
      const isThere = new Array<boolean>(SPACE + 13).fill(false);
      for (const [start, end] of ranges) if (coverage.add(start, end) === undefined) isThere.fill(true, start, end);
      const runs = Array.from(
        isThere
          .map((is) => (is ? 'x' : ' '))
          .join('')
          .matchAll(/x+/g),
        ({ 0: run, index }) => ({
          start: index,
          end: index + run.length,
        }),
      );
      assert.equal(budget.lent, runs.length);
      const gaps = runs.map(({ start }, at) => [runs[at - 1]?.end ?? 0, start]).filter(([from, to]) => from! < to!);
      assert.deepEqual(coverage.gaps(most), gaps.slice(0, most));
    }),
    { seed: 11, numRuns: 2000 },
  );
});

test('the budget gets back what was lent, to the last range', () => {
  fc.assert(
    fc.property(fc.array(range, { maxLength: 30 }), (ranges) => {
      const budget = new RangeBudget();
      const coverage = new Coverage(budget);
      for (const [start, end] of ranges) coverage.add(start, end);
      coverage.release();
      const all = new Coverage(budget);
      for (let index = 0; index < MAX_RANGES; index += 1) all.add(2 * index, 2 * index + 1);
      assert.throws(() => all.add(2 * MAX_RANGES, 2 * MAX_RANGES + 1), { code: 'XB_BAD_HEADER' });
    }),
    { seed: 11, numRuns: 30 },
  );
});
