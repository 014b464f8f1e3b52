/** What is said where Node is too old; `.ci/run` does the same with real ones. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { run, type RunResult } from '../helpers/cli.js';

const { engines } = JSON.parse(fs.readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  engines: { node: string };
};

/** Has Node say that it is of another version. */
const pretending = (version: string): string =>
  `--import=data:text/javascript,${encodeURIComponent(
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`,
  )}`;

function runAs(version: string, words: readonly string[]): Promise<RunResult> {
  return run(words, { env: { NODE_OPTIONS: pretending(version) } });
}

const CALLS = [[], ['--version'], ['--help'], ['-x'], ['-c', 'f'], ['extract'], ['list', '--json'], ['info'], ['tar']];

test('every verb says in one line which Node it needs and which this is', async () => {
  for (const version of ['12.22.12', '16.20.2', '18.20.8', '20.18.3']) {
    for (const words of CALLS) {
      const { code, stdout, stderr } = await runAs(version, words);
      assert.deepEqual({ code, stdout }, { code: 1, stdout: '' }, words.join(' '));
      assert.equal(stderr, `tsxbstream needs Node 20.19 or newer; this is Node ${version} (${process.execPath})\n`);
    }
  }
});

test('the oldest Node that will do is the one that package.json names', async () => {
  assert.equal(engines.node, '>=20.19');
  for (const version of ['20.19.0', '22.0.0', '24.0.0']) assert.equal((await runAs(version, ['--version'])).code, 0);
});

test('so does the library', () => {
  const library = new URL('../../dist/index.js', import.meta.url).href;
  const words = [pretending('18.20.8'), '--input-type=module', '-e', `import '${library}'`];
  const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stderr, /Error: tsxbstream needs Node 20\.19 or newer; this is Node 18\.20\.8/);
});
