/** What CONTRIBUTING.md says of adding a verb is true: its very change is applied to a copy, built and run. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SOAK } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

/** Builds what was changed in a copy, against the declarations of what was not; all of it where everything is run. */
function build(copy: string, changed: readonly string[]): void {
  const run = (command: string): unknown => execFileSync('sh', ['-ec', command], { cwd: copy, stdio: 'pipe' });
  if (SOAK) {
    run('npm run --silent build');
    return;
  }
  fs.cpSync(join(PROJECT, 'dist'), join(copy, 'dist'), { recursive: true });
  for (const path of changed) fs.cpSync(join(copy, 'src', path), join(copy, 'changed', path));
  const compilerOptions = { rootDir: 'changed', rootDirs: ['changed', 'dist'], declaration: false };
  const config = { extends: './tsconfig.json', compilerOptions, include: ['changed'] };
  fs.writeFileSync(join(copy, 'changed.json'), JSON.stringify(config));
  run('node_modules/.bin/tsc -p changed.json && npm run --silent bundle && npm run --silent man');
}

test('a verb is added by one file and one line', (context) => {
  const copy = tempDir(context);
  for (const name of ['src', 'bin', 'scripts', 'package.json', 'tsconfig.json']) {
    fs.cpSync(join(PROJECT, name), join(copy, name), { recursive: true });
  }
  fs.symlinkSync(join(PROJECT, 'node_modules'), join(copy, 'node_modules'));
  const text = fs.readFileSync(join(PROJECT, 'CONTRIBUTING.md'), 'utf8');
  const [, diff] = /<!-- a verb -->\n```diff\n(.*?)```\n<!-- end -->/s.exec(text)!;
  execFileSync('git', ['apply', '--unsafe-paths', '-'], { cwd: copy, input: diff });
  build(copy, ['verbs/count.ts', 'verbs/registry.ts']);
  const run = (...words: string[]): string =>
    execFileSync(process.execPath, [join(copy, 'bin/tsxbstream.js'), ...words], { encoding: 'utf8' });
  assert.equal(run('count', join(PROJECT, 'samples/percona-plain.xbstream')), '9 files\n');
  assert.match(run('--help'), /count the files of an archive/);
  assert.match(run('count', '--help'), /--allow-empty/);
  assert.ok(fs.existsSync(join(copy, 'dist/man/tsxbstream-count.1')));
});
