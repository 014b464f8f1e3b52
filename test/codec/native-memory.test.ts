import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freeNativeMemory } from '../../dist/codec/native-memory.js';

test('memory that a buffer has alone is gone at once', () => {
  for (let i = 0; i < 3; i++) {
    const bytes = Buffer.allocUnsafeSlow(1 << 20);
    freeNativeMemory(bytes);
    assert.equal(bytes.length, 0);
  }
});

test('memory that others share stays', () => {
  const whole = Buffer.alloc(100, 1);
  const bytes = whole.subarray(10, 20);
  freeNativeMemory(bytes);
  freeNativeMemory(Buffer.from(new SharedArrayBuffer(8)));
  assert.equal(bytes.length, 10);
  assert.equal(whole.length, 100);
});
