import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../helpers/fast-check.js';
import { quickLzOutput, readQuickLzHeader } from '../../dist/codec/qpress/quicklz.js';
import { encodeQuickLz, storeQuickLz, withHeader, type QuickLzEncoding } from '../helpers/quicklz-encoder.js';

function decodeBlock(block: Buffer): Buffer | string {
  const header = readQuickLzHeader(block, 0);
  if (typeof header !== 'object') return header ?? 'incomplete';
  // What a body lacks must not be taken from the one before it.
  quickLzOutput.load(Buffer.alloc(block.length + 64, 0x11), 1);
  quickLzOutput.decode(0, 1);
  quickLzOutput.take();
  quickLzOutput.load(block.subarray(0, header.compressedBytes), header.decompressedBytes);
  const damage = quickLzOutput.decode(header.headerBytes, header.decompressedBytes);
  return damage ?? Buffer.from(quickLzOutput.take());
}

/** Content in which matches of all lengths and distances occur. */
const content = fc
  .array(
    fc.oneof(
      fc.record({ kind: fc.constant('bytes' as const), bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }) }),
      fc.record({ kind: fc.constant('run' as const), byte: fc.nat(255), length: fc.integer({ min: 1, max: 600 }) }),
      fc.record({
        kind: fc.constant('copy' as const),
        back: fc.integer({ min: 1, max: 3000 }),
        length: fc.integer({ min: 1, max: 300 }),
      }),
    ),
    { maxLength: 30 },
  )
  .map((parts) => {
    const out: number[] = [];
    for (const part of parts) {
      if (part.kind === 'bytes') out.push(...part.bytes);
      else if (part.kind === 'run') for (let i = 0; i < part.length; i++) out.push(part.byte);
      else for (let i = 0; i < part.length; i++) out.push(out[out.length - part.back] ?? i & 0xff);
    }
    return Buffer.from(out);
  });

test('what a QuickLZ encoder makes of anything decodes to it', () => {
  fc.assert(
    fc.property(
      content,
      fc.integer({ min: 2, max: 255 }),
      fc.infiniteStream(fc.integer({ min: 0, max: 9 })),
      fc.uint8Array({ maxLength: 9 }),
      (source, longestMatch, dice, filler) => {
        const options: QuickLzEncoding = {
          longestMatch,
          takeMatch: () => dice.next().value !== 0,
          filler: Buffer.from(filler),
        };
        assert.deepEqual(decodeBlock(encodeQuickLz(source, options)), source);
      },
    ),
    { numRuns: 1500 },
  );
});

test('every length from 0 to 300 decodes, of random and of equal bytes', () => {
  for (let length = 0; length <= 300; length++) {
    const random = Buffer.from(Array.from({ length }, (_, i) => (i * 7919 + (i >> 3) * 104729) & 0xff));
    for (const source of [random, Buffer.alloc(length, 7)])
      assert.deepEqual(decodeBlock(encodeQuickLz(source)), source);
  }
});

test('matches of every length copy over themselves at every distance', () => {
  for (let distance = 1; distance <= 12; distance++) {
    for (const length of [3, 4, 5, 6, 7, 17, 18, 19, 254, 255]) {
      const start = Buffer.from(Array.from({ length: distance + 3 }, (_, i) => 50 + (i % distance)));
      const source = Buffer.concat([
        start,
        Buffer.from(Array.from({ length }, (_, i) => 50 + ((i + 3) % distance))),
        Buffer.from('the tail of the block'),
      ]);
      assert.deepEqual(
        decodeBlock(encodeQuickLz(source, { longestMatch: length })),
        source,
        `${length} bytes from ${distance} back`,
      );
    }
  }
});

test('control words in the tail serve 31 literals whatever they hold', () => {
  // 20 literals use up 20 bits of the first word; the other 11 of 31 are literals of the tail.
  const body = encodeQuickLz(Buffer.from('abcdefghijklmnopqrstuvwxyz0123456789ABCD'));
  const second = 9 + 4 + 31;
  assert.ok(body.length > second + 4);
  for (const word of [0, 1, 0xffffffff, 0x80000000]) {
    const changed = Buffer.from(body);
    changed.writeUInt32LE(word, second);
    assert.equal(String(decodeBlock(changed)), 'abcdefghijklmnopqrstuvwxyz0123456789ABCD');
  }
});

