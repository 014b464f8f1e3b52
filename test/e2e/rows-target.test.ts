/**
 * Where the C readers say success or follow where they should not, and this program does otherwise on purpose: rows about
 * the target directory. Each test has the name of its row.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { archive, end, file, noise, payload } from '../helpers/archive-bytes.js';
import { run, type RunOptions } from '../helpers/cli.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { hasProgram, sampled } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { namesIn, readTree, treeOf, writeTree } from '../helpers/tree.js';

function unpack(target: string, bytes: Buffer, args: readonly string[] = [], options: RunOptions = {}) {
  return run(['-x', '-C', target, ...args], { stdin: { kind: 'pipe', bytes }, ...options });
}

/** Root may write everywhere unless it gives that up. */
const WITHOUT_OVERRIDE =
  process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search', '--'] : [];

describe('what is in the target', { concurrency: true }, () => {
  test('target file exists', async (context) => {
    const target = tempDir(context);
    writeTree(target, { b: 'old' });
    const before = fs.statSync(join(target, 'b'));
    const result = await unpack(target, archive(file('a', 'x'), file('b', 'new'), file('c', 'y')));
    assertEnded(result, EXIT.refused, /b exists in the target already/, /not touched/);
    assert.deepEqual(readTree(target), treeOf({ a: 'x', b: 'old' }));
    const after = fs.statSync(join(target, 'b'));
    assert.deepEqual([after.ino, after.mtimeMs, after.mode], [before.ino, before.mtimeMs, before.mode]);
  });

  test('target file exists: for a file that is empty, too', async (context) => {
    const target = tempDir(context);
    writeTree(target, { b: 'old' });
    assertEnded(await unpack(target, archive(file('a', 'x'), end('b'))), EXIT.refused, /b exists in the target/);
    assert.deepEqual(readTree(target), treeOf({ a: 'x', b: 'old' }));
  });

  test('target file exists: as a symbolic link that leads nowhere', async (context) => {
    const target = tempDir(context);
    const outside = join(tempDir(context), 'outside');
    fs.symlinkSync(outside, join(target, 'a'));
    assertEnded(await unpack(target, file('a', 'x')), EXIT.refused, /a exists in the target already/);
    assert.equal(fs.existsSync(outside), false);
  });

  test('nested directories (`a/b/c`)', async (context) => {
    const target = tempDir(context);
    const deep = Array.from({ length: 200 }, (_, index) => `${index}`)
      .join('/')
      .slice(0, 500);
    assertEnded(await unpack(target, archive(file('a/b/c', '1'), file(`${deep}/end`, '2'), file('a/z', '3'))), EXIT.ok);
    assert.deepEqual(readTree(target), treeOf({ 'a/b/c': '1', [`${deep}/end`]: '2', 'a/z': '3' }));
  });

  test('permission denied', async (context) => {
    if (WITHOUT_OVERRIDE.length > 0 && !hasProgram(context, 'setpriv', 'util-linux')) return;
    const target = tempDir(context);
    fs.mkdirSync(join(target, 'closed'), 0o500);
    const bytes = archive(file('a', 'x'), file('closed/b', 'y'), file('c', 'z'));
    assertEnded(await unpack(target, bytes, [], { wrapper: WITHOUT_OVERRIDE }), EXIT.refused, /closed\/b.*EACCES/);
    assert.deepEqual(readTree(target), { ...treeOf({ a: 'x' }), 'closed/': 'empty directory' });
  });

  test('permission denied: the target itself', async (context) => {
    if (WITHOUT_OVERRIDE.length > 0 && !hasProgram(context, 'setpriv', 'util-linux')) return;
    const target = join(tempDir(context), 'closed');
    fs.mkdirSync(target, 0o500);
    assertEnded(await unpack(target, file('a', 'x'), [], { wrapper: WITHOUT_OVERRIDE }), EXIT.refused, /a: .*EACCES/);
  });

  test('name too long', async (context) => {
    const target = tempDir(context);
    const longest = 'x'.repeat(255);
    assertEnded(await unpack(target, archive(file(longest, '1'), file(`d/${longest}`, '2'))), EXIT.ok);
    assert.deepEqual(readTree(target), treeOf({ [longest]: '1', [`d/${longest}`]: '2' }));
    for (const tooLong of sampled(['y'.repeat(256), `${'y'.repeat(256)}/a`, 'y'.repeat(511)], 2)) {
      assertEnded(await unpack(target, archive(file(tooLong, '1'))), EXIT.refused, /ENAMETOOLONG/);
    }
    assertEnded(
      await unpack(target, archive(file('y'.repeat(512), '1'))),
      EXIT.damaged,
      /longer than the format allows/,
    );
    // That the final name cannot be is only known when it is due.
    const names = namesIn(target).filter((name) => !name.endsWith('.partial'));
    assert.deepEqual(names, [`d/${longest}`, longest]);
  });

  test('symlinked directory inside the target', async (context) => {
    const bytes = archive(file('link/a', 'x'));
    const outside = tempDir(context);
    const target = tempDir(context);
    fs.symlinkSync(outside, join(target, 'link'));
    assertEnded(await unpack(target, bytes), EXIT.refused, /link in the target is a symbolic link/, /--allow-symlinks/);
    assert.deepEqual(readTree(outside), {});
    assertEnded(await unpack(target, bytes, ['--allow-symlinks']), EXIT.ok);
    assert.deepEqual(readTree(outside), treeOf({ a: 'x' }));
  });

  test('symlinked directory inside the target: deeper, and with -P', async (context) => {
    const outside = tempDir(context);
    const target = tempDir(context);
    fs.mkdirSync(join(target, 'd'));
    fs.symlinkSync(outside, join(target, 'd/link'));
    assertEnded(await unpack(target, file('d/link/e/a', 'x')), EXIT.refused, /symbolic link/);
    assertEnded(await unpack(target, file(`${target}/d/link/a`, 'x'), ['-P']), EXIT.refused, /symbolic link/);
    assert.deepEqual(readTree(outside), {});
  });

  test('symlinked directory: the target itself may be one', async (context) => {
    const parent = tempDir(context);
    fs.mkdirSync(join(parent, 'real'));
    fs.symlinkSync('real', join(parent, 'target'));
    assertEnded(await unpack(join(parent, 'target'), file('d/a', 'x')), EXIT.ok);
    assert.deepEqual(readTree(join(parent, 'real')), treeOf({ 'd/a': 'x' }));
  });

  test('more open files than `ulimit -n`', async (context) => {
    const target = tempDir(context);
    const names = Array.from({ length: 300 }, (_, index) => `d${index % 7}/f${index}`);
    const content = names.map((_, index) => noise(300, index + 1));
    const rounds = [0, 100, 200].map((at) =>
      Buffer.concat(names.map((name, index) => payload(name, at, content[index]!.subarray(at, at + 100)))),
    );
    const bytes = archive(...rounds, ...names.map((name) => end(name)));
    const wrapper = ['sh', '-c', 'ulimit -n 48; exec "$@"', 'sh'];
    assertEnded(await unpack(target, bytes, [], { wrapper }), EXIT.ok);
    assert.deepEqual(readTree(target), treeOf(Object.fromEntries(names.map((name, index) => [name, content[index]!]))));
  });

  for (const limit of sampled([62, 63, 64, 65, 100], 4)) {
    test(`more directories and open files than ${limit} descriptors`, async (context) => {
      const target = tempDir(context);
      const names = Array.from({ length: 300 }, (_, index) => `d${index}/f`);
      const halves = [0, 2].map((at) => Buffer.concat(names.map((name) => payload(name, at, 'xy'))));
      const bytes = archive(...halves, ...names.map((name) => end(name)));
      const wrapper = ['sh', '-c', `ulimit -n ${limit}; exec "$@"`, 'sh'];
      const manifest = limit === 100 ? [] : ['--manifest', join(tempDir(context), 'manifest')];
      assertEnded(await unpack(target, bytes, manifest, { wrapper }), EXIT.ok);
      assert.deepEqual(readTree(target), treeOf(Object.fromEntries(names.map((name) => [name, 'xyxy']))));
    });
  }

  test('`./a` and `a//b` are `a` and `a/b`', async (context) => {
    const target = tempDir(context);
    const bytes = archive(
      payload('./a', 0, 'x'),
      end('a'),
      file('b//./c', 'y'),
      file('././d', 'z'),
      file('..e/...', 'w'),
    );
    assertEnded(await unpack(target, bytes), EXIT.ok);
    assert.deepEqual(readTree(target), treeOf({ a: 'x', 'b/c': 'y', d: 'z', '..e/...': 'w' }));
    const other = tempDir(context);
    assertEnded(await unpack(other, archive(file('a', 'x'), file('./a', 'y'))), EXIT.damaged, /comes twice/);
  });

  test('a path that names a directory is refused', async (context) => {
    for (const path of sampled(['a/', 'a/.', '.', './', ''], 2)) {
      const target = tempDir(context);
      assertEnded(await unpack(target, archive(file(path, 'x'))), EXIT.damaged, /unsafe path/);
      assert.deepEqual(namesIn(target), []);
    }
  });

  test('modes: files 0640, directories 0750, under the umask', async (context) => {
    const modesOf = (target: string) =>
      ['a', 'd', 'd/e', 'd/e/f'].map((path) => fs.statSync(join(target, path)).mode & 0o7777);
    const masks = [
      ['000', [0o640, 0o750, 0o750, 0o640]],
      ['022', [0o640, 0o750, 0o750, 0o640]],
      ['077', [0o600, 0o700, 0o700, 0o600]],
    ] as const;
    for (const [umask, modes] of sampled(masks, 2)) {
      const target = tempDir(context);
      const wrapper = ['sh', '-c', `umask ${umask}; exec "$@"`, 'sh'];
      assertEnded(await unpack(target, archive(file('a', 'x'), file('d/e/f', 'y')), [], { wrapper }), EXIT.ok);
      assert.deepEqual(modesOf(target), modes, umask);
    }
  });

  test('a target whose name is not ASCII, with a file in it', async (context) => {
    const target = join(tempDir(context), 'Sauvegarde d’été');
    fs.mkdirSync(target);
    writeTree(target, { old: 'old', 'd/old': 'old' });
    assertEnded(await unpack(target, archive(file('a', '1'), file('d/b', '2'), file('\xe9/c', '3'))), EXIT.ok);
    assert.deepEqual(readTree(target), treeOf({ old: 'old', 'd/old': 'old', a: '1', 'd/b': '2', '\xe9/c': '3' }));
    assertEnded(await unpack(target, file('old', 'new')), EXIT.refused, /old exists/);
  });

  test('names that are no UTF-8, or would move a terminal', async (context) => {
    const target = tempDir(context);
    const names = [
      '\xff\xfe',
      'caf\xe9',
      'caf\xc3\xa9',
      'a\nb',
      '\x1b[31mred',
      'a\\b',
      ' ',
      '-rf',
      '\xe2\x80\xae',
      '\xe9\xff/\xc3\xa9/f',
    ];
    const bytes = archive(...names.map((name) => file(name, name)));
    assertEnded(await unpack(target, bytes), EXIT.ok);
    assert.deepEqual(readTree(target), treeOf(Object.fromEntries(names.map((name) => [name, name]))));
    const again = await unpack(target, file('\x1b[31mred', ''));
    assertEnded(again, EXIT.refused);
    assert.doesNotMatch(again.stderr, /\x1b/); // eslint-disable-line no-control-regex
  });
});
