/** Each promise of SECURITY.md names the tests that hold it, and they exist. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const text = fs.readFileSync(join(PROJECT, 'SECURITY.md'), 'utf8');
const promised = /^## What is promised$(.*?)^## /ms.exec(text)![1]!;

describe('SECURITY.md', () => {
  const promises = promised.split(/^### /m).slice(1);

  test('makes promises', () => assert.ok(promises.length >= 5));

  for (const promise of promises) {
    const [title = '', ...lines] = promise.split('\n');
    test(title, () => {
      const proofs = Array.from(promise.matchAll(/^- `(test\/[\w/.-]+)`: "(.+)"$/gm), ([, file, name]) => [
        file!,
        name!,
      ]);
      assert.ok(proofs.length > 0, 'no test holds it');
      assert.equal(proofs.length, lines.filter((line) => line.startsWith('- ')).length, 'a line that names no test');
      for (const [file, name] of proofs as [string, string][]) {
        const source = fs.readFileSync(join(PROJECT, file), 'utf8');
        const calls = source.replace(/\b(test|describe)\(\s+/g, '$1(');
        const isThere = ["'", '"', '`'].some((quote) =>
          ['test', 'describe'].some((word) => calls.includes(`${word}(${quote}${name}${quote}`)),
        );
        assert.ok(isThere, `${file} has no test "${name}"`);
      }
    });
  }
});
