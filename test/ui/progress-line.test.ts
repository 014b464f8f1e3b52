import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../helpers/fast-check.js';
import { progressLine, type ProgressState } from '../../dist/ui/progress-line.js';
import { RateMeter } from '../../dist/ui/rate-meter.js';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

const HALF: ProgressState = { bytes: 1.5 * GIB, totalBytes: 3 * GIB, bytesPerSecond: 300 * MIB, elapsedSeconds: 5 };
const UNKNOWN: ProgressState = { bytes: 1.5 * GIB, bytesPerSecond: 300 * MIB, elapsedSeconds: 65 };

for (const [width, line] of [
  [79, ' 50%  [============            ]  1.5 GiB of 3.0 GiB  300 MiB/s  ETA 0:05'],
  [60, ' 50%  [=====      ]  1.5 GiB of 3.0 GiB  300 MiB/s  ETA 0:05'],
  [50, ' 50%  1.5 GiB of 3.0 GiB  300 MiB/s  ETA 0:05'],
  [40, ' 50%  [=====      ]  300 MiB/s  ETA 0:05'],
  [26, ' 50%  300 MiB/s  ETA 0:05'],
  [20, ' 50%  ETA 0:05'],
  [6, ' 50%'],
  [2, ' 5'],
  [0, ''],
] as const) {
  test(`in ${width} columns, half of it done: "${line}"`, () => {
    assert.equal(progressLine(HALF, width), line);
  });
}

for (const [width, line] of [
  [79, '1.5 GiB read  300 MiB/s  1:05 elapsed'],
  [30, '1.5 GiB read  300 MiB/s'],
  [15, '1.5 GiB read'],
  [5, '1.5 G'],
] as const) {
  test(`in ${width} columns, the total unknown: "${line}"`, () => {
    assert.equal(progressLine(UNKNOWN, width), line);
  });
}

const BUSY: ProgressState = { ...HALF, files: 1234, path: 'shop/orders_of_the_last_year.ibd' };

for (const [width, line] of [
  [
    119,
    ' 50%  [============            ]  1.5 GiB of 3.0 GiB  300 MiB/s  ETA 0:05  1,234 files  .../orders_of_the_last_year.ibd',
  ],
  [79, ' 50%  1.5 GiB of 3.0 GiB  300 MiB/s  ETA 0:05  1,234 files  ...he_last_year.ibd'],
  [70, ' 50%  1.5 GiB of 3.0 GiB  300 MiB/s  ETA 0:05  1,234 files'],
  [50, ' 50%  1.5 GiB of 3.0 GiB  300 MiB/s  ETA 0:05'],
] as const) {
  test(`in ${width} columns, with the files that are done, and the one at work on: "${line}"`, () => {
    assert.equal(progressLine(BUSY, width), line);
  });
}

test('the bar does not come and go with the lengths of names', () => {
  const bar = (path: string): string | undefined => /\[.*\]/.exec(progressLine({ ...BUSY, path }, 99))?.[0];
  assert.equal(bar('a'), bar(BUSY.path!));
});

test('a name that an archive made up does nothing to a terminal, and is not wider than its place', () => {
  const path = Buffer.from(`\x1b[2J${'表'.repeat(100)}`).toString('latin1');
  const line = progressLine({ ...UNKNOWN, files: 1, path }, 79);
  assert.match(line, /^1\.5 GiB read {2}300 MiB\/s {2}1:05 elapsed {2}1 file {2}\.\.\.表+$/);
  const columns = Array.from(line).reduce((sum, character) => sum + (character === '表' ? 2 : 1), 0);
  assert.ok(columns <= 79, `${columns}`);
  assert.ok(!progressLine({ ...UNKNOWN, files: 1, path: '\x1b[2J' }, 79).includes('\x1b'));
});

test('before the first byte of a pipe has come', () => {
  assert.equal(progressLine({ bytes: 0, bytesPerSecond: 0, elapsedSeconds: 2 }, 79), 'waiting for the archive');
});

test('a stalled pipe has no time left to tell', () => {
  assert.equal(
    progressLine({ ...HALF, bytesPerSecond: 0 }, 79),
    ' 50%  [============            ]  1.5 GiB of 3.0 GiB  0 B/s  ETA -:--',
  );
});

test('100% is shown when nothing is left, not before', () => {
  assert.match(progressLine({ ...HALF, bytes: 3 * GIB - 1 }, 79), /^ 99%/);
  assert.equal(
    progressLine({ ...HALF, bytes: 3 * GIB }, 79),
    '100%  [========================]  3.0 GiB of 3.0 GiB  300 MiB/s  ETA 0:00',
  );
});

test('a line is never wider than it may be', () => {
  const bytes = fc.maxSafeNat();
  fc.assert(
    fc.property(
      fc.record({
        bytes,
        totalBytes: fc.option(bytes, { nil: undefined }),
        bytesPerSecond: bytes,
        elapsedSeconds: fc.nat(),
        files: fc.option(fc.nat(), { nil: undefined }),
        path: fc.option(fc.string(), { nil: undefined }),
      }),
      fc.nat(120),
      (state, width) => {
        const line = progressLine(state, width);
        assert.ok(line.length <= width, line);
        assert.doesNotMatch(line, /NaN|Infinity|undefined/);
      },
    ),
  );
});

test('the rate is that of the last seconds, and falls to nothing when nothing comes', () => {
  const meter = new RateMeter();
  assert.equal(meter.rate(100), 0);
  meter.add(100, 0);
  assert.equal(meter.rate(100), 0);
  meter.add(101, 10);
  assert.equal(meter.rate(101), 10);
  for (let second = 102; second <= 120; second += 1) meter.add(second, 10 + (second - 101) * 50);
  assert.equal(meter.rate(120), 50);
  assert.equal(meter.rate(123), 25);
  assert.equal(meter.rate(140), 0);
});
