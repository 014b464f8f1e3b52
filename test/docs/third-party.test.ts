/** Whoever gets the program gets the licences of what is bundled in it. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bundledDirectories, notices } from '../../scripts/third-party.js';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

describe('THIRD-PARTY.md', () => {
  test('is as "npm run reference" makes it from what esbuild has bundled', () => {
    assert.equal(fs.readFileSync(join(PROJECT, 'THIRD-PARTY.md'), 'utf8'), notices());
  });

  test('names each package that the bundles hold', () => {
    const names = bundledDirectories().map((directory) => basename(directory));
    for (const name of ['yargs', 'yargs-parser', 'y18n', 'get-caller-file']) assert.ok(names.includes(name), name);
    const text = notices();
    for (const name of names) assert.match(text, new RegExp(`^## (?:@.*/)?${name} \\d`, 'm'));
  });

  test('none of them asks for more than a notice', () => {
    const licences = Array.from(notices().matchAll(/^## \S+ \S+ \((.*)\)$/gm), ([, licence]) => licence!);
    assert.ok(licences.length > 3);
    for (const licence of licences) assert.match(licence, /^(?:MIT|ISC|BSD-[23]-Clause|Apache-2\.0)$/);
  });
});
