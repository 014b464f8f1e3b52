import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../helpers/fast-check.js';
import { rawPath } from '../../dist/format/stored-path.js';
import { partialName } from '../../dist/output/directory/partial-name.js';

const name = fc.string({
  unit: fc.integer({ min: 1, max: 255 }).map((code) => (code === 0x2f ? '_' : String.fromCharCode(code))),
  minLength: 1,
  maxLength: 255,
});

test('a partial name fits where its name fits, begins with a dot and ends with .partial', () => {
  fc.assert(
    fc.property(name, fc.integer({ min: 1, max: 99_999 }), (final, number) => {
      const partial = partialName(rawPath(final), number);
      assert.ok(partial.length <= 255 && partial.startsWith('.') && partial.endsWith('.partial'));
      assert.ok(!partial.includes('/') && partial !== final);
    }),
    { seed: 5, numRuns: 2000 },
  );
});

test('names and numbers that differ have different partial names', () => {
  const long = 'x'.repeat(250);
  const names = ['a', 'a.2', 'b', long, `${long}y`, `${long}z`, `${long.slice(1)}y`];
  const partials = names.flatMap((final) => [1, 2, 3, 99_999].map((number) => partialName(rawPath(final), number)));
  assert.equal(new Set(partials).size, partials.length);
});

test('the name stays readable where it fits', () => {
  assert.equal(partialName(rawPath('t1.ibd')), '.t1.ibd.partial');
  assert.match(partialName(rawPath('t1.ibd'), 2), /^\.t1\.ibd~[0-9a-f]{16}\.2\.partial$/);
  assert.equal(partialName(rawPath('x'.repeat(246))), `.${'x'.repeat(246)}.partial`);
  assert.notEqual(partialName(rawPath('x'.repeat(247))), `.${'x'.repeat(247)}.partial`);
});

test('a long name is not cut within a character', () => {
  for (let lead = 0; lead < 4; lead += 1) {
    const final = 'x'.repeat(lead) + Buffer.from('é€😀'.repeat(25)).toString('latin1');
    const partial = Buffer.from(partialName(rawPath(final.slice(0, 255))), 'latin1');
    const kept = partial.subarray(0, partial.indexOf('~'));
    assert.equal(kept.toString('utf8').includes('\ufffd'), false);
  }
});
