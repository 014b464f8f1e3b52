import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkEveryFlippedBit, checkEveryTruncation, outcome } from '../helpers/damage.js';
import { decode } from '../helpers/decode.js';
import { qpressBlock, qpressFile, qpressHeader, QPRESS_TRAILER } from '../helpers/layer-writers.js';
import { encodeQuickLz, storeQuickLz, withHeader } from '../helpers/quicklz-encoder.js';

const CONTENT = Buffer.from('one two three, one two three, four '.repeat(6));
const FILE = qpressFile(CONTENT, 100);
const HEADER_BYTES = qpressHeader(100).length;

test('blocks of all kinds and sizes decode, in any piece size', () => {
  const content = Buffer.concat(Array.from({ length: 40 }, (_, i) => Buffer.alloc(i * 37, `${i} some text `)));
  const blocks = [
    encodeQuickLz(content),
    storeQuickLz(content.subarray(0, 5000)),
    storeQuickLz(Buffer.from('short'), true),
    encodeQuickLz(Buffer.from('x'), { filler: Buffer.from('rest') }),
    encodeQuickLz(Buffer.alloc(0)),
  ];
  const file = Buffer.concat([qpressHeader(1 << 20), ...blocks.map((block) => qpressBlock(block)), QPRESS_TRAILER]);
  const expected = Buffer.concat([content, content.subarray(0, 5000), Buffer.from('shortx')]);
  for (const pieceBytes of [undefined, 1, 13, 1000]) {
    for (const pauses of [false, true]) assert.deepEqual(decode(['qpress'], file, { pieceBytes, pauses }), expected);
  }
});

test('a file without blocks is empty', () => {
  assert.deepEqual(decode(['qpress'], Buffer.concat([qpressHeader(65536), QPRESS_TRAILER])), Buffer.alloc(0));
});

test('every flipped bit is an error or means nothing', () => {
  const blocksAt: number[] = [];
  for (let at = FILE.indexOf('NEWBNEWB'); at >= 0; at = FILE.indexOf('NEWBNEWB', at + 1)) blocksAt.push(at);
  checkEveryFlippedBit(['qpress'], FILE, CONTENT, {
    isHarmless: (byte, bit) =>
      // A limit that is larger than it need be is none that is broken: the block size of 100 with a further bit set.
      (byte === 8 && ![2, 5, 6].includes(bit)) ||
      (byte > 8 && byte < 11) ||
      (byte === 11 && bit < 2) ||
      // The name, and offsets that real writers get wrong.
      byte === HEADER_BYTES - 2 ||
      blocksAt.some((at) => byte >= at + 8 && byte < at + 16) ||
      byte >= FILE.length - 8,
  });
});

test('a file that is cut anywhere is truncated', () => {
  checkEveryTruncation(['qpress'], FILE, []);
  checkEveryTruncation(['qpress'], FILE, [], { pieceBytes: 3, pauses: true });
});

test('a byte behind the trailer is damage', () => {
  for (const pieceBytes of [undefined, 1]) {
    assert.equal(outcome(['qpress'], Buffer.concat([FILE, Buffer.from([0])]), { pieceBytes }), 'XB_BAD_LAYER');
  }
});

test('blocks of more than 64 MiB are not supported, those up to it are', () => {
  const file = (chunkBytes: number | bigint) => Buffer.concat([qpressHeader(chunkBytes), QPRESS_TRAILER]);
  assert.deepEqual(outcome(['qpress'], file(64 << 20)), Buffer.alloc(0));
  assert.equal(outcome(['qpress'], file((64 << 20) + 1)), 'XB_UNSUPPORTED_LAYER');
  assert.equal(outcome(['qpress'], file(2n ** 64n - 1n)), 'XB_UNSUPPORTED_LAYER');
});

test('impossible headers are damage, with their place', () => {
  const block = (bytes: Buffer) => Buffer.concat([qpressHeader(1000), qpressBlock(bytes), QPRESS_TRAILER]);
  const cases: [string, Buffer][] = [
    ['a block larger than the archive says', block(encodeQuickLz(Buffer.alloc(1001)))],
    ['a block that cannot hold so much', block(withHeader(Buffer.alloc(2), 1000, true, false))],
    ['a block of no compression level', block(Buffer.from([0x43, 9, 0, 0, 0, 0, 0, 0, 0]))],
    ['a name without end', Buffer.concat([Buffer.from('qpress10'), Buffer.alloc(8), Buffer.from('F\x01\0\0\0ab')])],
    [
      'a name that is too long',
      Buffer.concat([Buffer.from('qpress10'), Buffer.alloc(8), Buffer.from('F\xff\xff\xff\x7f', 'latin1')]),
    ],
    ['no qpress archive', Buffer.alloc(100)],
  ];
  for (const [what, bytes] of cases) {
    assert.throws(
      () => decode(['qpress'], bytes),
      (error: Error & { code: string; details: string[] }) => {
        assert.equal(error.code, 'XB_BAD_LAYER', what);
        assert.match(error.details[0] ?? '', /^at byte \d+ of the qpress data$/);
        return true;
      },
    );
  }
});

test('a block of another compression level is not supported, and no damage', () => {
  for (const level of [2, 3]) {
    const block = encodeQuickLz(CONTENT);
    block[0] = (block[0]! & ~0x0c) | (level << 2);
    const file = Buffer.concat([qpressHeader(1000), qpressBlock(block), QPRESS_TRAILER]);
    assert.throws(() => decode(['qpress'], file), { code: 'XB_UNSUPPORTED_LAYER', message: /at level [23]/ });
    file[file.indexOf(block)]! ^= 0x08;
    assert.equal(outcome(['qpress'], file), 'XB_BAD_LAYER');
  }
});

test('a checksum that holds does not save a body that does not decode', () => {
  const bad = withHeader(Buffer.concat([Buffer.from([1, 0, 0, 0x80, 0x11, 0x22]), Buffer.alloc(20)]), 40, true, false);
  assert.equal(
    outcome(['qpress'], Buffer.concat([qpressHeader(100), qpressBlock(bad), QPRESS_TRAILER])),
    'XB_BAD_LAYER',
  );
});
