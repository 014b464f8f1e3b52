import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../helpers/fast-check.js';
import { quickLzOutput } from '../../dist/codec/qpress/quicklz.js';
import { XxHash32, xxHash32 } from '../../dist/codec/lz4/xxhash32.js';
import { adler32OfZlib } from '../helpers/layer-writers.js';

test('XXH32 gives the published values', () => {
  const values: [string, number][] = [
    ['', 0x02cc5d05],
    ['a', 0x550d7456],
    ['abc', 0x32d153ff],
    ['Nobody inspects the spammish repetition', 0xe2293b2f],
  ];
  for (const [text, hash] of values) assert.equal(xxHash32(Buffer.from(text)), hash, text);
});

test('XXH32 does not depend on how bytes are cut and aligned', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(fc.nat(70), { maxLength: 8 }),
      fc.nat(7),
      (content, cuts, shift) => {
        const shifted = Buffer.concat([Buffer.alloc(shift), content]).subarray(shift);
        const hash = new XxHash32();
        let at = 0;
        for (const cut of cuts) {
          hash.update(shifted.subarray(at, at + cut));
          at = Math.min(at + cut, shifted.length);
        }
        assert.equal(hash.update(shifted.subarray(at)).digest(), xxHash32(content));
      },
    ),
  );
});

test("Adler-32 agrees with zlib's, also where sums are largest", () => {
  fc.assert(
    fc.property(fc.nat(20_000), fc.integer({ min: 0, max: 255 }), fc.nat(9), (length, value, start) => {
      const bytes = Buffer.alloc(length + start, value);
      for (let i = 0; i < bytes.length; i += 7) bytes[i] = (i * value) & 0xff;
      const block = bytes.subarray(start);
      quickLzOutput.load(block, 0);
      assert.equal(quickLzOutput.adler32(), adler32OfZlib(block));
    }),
  );
  const worst = Buffer.alloc(1 << 20, 255);
  quickLzOutput.load(worst, 0);
  assert.equal(quickLzOutput.adler32(), adler32OfZlib(worst));
});
