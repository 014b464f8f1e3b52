import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from '../helpers/fast-check.js';
import { normalizePath } from '../../dist/format/plain-path.js';
import { isUtf8, pathForSystem, pathFromText, pathText, rawPath } from '../../dist/format/stored-path.js';

describe('stored paths', () => {
  for (const [raw, plain] of [
    ['a', 'a'],
    ['db1/t1.ibd', 'db1/t1.ibd'],
    ['./a', 'a'],
    ['a//b', 'a/b'],
    ['././a/./b', 'a/b'],
    ['...', '...'],
    ['..a/b..', '..a/b..'],
    ['.hidden/.x', '.hidden/.x'],
    ['a\nb', 'a\nb'],
    ['a\\..\\b', 'a\\..\\b'],
    ['\xff', '\xff'],
  ] as const) {
    test(JSON.stringify(raw), () => {
      assert.equal(normalizePath(rawPath(raw), 0, false), plain);
      assert.equal(normalizePath(rawPath(`/${raw}`), 0, true), `/${plain}`);
    });
  }

  for (const raw of [
    '',
    '.',
    './',
    '/',
    '//',
    '..',
    '../a',
    'a/..',
    'a/../b',
    './..',
    'a/',
    'a/.',
    'a//',
    'a\0',
    '\0',
    'a/\0/b',
  ]) {
    test(`${JSON.stringify(raw)} is refused`, () => {
      for (const absolute of [false, true]) {
        assert.throws(() => normalizePath(rawPath(raw), 5, absolute), { code: 'XB_UNSAFE_PATH', archiveOffset: 5 });
      }
    });
  }

  test('absolute ones are refused unless they are allowed', () => {
    assert.throws(() => normalizePath(rawPath('/a'), 0, false), { code: 'XB_UNSAFE_PATH' });
    assert.throws(() => normalizePath(rawPath('/a/../b'), 0, true), { code: 'XB_UNSAFE_PATH' });
    assert.equal(normalizePath(rawPath('//a//b'), 0, true), '/a/b');
  });

  test('whatever comes out names one place inside, and stays what it is', () => {
    const part = fc.constantFrom('a', 'b', '.', '..', '', '/', '//', '\0', '...', '.a', ' ', '\xff');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const raw = parts.join(parts.length % 2 === 0 ? '/' : '');
        let plain: string;
        try {
          plain = normalizePath(rawPath(raw), 0, false);
        } catch (error) {
          assert.equal((error as { code: string }).code, 'XB_UNSAFE_PATH');
          return;
        }
        const components = plain.split('/');
        assert.ok(components.every((name) => name !== '' && name !== '.' && name !== '..' && !name.includes('\0')));
        assert.equal(normalizePath(rawPath(plain), 0, false), plain);
        // Nothing but empty and `.` components is lost.
        assert.deepEqual(
          components,
          raw.split('/').filter((name) => name !== '' && name !== '.'),
        );
      }),
      { seed: 3, numRuns: 2000 },
    );
  });

  test('bytes and text', () => {
    const cafe = rawPath('caf\xc3\xa9');
    assert.equal(pathText(cafe), 'café');
    assert.equal(pathFromText('café'), cafe);
    assert.equal(pathText(rawPath('caf\xe9')), 'caf\ufffd');
    assert.deepEqual(
      [isUtf8(cafe), isUtf8(rawPath('caf\xe9')), isUtf8(rawPath('cafe')), isUtf8(rawPath('\xc0\x80'))],
      [true, false, true, false],
    );
    assert.equal(pathForSystem(rawPath('cafe')), 'cafe');
    assert.deepEqual(pathForSystem(rawPath('caf\xe9')), Buffer.from([0x63, 0x61, 0x66, 0xe9]));
  });
});

test('a name that begins with a byte order mark keeps it', () => {
  const path = rawPath(Buffer.from('\ufeffname').toString('latin1'));
  assert.equal(pathText(path), '\ufeffname');
});
