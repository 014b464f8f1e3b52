/** A decoding that is killed has lost nothing, and a second run finishes. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { start, run } from '../helpers/cli.js';
import { encodedFiles, TREE_KEY_WORDS, writeEncoded } from '../helpers/encoded-tree.js';
import { EXIT } from '../helpers/outcome.js';
import { hasProgram, SOAK } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { describeContent, readTree, treeOf } from '../helpers/tree.js';

const ROUNDS = SOAK ? 60 : 2;
let made: ReturnType<typeof encodedFiles> | undefined;
const filesOnce = (): ReturnType<typeof encodedFiles> => (made ??= encodedFiles(300, 40_000));

test('300 encoded files, killed at random moments', async (context) => {
  if (!hasProgram(context, 'zstd', 'zstd') || !hasProgram(context, 'lz4', 'lz4')) return;
  const files = filesOnce();
  const expected = treeOf(Object.fromEntries(files.map(({ path, content }) => [path, content])));
  const kinds = [[], ['--parallel=1'], ['--fsync'], ['--overwrite']];
  let kills = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const directory = tempDir(context);
    writeEncoded(directory, files);
    const words = ['decode', '-q', ...kinds[round % kinds.length]!, ...TREE_KEY_WORDS, directory];
    for (let times = 0; times < (SOAK ? 4 : 2); times += 1) {
      const left = files.filter(({ path, suffix }) => suffix !== '' && !fs.existsSync(join(directory, path)));
      const last = left[Math.floor(Math.random() * left.length)];
      if (last === undefined) break;
      const { child, ended } = start(words);
      const running = { isOver: false };
      void ended.then(() => (running.isOver = true));
      // As soon as any file of the run has its name: that is in the middle of others.
      while (!running.isOver && !fs.existsSync(join(directory, last.path))) await new Promise(setImmediate);
      child.kill('SIGKILL');
      if ((await ended).signal === 'SIGKILL') kills += 1;
      const tree = readTree(directory);
      for (const { path, suffix, content, encoded } of files) {
        const [decoded, original] = [tree[path], suffix === '' ? undefined : tree[path + suffix]];
        assert.ok(decoded !== undefined || original !== undefined, `${path} is lost`);
        if (decoded !== undefined) assert.equal(decoded, describeContent(content), path);
        if (original !== undefined) assert.equal(original, describeContent(encoded), path);
      }
    }
    const { code, stderr } = await run(words);
    assert.deepEqual([code, stderr], [EXIT.ok, '']);
    assert.deepEqual(readTree(directory), expected);
  }
  assert.ok(kills >= ROUNDS, `${kills} kills`);
});

test('SIGTERM: nothing is left half, and the same command goes on', async (context) => {
  if (!hasProgram(context, 'zstd', 'zstd') || !hasProgram(context, 'lz4', 'lz4')) return;
  const files = filesOnce();
  const directory = tempDir(context);
  writeEncoded(directory, files);
  const words = ['decode', '-v', ...TREE_KEY_WORDS, directory];
  const { child, ended } = start(words);
  child.stdout!.once('data', () => child.kill('SIGTERM'));
  assert.equal((await ended).signal, 'SIGTERM');
  assert.deepEqual(
    Object.keys(readTree(directory)).filter((path) => path.endsWith('.partial')),
    [],
  );
  assert.equal((await run(words)).code, EXIT.ok);
  assert.deepEqual(readTree(directory), treeOf(Object.fromEntries(files.map(({ path, content }) => [path, content]))));
});
