/** What CONTRIBUTING.md says of adding a verb is true: its very change is applied to a copy, built and run. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tempDir } from '../helpers/temp.js';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

test('a verb is added by one file and one line', (context) => {
  const copy = tempDir(context);
  for (const name of ['src', 'bin', 'scripts', 'package.json', 'tsconfig.json']) {
    fs.cpSync(join(PROJECT, name), join(copy, name), { recursive: true });
  }
  fs.symlinkSync(join(PROJECT, 'node_modules'), join(copy, 'node_modules'));
  const text = fs.readFileSync(join(PROJECT, 'CONTRIBUTING.md'), 'utf8');
  const [, diff] = /<!-- a verb -->\n```diff\n(.*?)```\n<!-- end -->/s.exec(text)!;
  execFileSync('git', ['apply', '--unsafe-paths', '-'], { cwd: copy, input: diff });
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: copy, stdio: 'pipe' });
  const run = (...words: string[]): string =>
    execFileSync(process.execPath, [join(copy, 'bin/tsxbstream.js'), ...words], { encoding: 'utf8' });
  assert.equal(run('count', join(PROJECT, 'samples/percona-plain.xbstream')), '9 files\n');
  assert.match(run('--help'), /count the files of an archive/);
  assert.match(run('count', '--help'), /--allow-empty/);
  assert.ok(fs.existsSync(join(copy, 'dist/man/tsxbstream-count.1')));
});
