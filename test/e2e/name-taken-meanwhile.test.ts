/** A name that is taken after the target was first looked at gives way no more than one that was taken before. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { archive, end, file, noise, payload, rename } from '../helpers/archive-bytes.js';
import { start } from '../helpers/cli.js';
import { EXIT } from '../helpers/outcome.js';
import { linesOf } from '../helpers/json-lines.js';
import { openPipe } from '../helpers/pipes.js';
import { tempDir } from '../helpers/temp.js';
import { readTree, treeOf } from '../helpers/tree.js';
import { untilExists } from '../helpers/wait.js';

/** Unpacks the first part of an archive, lets something happen to the target, and then unpacks the rest. */
async function unpackInTwo(
  context: TestContext,
  [first, rest]: readonly [Buffer, Buffer],
  meanwhile: (target: string) => void,
  words: readonly string[] = [],
) {
  const target = tempDir(context);
  const { readFd, writeFd } = openPipe();
  const { ended } = start(['extract', '-', '-C', target, ...words], { stdin: { kind: 'open', stdio: readFd } });
  fs.closeSync(readFd);
  fs.writeSync(writeFd, archive(file('d/begun', 'x'), first));
  await untilExists(join(target, 'd/begun'));
  meanwhile(target);
  fs.writeSync(writeFd, rest);
  fs.closeSync(writeFd);
  return { target, ...(await ended) };
}

describe('a file that appears in the target meanwhile', { concurrency: true }, () => {
  const NOTHING = Buffer.alloc(0);
  for (const [title, parts] of [
    ['a small file', [NOTHING, file('d/f', 'ours')]],
    [
      'many small files',
      [NOTHING, archive(...Array.from({ length: 40 }, (_, n) => file(`d/${n}`, 'ours')), file('d/f', 'ours'))],
    ],
    ['an empty file', [NOTHING, end('d/f')]],
    ['a large file', [NOTHING, file('d/f', noise(60_000), 10_000)]],
    ['a file that grows already', [payload('d/f', 0, 'ou'), archive(payload('d/f', 2, 'rs'), end('d/f'))]],
    ['a file that is renamed', [file('d/g', 'ours'), rename('d/g', 'd/f')]],
  ] as const) {
    test(`${title} does not replace it`, async (context) => {
      const { code, stderr, target } = await unpackInTwo(context, parts, (folder) => {
        fs.writeFileSync(join(folder, 'd/f'), 'precious');
      });
      assert.equal(code, EXIT.refused, stderr);
      assert.match(stderr, /d\/f exists in the target already/);
      assert.equal(fs.readFileSync(join(target, 'd/f'), 'utf8'), 'precious');
    });
  }

  test('costs that file alone with --keep-going, whoever was to make it', async (context) => {
    const taken = [50, 120, 121, 300, 390];
    const small = Array.from({ length: 400 }, (_, index) => file(`d/f${index}`, 'ours'));
    // Large enough for the writing thread to begin.
    const parts = [file('large', noise(12 << 20), 1 << 20), archive(...small)] as const;
    const take = (folder: string): void => {
      for (const index of taken) fs.writeFileSync(join(folder, `d/f${index}`), 'precious');
    };
    const { code, stdout, target } = await unpackInTwo(context, parts, take, ['--keep-going', '--json']);
    assert.equal(code, EXIT.refused);
    const names = taken.map((index) => `d/f${index}`).sort();
    const errors = linesOf(stdout, 'error');
    assert.deepEqual(errors.map(({ path }) => path).sort(), names);
    assert.deepEqual(
      linesOf(stdout, 'lost')
        .map(({ path }) => path)
        .sort(),
      names,
    );
    assert.doesNotMatch(stdout, /was not looked at/);
    for (let index = 0; index < 400; index += 1) {
      const expected = taken.includes(index) ? 'precious' : 'ours';
      assert.equal(fs.readFileSync(join(target, `d/f${index}`), 'utf8'), expected);
    }
  });

  test('gives way with --overwrite', async (context) => {
    const parts = [NOTHING, archive(file('d/f', 'ours'), file('d/g', noise(60_000), 10_000))] as const;
    const taken = (folder: string): void => {
      for (const name of ['d/f', 'd/g']) fs.writeFileSync(join(folder, name), 'old');
    };
    const { code, target } = await unpackInTwo(context, parts, taken, ['--overwrite']);
    assert.equal(code, EXIT.ok);
    assert.deepEqual(readTree(target), treeOf({ 'd/begun': 'x', 'd/f': 'ours', 'd/g': noise(60_000) }));
  });
});
