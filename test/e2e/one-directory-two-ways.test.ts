/** A directory that is reached by two paths is one directory: no two files get the same place. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { archive, end, file, payload, rename } from '../helpers/archive-bytes.js';
import { run } from '../helpers/cli.js';
import { EXIT } from '../helpers/outcome.js';
import { tempDir } from '../helpers/temp.js';

const OTHER = 'of another';
const OURS = 'ours';

describe('absolute names (-P) that lie in the target', { concurrency: true }, () => {
  for (const [title, chunks, code] of [
    ['a name twice', (t: string) => [file('x', OURS), file(`${t}/x`, OTHER)], EXIT.refused],
    ['the other way first', (t: string) => [file(`${t}/o`, ''), file('x', OURS), file(`${t}/x`, OTHER)], EXIT.refused],
    [
      'both grow',
      (t: string) => [payload('x', 0, OURS), payload(`${t}/x`, 0, OTHER), end('x'), end(`${t}/x`)],
      EXIT.refused,
    ],
    ['a partial name', (t: string) => [payload('x', 0, OURS), file(`${t}/.x.partial`, OTHER), end('x')], EXIT.ok],
    [
      'a rename onto a partial name',
      (t: string) => [
        file(`${t}/o`, ''),
        payload('x', 0, OURS),
        file('y', OTHER),
        rename('y', `${t}/.x.partial`),
        end('x'),
      ],
      EXIT.ok,
    ],
    ['a rename onto a file', (t: string) => [file('x', OURS), file('y', OTHER), rename('y', `${t}/x`)], EXIT.refused],
    ['below', (t: string) => [file('d/x', OURS), file(`${t}/d/x`, OTHER)], EXIT.refused],
  ] as const) {
    test(title, async (context) => {
      const target = fs.realpathSync(tempDir(context));
      const bytes = archive(...chunks(target));
      const { code: found, stderr } = await run(['-x', '-P', '-C', target], { stdin: { kind: 'pipe', bytes } });
      assert.equal(found, code, stderr);
      for (const path of ['x', 'd/x']) {
        const text = fs.existsSync(join(target, path)) ? fs.readFileSync(join(target, path), 'utf8') : OURS;
        assert.equal(text, OURS);
      }
      if (code === EXIT.ok) assert.equal(fs.readFileSync(join(target, '.x.partial'), 'utf8'), OTHER);
    });
  }
});

test('symbolic links that lead round in circles', async (context) => {
  const target = tempDir(context);
  fs.symlinkSync('.', join(target, 'loop'));
  const bytes = archive(file('a', '1'), file('loop/f', '2'), file('loop/loop/d/g', '3'));
  const words = ['-x', '--allow-symlinks', '--fsync', '-C', target];
  const { code, stderr } = await run(words, { stdin: { kind: 'pipe', bytes } });
  assert.deepEqual([code, stderr], [EXIT.ok, '']);
  assert.deepEqual(fs.readdirSync(target).sort(), ['a', 'd', 'f', 'loop']);
});

test('a symbolic link that is followed', async (context) => {
  const target = tempDir(context);
  fs.mkdirSync(join(target, 'd1'));
  fs.symlinkSync('d1', join(target, 'd2'));
  const bytes = archive(file('d1/x', OURS), file('d1/z', ''), file('d2/y', OTHER), file('d2/x', OTHER));
  const words = ['-x', '--allow-symlinks', '-C', target];
  const { code, stderr } = await run(words, { stdin: { kind: 'pipe', bytes } });
  assert.equal(code, EXIT.refused);
  assert.match(stderr, /two files of the archive would get the name d2\/x/);
  assert.equal(fs.readFileSync(join(target, 'd1/x'), 'utf8'), OURS);
});
