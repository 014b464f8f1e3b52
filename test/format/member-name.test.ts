/** Names as Percona makes them: nothing before the last `..`, no leading slashes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rawPath } from '../../dist/format/stored-path.js';
import { memberName, plainName } from '../../dist/format/member-name.js';

for (const [path, name, removed] of [
  ['a', 'a', ''],
  ['./a', './a', ''],
  ['d//e/a', 'd//e/a', ''],
  ['/a', 'a', '/'],
  ['//d/a', 'd/a', '//'],
  ['../a', 'a', '../'],
  ['../..//d/a', 'd/a', '../..//'],
  ['d/../e/a', 'e/a', 'd/../'],
  ['/d/../../a', 'a', '/d/../../'],
  ['a..b', 'a..b', ''],
  ['..a', '..a', ''],
  ['d../a', 'd../a', ''],
  ['.../a', '.../a', ''],
  ['..', '', '..'],
  ['a\n../b', 'a\n../b', ''],
] as const) {
  test(`${JSON.stringify(path)} is stored as ${JSON.stringify(name)}`, () => {
    assert.deepEqual(memberName(rawPath(path)), { name, removed });
  });
}

test('plain names', () => {
  assert.deepEqual(
    ['./a', 'd//./e/', '/d/a', '.'].map((name) => plainName(rawPath(name))),
    ['a', 'd/e', '/d/a', ''],
  );
});
