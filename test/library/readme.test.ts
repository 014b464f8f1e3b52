/** The examples for programs in README.md and docs/library.md work as they are printed, and print what they say. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { tempDir } from '../helpers/temp.js';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const examples = ['README.md', 'docs/library.md'].flatMap((page) => {
  const text = fs.readFileSync(join(PROJECT, page), 'utf8');
  return Array.from(
    text.matchAll(/^```js\n(.*?)^```$/gms),
    ([, code], index) => [`${page}, ${index + 1}`, code!] as const,
  );
});

describe('examples for programs', () => {
  test('has examples', () => {
    assert.ok(examples.length >= 5);
  });

  examples.forEach(([title, code]) => {
    test(title, { timeout: 60_000 }, async (context) => {
      const directory = tempDir(context);
      fs.mkdirSync(join(directory, 'node_modules'));
      fs.symlinkSync(PROJECT, join(directory, 'node_modules/tsxbstream'));
      for (const [name, sample] of Object.entries(FILES)) {
        fs.copyFileSync(join(PROJECT, 'samples', sample), join(directory, name));
      }
      fs.writeFileSync(join(directory, 'example.mjs'), code);
      const { stdout } = await promisify(execFile)(process.execPath, ['example.mjs'], { cwd: directory });
      const printed = stdout.split('\n');
      const promised = Array.from(code.matchAll(/; \/\/ (.*)$/gm), ([, text]) => text!);
      assert.ok(promised.length > 0, 'it says nothing of what it prints');
      for (const line of promised) assert.ok(printed.includes(line), `${line}\nis not in\n${stdout}`);
    });
  });
});

const FILES = {
  'backup.xbstream': 'percona-plain.xbstream',
  'full.xbstream': 'mariadb-full-qpress.xbstream',
  'encrypted.xbstream': 'percona-zstd-aes256.xbstream',
  'backup.key': 'percona.key',
};
