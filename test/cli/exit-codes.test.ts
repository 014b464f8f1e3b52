import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitCodeFor } from '../../dist/cli/exit-codes.js';
import type { XbstreamErrorCode } from '../../dist/errors.js';

const DOCUMENTED: Readonly<Record<number, readonly XbstreamErrorCode[]>> = {
  1: ['XB_TARGET_EXISTS', 'XB_NO_MATCH', 'XB_BAD_INDEX', 'XB_IO'],
  2: ['XB_USAGE'],
  3: [
    'XB_BAD_MAGIC',
    'XB_BAD_HEADER',
    'XB_UNKNOWN_CHUNK',
    'XB_PATH_TOO_LONG',
    'XB_UNSAFE_PATH',
    'XB_BAD_CRC',
    'XB_BAD_SPARSE_MAP',
    'XB_OVERLAP',
    'XB_DUPLICATE_PATH',
    'XB_BAD_LAYER',
  ],
  4: ['XB_TRUNCATED', 'XB_MISSING_EOF', 'XB_GAP', 'XB_EMPTY_ARCHIVE', 'XB_UNFINISHED_BACKUP', 'XB_LAYER_TRUNCATED'],
  5: ['XB_KEY_REQUIRED', 'XB_WRONG_KEY', 'XB_BAD_KEY', 'XB_UNSUPPORTED_LAYER', 'XB_UNSUPPORTED_ORDER'],
};

for (const [exitCode, codes] of Object.entries(DOCUMENTED)) {
  for (const code of codes) {
    test(`${code} exits with ${exitCode}`, () => {
      assert.equal(exitCodeFor([code]), Number(exitCode));
    });
  }
}

test('nothing wrong exits with 0', () => {
  assert.equal(exitCodeFor([]), 0);
});

test('of several problems 1 comes before 3 before 5 before 4', () => {
  const all: XbstreamErrorCode[] = ['XB_GAP', 'XB_WRONG_KEY', 'XB_BAD_CRC', 'XB_IO'];
  assert.equal(exitCodeFor(all), 1);
  assert.equal(exitCodeFor(all.slice(0, 3)), 3);
  assert.equal(exitCodeFor(all.slice(0, 2)), 5);
  assert.equal(exitCodeFor(all.slice(0, 1)), 4);
});
