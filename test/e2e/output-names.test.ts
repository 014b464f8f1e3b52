/** The file that `-o` or `--manifest` names: what stands there, and what comes there meanwhile. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { archive, file, remove, rename } from '../helpers/archive-bytes.js';
import { run } from '../helpers/cli.js';
import { linesOf } from '../helpers/json-lines.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { sampled } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { readTree, treeOf, writeTree } from '../helpers/tree.js';

for (const [turn, [kind, words]] of (
  [
    ['a file of its name', file('db.xb', 'inner')],
    ['a file that gets its name', archive(file('a', 'x'), rename('a', 'db.xb'))],
    ['the removal of its name', remove('db.xb')],
  ] as const
).entries()) {
  test(`an archive in the directory that it is unpacked into does not give way: ${kind}`, async (context) => {
    const target = tempDir(context);
    const path = join(target, 'db.xb');
    const bytes = archive(file('b', 'y'), words);
    fs.writeFileSync(path, bytes);
    const ways = [[path], ['-'], [path, '--dry-run'], [path, '--parallel=1']];
    for (const typed of sampled(ways, 2, turn % 2)) {
      const result = await run(['extract', '-q', ...typed, '-C', target, '--overwrite'], {
        stdin: { kind: 'file', path },
      });
      assertEnded(result, EXIT.refused, /db\.xb is the archive that is read: nothing takes its place/);
      assert.deepEqual(fs.readFileSync(path), bytes);
    }
  });
}

describe('a file that is made', { concurrency: true }, () => {
  const stored = { MANIFEST: 'of the backup', a: 'x' };
  const bytes = archive(file('a', 'x'), file('MANIFEST', 'of the backup'));
  const stdin = { kind: 'pipe', bytes } as const;

  for (const before of [{}, { MANIFEST: 'older' }]) {
    test(`--manifest replaces no file of the archive: ${Object.keys(before).length} before`, async (context) => {
      const target = tempDir(context);
      writeTree(target, before);
      const words = ['-q', '-', '-C', target, '--overwrite', '--manifest', join(target, 'MANIFEST')];
      const result = await run(['extract', ...words], { stdin });
      assertEnded(result, EXIT.refused, /MANIFEST is a file of the archive: no manifest takes its place/);
      assert.deepEqual(readTree(target), treeOf(stored));
    });
  }

  for (const [whole, code, said] of [
    [true, EXIT.refused, /something else has taken the place of the partial file of .*MANIFEST/],
    [false, EXIT.incomplete, /cut short/],
  ] as const) {
    test(`a file of the archive that has its partial name stays what it is, archive whole: ${whole}`, async (context) => {
      const target = tempDir(context);
      const own = archive(
        file('.MANIFEST.partial', 'of the backup'),
        file('a', 'x').subarray(0, whole ? undefined : -3),
      );
      const words = ['-q', '-', '-C', target, '--overwrite', '--manifest', join(target, 'MANIFEST')];
      const result = await run(['extract', ...words], { stdin: { kind: 'pipe', bytes: own } });
      assertEnded(result, code, said);
      const { '.MANIFEST.partial': kept, MANIFEST } = readTree(target);
      assert.deepEqual({ kept, MANIFEST }, { kept: treeOf({ x: 'of the backup' })['x'], MANIFEST: undefined });
    });
  }

  for (const [words, others] of [
    ['index a -o a', []],
    ['report a -o a', []],
    ['report --parts a.00 a.01 -o a.01', ['a.00', 'a.01']],
    ['verify a --index a', []],
    ['verify a --info link', []],
    ['verify a --manifest a', []],
    ['extract a -C out --manifest a', []],
    ['tar a -o link', []],
    ['create --from-tar=a -o a', []],
  ] as const) {
    test(`what is made of an archive does not take its place: ${words}`, async (context) => {
      const folder = tempDir(context);
      const tree = { a: bytes, ...Object.fromEntries(others.map((name) => [name, bytes])) };
      writeTree(folder, tree);
      fs.symlinkSync('a', join(folder, 'link'));
      const result = await run([...words.split(' '), '-q', '--overwrite'], { cwd: folder });
      assertEnded(result, EXIT.refused, /is the archive that is read: nothing takes its place/);
      for (const name of Object.keys(tree)) assert.deepEqual(fs.readFileSync(join(folder, name)), bytes);
    });
  }

  test('nor does it where the archive is on stdin', async (context) => {
    const folder = tempDir(context);
    writeTree(folder, { a: bytes });
    const result = await run(['verify', '-q', '--overwrite', '--index', 'a'], {
      cwd: folder,
      stdin: { kind: 'file', path: join(folder, 'a') },
    });
    assertEnded(result, EXIT.refused, /nothing takes its place/);
  });

  for (const [turn, words] of ['verify --tee a', 'tar a', 'index a', 'report a', 'create --from-tar=a'].entries()) {
    test(`nor is anything put behind it (>> a): ${words}`, async (context) => {
      const folder = tempDir(context);
      writeTree(folder, { a: bytes });
      const ways = words.endsWith(' a') ? [words, words.replace(/a$/, '-')] : [words];
      for (const typed of sampled(ways, ways.length, turn % ways.length)) {
        const stdout = fs.openSync(join(folder, 'a'), 'a');
        context.after(() => fs.closeSync(stdout));
        const result = await run(typed.split(' '), {
          cwd: folder,
          stdout,
          stdin: { kind: 'file', path: join(folder, 'a') },
        });
        assert.equal(result.code, EXIT.refused, result.stderr);
        assert.match(result.stderr, /standard output is the archive that is read/);
        assert.deepEqual(fs.readFileSync(join(folder, 'a')), bytes);
      }
    });
  }

  test('create of the directory that the archive lies in: the one that is replaced is not stored in it', async (context) => {
    const folder = tempDir(context);
    writeTree(folder, { a: 'x', 'archives/full': 'older' });
    fs.linkSync(join(folder, 'archives/full'), join(folder, 'kept'));
    for (let time = 0; time < 2; time += 1) {
      const result = await run(['create', '-q', '.', '--overwrite', '-o', 'archives/../archives/full'], {
        cwd: folder,
      });
      assert.equal(result.code, EXIT.ok);
      assert.match(result.stderr, /warning: \.\/archives\/full is not stored: the archive takes its place/);
      const { stdout } = await run(['list', '--json', join(folder, 'archives/full')]);
      assert.deepEqual(
        linesOf(stdout, 'entry').map(({ path }) => path),
        ['a', 'kept'],
      );
    }
  });

  test('--manifest replaces an older one', async (context) => {
    const target = tempDir(context);
    const manifest = join(tempDir(context), 'sums');
    fs.writeFileSync(manifest, 'older');
    const words = ['extract', '-q', '-', '-C', target, '--overwrite', '--manifest', manifest];
    assertEnded(await run(words, { stdin }), EXIT.ok);
    assert.match(fs.readFileSync(manifest, 'latin1'), /^[0-9a-f]{64} [ *]a\n/m);
  });

  test('-o names a link: what it leads to is replaced, and the link stays', async (context) => {
    const folder = tempDir(context);
    writeTree(folder, { 'disk/archive': 'older', a: 'x' });
    const link = join(folder, 'link');
    fs.symlinkSync('disk/archive', link);
    assertEnded(await run(['create', '-q', '-C', folder, 'a', '-o', link]), EXIT.refused, /link exists/);
    assertEnded(await run(['create', '-q', '-C', folder, 'a', '-o', link, '--overwrite']), EXIT.ok);
    assert.equal(fs.readlinkSync(link), 'disk/archive');
    assert.ok(fs.readFileSync(join(folder, 'disk/archive')).equals(file('a', 'x')));
    assert.deepEqual(fs.readdirSync(join(folder, 'disk')), ['archive']);
  });

  test('what cannot have its name is told before the work begins', async (context) => {
    const folder = tempDir(context);
    const dangling = join(folder, 'dangling');
    fs.symlinkSync('nowhere', dangling);
    // It never comes to look at the archive, which is none.
    const wrong = { kind: 'pipe', bytes: Buffer.from('no archive at all') } as const;
    for (const overwrite of [[], ['--overwrite']]) {
      const words = (output: string): string[] => ['report', '-q', '-', '-o', output, ...overwrite];
      assertEnded(await run(words(dangling), { stdin: wrong }), EXIT.refused, /symbolic link that leads nowhere/);
      assertEnded(await run(words(join(folder, 'n'.repeat(256))), { stdin: wrong }), EXIT.refused, /ENAMETOOLONG/);
    }
    assert.deepEqual(fs.readdirSync(folder), ['dangling']);
  });
});
