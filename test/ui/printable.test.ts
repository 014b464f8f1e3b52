import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../helpers/fast-check.js';
import { exactPath, printable, printablePath } from '../../dist/ui/printable.js';

/** The bytes of a text as a stored path holds them: one character a byte. */
const stored = (text: string): string => Buffer.from(text).toString('latin1');

for (const [text, shown] of [
  ['db1/t1.ibd', 'db1/t1.ibd'],
  ['tüble 表 🐬', 'tüble 表 🐬'],
  ['a\nb\tc\r', String.raw`a\x0ab\x09c\x0d`],
  ['\x1b[2J\x1b]0;owned\x07', String.raw`\x1b[2J\x1b]0;owned\x07`],
  ['\x7f\x9b31m', String.raw`\x7f\x9b31m`],
  ['gpj.\u202eexe', String.raw`gpj.\u{202e}exe`],
  ['a\u200bb\u2066c\ufeff', String.raw`a\u{200b}b\u{2066}c\u{feff}`],
  ['a\u2028b\u00ad', String.raw`a\u{2028}b\xad`],
  ['\ud800x', String.raw`\u{d800}x`],
  ['\u{e0041}\u3164', String.raw`\u{e0041}\u{3164}`],
] as const) {
  test(`${JSON.stringify(text)} is shown as ${shown}`, () => {
    assert.equal(printable(text), shown);
  });
}

for (const [path, shown] of [
  ['db1/t1.ibd', 'db1/t1.ibd'],
  [stored('tüble 表 🐬'), 'tüble 表 🐬'],
  ['t\xfcble', String.raw`t\xfcble`],
  ['a\xc3', String.raw`a\xc3`],
  [`${stored('ü')}\xff${stored('表')}`, String.raw`ü\xff表`],
  // An overlong slash, a surrogate and a code point too high are not UTF-8.
  ['\xc0\xaf', String.raw`\xc0\xaf`],
  ['\xed\xa0\x80', String.raw`\xed\xa0\x80`],
  ['\xf4\x90\x80\x80', String.raw`\xf4\x90\x80\x80`],
  [stored('\u009b31m\u202e'), String.raw`\x9b31m\u{202e}`],
  ['\x1b[2J', String.raw`\x1b[2J`],
] as const) {
  test(`the stored path ${JSON.stringify(path)} is shown as ${shown}`, () => {
    assert.equal(printablePath(path), shown);
  });
}

test('no text and no stored path ever shows a character that a terminal acts on', () => {
  const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.uint8Array(), (text, bytes) => {
      assert.doesNotMatch(printable(text), unsafe);
      assert.doesNotMatch(printablePath(Buffer.from(bytes).toString('latin1')), unsafe);
    }),
  );
});

test('a path of harmless UTF-8 is shown as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '/', '.', 'é', '表', '🐬', '߿', 'ࠀ', '\u{10000}') }), (text) => {
      assert.equal(printablePath(stored(text)), text);
    }),
  );
});

test('a program gets the exact bytes of a path that is not UTF-8', () => {
  assert.deepEqual(exactPath(stored('tüble')), { text: 'tüble' });
  assert.deepEqual(exactPath('t\xfcble'), { text: 't\ufffdble', base64: 'dPxibGU=' });
  // U+FFFD itself may be stored: then it is what the bytes say.
  assert.deepEqual(exactPath(stored('\ufffd')), { text: '\ufffd' });
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const { text, base64 } = exactPath(Buffer.from(bytes).toString('latin1'));
      assert.deepEqual(base64 === undefined ? Buffer.from(text) : Buffer.from(base64, 'base64'), Buffer.from(bytes));
    }),
  );
});
