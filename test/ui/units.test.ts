import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../helpers/fast-check.js';
import { formatBytes, formatClock, formatCount, formatRate, formatSeconds } from '../../dist/ui/units.js';

const MIB = 1024 ** 2;

for (const [bytes, shown] of [
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 KiB'],
  [1536, '1.5 KiB'],
  [98304, '96.0 KiB'],
  [100 * 1024, '100 KiB'],
  [999.4 * 1024, '999 KiB'],
  [999.6 * 1024, '1.0 MiB'],
  [117.7 * MIB, '118 MiB'],
  [2048 * MIB, '2.0 GiB'],
  [3 * 1024 * 1024 * MIB, '3.0 TiB'],
  [Number.MAX_SAFE_INTEGER, '8.0 PiB'],
] as const) {
  test(`${bytes} bytes are ${shown}`, () => {
    assert.equal(formatBytes(bytes), shown);
  });
}

test('no amount of bytes takes more than eight characters', () => {
  fc.assert(fc.property(fc.maxSafeNat(), (bytes) => assert.ok(formatBytes(bytes).length <= 8, formatBytes(bytes))));
});

test('a rate', () => {
  assert.equal(formatRate(310.4 * MIB), '310 MiB/s');
});

for (const [seconds, shown] of [
  [0, '0.00 s'],
  [0.423, '0.42 s'],
  [0.999, '1.0 s'],
  [7.34, '7.3 s'],
  [9.96, '10 s'],
  [59.4, '59 s'],
  [59.6, '1 min 00 s'],
  [185, '3 min 05 s'],
  [3600 * 2 + 60 * 4 + 59, '2 h 04 min'],
] as const) {
  test(`${seconds} seconds took ${shown}`, () => {
    assert.equal(formatSeconds(seconds), shown);
  });
}

for (const [seconds, shown] of [
  [-1, '0:00'],
  [7, '0:07'],
  [725, '12:05'],
  [3723, '1:02:03'],
] as const) {
  test(`${seconds} seconds on the clock are ${shown}`, () => {
    assert.equal(formatClock(seconds), shown);
  });
}

test('a count', () => {
  assert.deepEqual(
    [0, 1, 50_000].map((count) => formatCount(count, 'file')),
    ['0 files', '1 file', '50,000 files'],
  );
});
