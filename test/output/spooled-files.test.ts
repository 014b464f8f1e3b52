import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test, type TestContext } from 'node:test';
import { rawPath } from '../../dist/format/stored-path.js';
import { Spool } from '../../dist/output/spool/spool.js';
import { WAITING_PARTS_MAX, SpooledFile, type SpooledPlace } from '../../dist/output/spool/spooled-files.js';

function placeOn(context: TestContext, partsLeft: number): SpooledPlace {
  const spool = new Spool(tmpdir());
  context.after(() => spool.close());
  return { spool, memoryBytes: 64 * 1024, partsLeft };
}

function contentOf(file: SpooledFile): { bytes: string; fileOffset: number }[] {
  return Array.from(file.content(), ({ bytes, fileOffset }) => ({ bytes: bytes.toString('latin1'), fileOffset }));
}

test('parts come back in order, with small holes as zeros', (context) => {
  const place = placeOn(context, WAITING_PARTS_MAX);
  const file = new SpooledFile(rawPath('a'), place);
  for (const [fileOffset, bytes] of [
    [10_000, 'far'],
    [0, 'he'],
    [4, 'o'],
    [2, 'l'],
  ] as const) {
    file.write(Buffer.from(bytes), fileOffset);
  }
  assert.deepEqual(contentOf(file), [
    { bytes: 'hel\0o', fileOffset: 0 },
    { bytes: 'far', fileOffset: 10_000 },
  ]);
  file.drop();
  assert.equal(place.partsLeft, WAITING_PARTS_MAX);
});

test('what has waited in memory and on the disk comes back', (context) => {
  const place = placeOn(context, WAITING_PARTS_MAX);
  const { memoryLeft } = place.spool!;
  const file = new SpooledFile(rawPath('a'), place);
  const expected = Buffer.from(Array.from({ length: 700_000 }, (_, index) => (index * 7) % 251));
  const sizes = [1, 3, 60_000, 10_000, 200_000, 5, 429_991];
  for (let at = 0, index = 0; at < expected.length; at += sizes[index]!, index += 1) {
    file.write(expected.subarray(at, at + sizes[index]!), at);
  }
  const found = Array.from(file.content(), ({ bytes }) => Buffer.from(bytes));
  assert.ok(Buffer.concat(found).equals(expected));
  assert.equal(place.spool!.memoryLeft, memoryLeft);
});

test('with no part left, holes become zeros, and one of petabytes is refused', (context) => {
  const file = new SpooledFile(rawPath('a'), placeOn(context, 0));
  file.write(Buffer.from('a'), 0);
  file.write(Buffer.from('b'), 5000);
  assert.deepEqual(contentOf(file), [{ bytes: `a${'\0'.repeat(4999)}b`, fileOffset: 0 }]);
  assert.throws(() => file.write(Buffer.from('c'), 2 ** 50), { code: 'XB_UNSUPPORTED_ORDER' });
  assert.throws(() => file.write(Buffer.from('c'), 3), { code: 'XB_UNSUPPORTED_ORDER' });
});

test('where only the size is wanted, a hole of petabytes costs nothing', () => {
  const file = new SpooledFile(rawPath('a'), { spool: undefined, memoryBytes: 0, partsLeft: 0 });
  file.write(Buffer.from('a'), 0);
  file.write(Buffer.from('b'), 2 ** 50);
  file.finish(2 ** 50 + 1, () => undefined);
  assert.deepEqual(file.extents, [0, 2 ** 50 + 1]);
});