test('a table left by another block is not seen', () => {
  const text = Buffer.from('abcdefgh abcdefgh abcdefgh and the tail of it');
  assert.deepEqual(decodeBlock(encodeQuickLz(text)), text);
  const match = Buffer.from([0x03, 0, 0, 0x80, ...hashOf('abc', 3), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.match(String(decodeBlock(withHeader(match, 20, true, false))), /source that does not exist/);
});

/** A match of up to 17 bytes of what begins with these three characters. */
function hashOf(three: string, length: number): number[] {
  const x = Buffer.from(three).readUIntLE(0, 3);
  const hash = ((x >>> 12) ^ x) & 4095;
  return [((hash << 4) | (length - 2)) & 0xff, hash >>> 4];
}

test('damaged bodies give an error or other bytes', () => {
  fc.assert(
    fc.property(
      content,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      (source, changes) => {
        const block = encodeQuickLz(source);
        for (const [at, value] of changes) if (block.length > 9) block[9 + (at % (block.length - 9))] = value;
        decodeBlock(block);
      },
    ),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.nat(2000),
      (body, size) => void decodeBlock(withHeader(Buffer.from(body), size, true, false)),
    ),
    { numRuns: 3000 },
  );
});

test('a body that is cut anywhere is damage', () => {
  const source = Buffer.from('abcabcabcabcabcabcabcabc'.repeat(20) + 'some literals, different ones: 1234567890');
  const whole = encodeQuickLz(source).subarray(9);
  for (let length = 0; length < whole.length; length++) {
    assert.equal(
      typeof decodeBlock(withHeader(whole.subarray(0, length), source.length, true, false)),
      'string',
      `${length} bytes`,
    );
  }
});

test('headers: short and long, stored and compressed, and those that cannot be', () => {
  const text = Buffer.from('a short block');
  assert.deepEqual(decodeBlock(encodeQuickLz(text, { shortHeader: true })), text);
  assert.deepEqual(readQuickLzHeader(storeQuickLz(text, true), 0), {
    headerBytes: 3,
    compressedBytes: 16,
    decompressedBytes: 13,
    stored: true,
    level: 1,
  });
  assert.deepEqual(readQuickLzHeader(storeQuickLz(text), 0), {
    headerBytes: 9,
    compressedBytes: 22,
    decompressedBytes: 13,
    stored: true,
    level: 1,
  });
  assert.equal(readQuickLzHeader(storeQuickLz(text).subarray(0, 8), 0), undefined);
  for (const flags of [0x00, 0x07, 0x43, 0xc7, 0x57]) {
    const block = storeQuickLz(text);
    block[0] = flags;
    assert.match(JSON.stringify(readQuickLzHeader(block, 0)), /flags/, flags.toString(16));
  }
  const impossible: [number, number, boolean][] = [
    [8, 0, true],
    [22, 14, false],
    [22, 85 * 22 + 1, true],
  ];
  for (const [compressed, decompressed, isCompressed] of impossible) {
    const block = withHeader(Buffer.alloc(13), decompressed, isCompressed, false);
    block.writeUInt32LE(compressed, 1);
    assert.match(JSON.stringify(readQuickLzHeader(block, 0)), /size/);
  }
});

test('large blocks decode, and small ones after them', () => {
  const large = Buffer.from(Array.from({ length: 5_000_000 }, (_, i) => (i * i) >>> 13));
  const small = Buffer.from('a small one, a small one, a small one');
  const blocks = new Map([small, large].map((source) => [source, encodeQuickLz(source)]));
  for (const source of [small, large, small, large, small]) assert.deepEqual(decodeBlock(blocks.get(source)!), source);
});

test('the table is right again when positions have counted up to 2 GiB', () => {
  const zeros = encodeQuickLz(Buffer.alloc(1 << 20));
  const text = Buffer.from('abcdefgh abcdefgh abcdefgh and the tail of it');
  for (let i = 0; i < 2060; i++) {
    quickLzOutput.load(zeros, 1 << 20);
    assert.equal(quickLzOutput.decode(9, 1 << 20), undefined);
    assert.equal(quickLzOutput.take().length, 1 << 20);
    if (i > 2040) assert.deepEqual(decodeBlock(encodeQuickLz(text)), text);
  }
});
