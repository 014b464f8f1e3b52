/** Files that are in the target already: --overwrite and --skip-existing. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { archive, end, file, noise, payload, remove, rename, rewriting, sparse } from '../helpers/archive-bytes.js';
import { run } from '../helpers/cli.js';
import { qpressFile } from '../helpers/layer-writers.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { inTurn, sampled } from '../helpers/programs.js';
import { tempDir, type Cleanup } from '../helpers/temp.js';
import { readTree, treeOf, writeTree } from '../helpers/tree.js';

type Files = Readonly<Record<string, Buffer | string>>;

async function unpack(context: Cleanup, before: Files, bytes: Buffer, ...args: readonly string[]) {
  const target = tempDir(context);
  writeTree(target, before);
  const result = await run(['extract', '-q', '-', '-C', target, ...args], { stdin: { kind: 'pipe', bytes } });
  return { target, result };
}

describe('--overwrite', { concurrency: true }, () => {
  test('replaces', async (context) => {
    const bytes = archive(file('a', 'new'), end('b'), file('c', 'x'));
    const { target, result } = await unpack(context, { a: 'old', b: 'old', other: 'o' }, bytes, '--overwrite');
    assertEnded(result, EXIT.ok);
    assert.deepEqual(readTree(target), treeOf({ a: 'new', b: '', c: 'x', other: 'o' }));
  });

  test('leaves the old file as it is until the new one is whole', async (context) => {
    const failures = [
      [archive(payload('a', 0, 'ne', { crc: 1 }), end('a')), EXIT.damaged],
      [payload('a', 0, 'ne'), EXIT.incomplete],
      [archive(payload('a', 0, 'ne'), end('b')), EXIT.incomplete],
    ] as const;
    for (const [bad, code] of sampled(failures, 3)) {
      const { target, result } = await unpack(context, { a: 'old', b: 'old' }, bad, '--overwrite');
      assertEnded(result, code);
      assert.deepEqual(readTree(target), treeOf({ a: 'old', b: 'old', '.a.partial': 'ne' }));
    }
  });

  test('does not replace a directory', async (context) => {
    const { target, result } = await unpack(context, { 'a/x': 'old' }, file('a', 'new'), '--overwrite');
    assertEnded(result, EXIT.refused, /\ba\b/);
    assert.equal(fs.readFileSync(join(target, 'a/x'), 'latin1'), 'old');
  });

  test('replaces a symbolic link itself, not what it leads to', async (context) => {
    const target = tempDir(context);
    const outside = join(tempDir(context), 'outside');
    fs.writeFileSync(outside, 'precious');
    fs.symlinkSync(outside, join(target, 'a'));
    const stdin = { kind: 'pipe', bytes: file('a', 'new') } as const;
    assertEnded(await run(['extract', '-q', '-', '-C', target, '--overwrite'], { stdin }), EXIT.ok);
    assert.equal(fs.readFileSync(outside, 'latin1'), 'precious');
    assert.deepEqual(readTree(target), treeOf({ a: 'new' }));
  });

  test('a correction may concern an older file', async (context) => {
    const bytes = archive(remove('old'), file('a', 'new'), rename('a', 'b'), rewriting('c', 'new'), end('c'));
    const { target, result } = await unpack(context, { old: '1', b: '2', c: '3' }, bytes, '--overwrite');
    assertEnded(result, EXIT.ok);
    assert.deepEqual(readTree(target), treeOf({ b: 'new', c: 'new' }));
  });

  test('an older file does not stay in the place of an empty one that was removed or renamed', async (context) => {
    const corrections = [
      [remove('a'), {}],
      [rename('a', 'b'), { b: '' }],
      [rename('a', 'd/b'), { 'd/b': '' }],
    ] as const;
    for (const [correction, after] of sampled(corrections, 2)) {
      const bytes = archive(end('a'), file('c', 'x'), correction);
      const replacing = await unpack(context, { a: 'old' }, bytes, '--overwrite');
      assertEnded(replacing.result, EXIT.ok);
      assert.deepEqual(readTree(replacing.target), treeOf({ c: 'x', ...after }));
      const refusing = await unpack(context, { a: 'old' }, bytes);
      assertEnded(refusing.result, EXIT.refused, /a exists in the target already/);
      assert.equal(readTree(refusing.target)['a'], treeOf({ a: 'old' })['a']);
    }
  });

  test('an older file does not stay in the place of a selected one that was removed or renamed, from a file or a pipe', async (context) => {
    for (const correction of [remove('d/a'), rename('d/a', 'e/a')]) {
      const bytes = archive(file('d/a', 'x'), file('d/b', 'y'), correction);
      const path = join(tempDir(context), 'archive');
      fs.writeFileSync(path, bytes);
      for (const input of inTurn([path, '-'])) {
        const target = tempDir(context);
        writeTree(target, { 'd/a': 'old', 'e/a': 'other' });
        const stdin = { kind: 'pipe', bytes } as const;
        const words = ['-q', input, 'd/*', '-C', target, '--overwrite'];
        assertEnded(await run(['extract', ...words], { stdin }), EXIT.ok);
        assert.deepEqual(readTree(target), treeOf({ 'd/b': 'y', 'e/a': 'other' }));
      }
    }
  });

  test('is no licence for a duplicate', async (context) => {
    const { target, result } = await unpack(context, {}, archive(file('a', '1'), file('a', '2')), '--overwrite');
    assertEnded(result, EXIT.damaged, /comes twice/);
    assert.deepEqual(readTree(target), treeOf({ a: '1' }));
  });
});

const content = noise(700_000);
const holes = archive(
  payload('s', 600_000, 'at the end'),
  sparse(
    's',
    0,
    [
      [70_000, 5],
      [300_000, 4],
      [1000, 0],
    ],
    'inner'.padEnd(9, '.'),
  ),
  sparse('s', 371_009, [[228_991, 0]], ''),
  end('s'),
);
const sparseContent = Buffer.alloc(600_010);
sparseContent.write('inner', 70_000);
sparseContent.write('....', 370_005);
sparseContent.write('at the end', 600_000);
const shuffled = archive(
  payload('a', 500_000, content.subarray(500_000)),
  payload('a', 0, content.subarray(0, 300_000)),
  payload('a', 300_000, content.subarray(300_000, 500_000)),
  end('a'),
);

describe('--skip-existing', { concurrency: true }, () => {
  const bytes = archive(shuffled, holes, end('e'), file('new', 'x'));
  const right = { a: content, s: sparseContent, e: '' };

  test('what this test takes for right is what is unpacked', async (context) => {
    const { target, result } = await unpack(context, {}, bytes);
    assertEnded(result, EXIT.ok);
    assert.deepEqual(readTree(target), treeOf({ ...right, new: 'x' }));
  });

  for (const option of sampled(['--skip-existing', '--skip-existing=verify'], 2, 1)) {
    test(`${option} keeps what is the archive's`, async (context) => {
      const target = tempDir(context);
      writeTree(target, right);
      const before = ['a', 's', 'e'].map((name) => fs.statSync(join(target, name)).ino);
      const args = ['extract', '-', '-C', target, '--json', option];
      const result = await run(args, { stdin: { kind: 'pipe', bytes } });
      assert.deepEqual([result.code, result.stderr], [EXIT.ok, '']);
      assert.deepEqual(readTree(target), treeOf({ ...right, new: 'x' }));
      assert.deepEqual(
        ['a', 's', 'e'].map((name) => fs.statSync(join(target, name)).ino),
        before,
      );
      assert.match(result.stdout, /"keptFiles":3/);
    });
  }

  test('a file of the right size and other content is kept, but not with =verify', async (context) => {
    const other = Buffer.from(content);
    other[699_999]! ^= 1;
    const size = await unpack(context, { a: other }, bytes, '--skip-existing');
    assertEnded(size.result, EXIT.ok);
    const verified = await unpack(context, { a: other }, bytes, '--skip-existing=verify');
    assertEnded(verified.result, EXIT.refused, /a in the target is not the archive's file/, /not touched/);
    assert.deepEqual(readTree(verified.target), treeOf({ a: other }));
  });

  test('=verify looks into holes', async (context) => {
    for (const at of sampled([0, 69_999, 200_000, 599_999], 4, 2)) {
      const other = Buffer.from(sparseContent);
      other[at] = 1;
      const { result } = await unpack(context, { s: other }, bytes, '--skip-existing=verify');
      assertEnded(result, EXIT.refused, /s in the target is not the archive's file/);
    }
  });

  test('a file of another size is an error', async (context) => {
    for (const [turn, option] of ['--skip-existing', '--skip-existing=verify'].entries()) {
      const others = [content.subarray(1), Buffer.concat([content, Buffer.alloc(1)]), ''];
      for (const other of sampled(others, 3, turn)) {
        const { target, result } = await unpack(context, { a: other }, bytes, option);
        assertEnded(result, EXIT.refused, /a in the target is not the archive's file/);
        assert.deepEqual(readTree(target)['a'], treeOf({ a: other })['a']);
      }
    }
  });

  test('what is no regular file is an error', async (context) => {
    const kinds = [
      (path: string) => fs.mkdirSync(path),
      (path: string) => fs.symlinkSync('elsewhere', path),
      (path: string) => fs.symlinkSync('/dev/zero', path),
    ];
    for (const make of sampled(kinds, 3, 1)) {
      const target = tempDir(context);
      make(join(target, 'a'));
      const args = ['extract', '-q', '-', '-C', target, '--skip-existing=verify'];
      assertEnded(await run(args, { stdin: { kind: 'pipe', bytes } }), EXIT.refused, /\ba\b/);
    }
  });

  test('a later correction of a kept file is an error', async (context) => {
    const corrections = [remove('a'), rename('a', 'b'), archive(rewriting('a', 'x'), end('a'))];
    for (const correction of sampled(corrections, 3, 1)) {
      const { target, result } = await unpack(
        context,
        { a: '1' },
        archive(file('a', '1'), correction),
        '--skip-existing',
      );
      assertEnded(result, EXIT.refused, /a was kept as it was, but the archive changes it later/);
      assert.deepEqual(readTree(target), treeOf({ a: '1' }));
    }
  });

  test('damage in a kept file is damage', async (context) => {
    const bad = archive(payload('a', 0, '1', { crc: 7 }), end('a'));
    const { result } = await unpack(context, { a: '1' }, bad, '--skip-existing');
    assertEnded(result, EXIT.damaged, /checksum mismatch/);
  });
});

describe('a file that is kept', { concurrency: true }, () => {
  const ways = [
    ['--skip-existing', 'OLD!'],
    ['--skip-existing=verify', 'OLD?'],
  ] as const;
  for (const [way, old] of inTurn(ways)) {
    test(`is not replaced by a renamed one (${way})`, async (context) => {
      const bytes = archive(file('b', 'OLD?'), file('a', 'NEWC'), rename('a', 'b'));
      const { target, result } = await unpack(context, { b: old }, bytes, way);
      assertEnded(result, EXIT.refused, /b was kept as it was, but the archive changes it later/);
      assert.equal(fs.readFileSync(join(target, 'b'), 'latin1'), old);
    });
  }

  for (const [way] of inTurn(ways)) {
    test(`costs no descriptor, and little memory (${way})`, async (context) => {
      const names = Array.from({ length: 300 }, (_, index) => `f${index}`);
      const bytes = archive(...names.map((name) => payload(name, 0, 'half ')), ...names.map((name) => end(name)));
      const target = tempDir(context);
      writeTree(target, Object.fromEntries(names.map((name) => [name, 'half '])));
      const wrapper = ['sh', '-c', 'ulimit -n 64; exec "$@"', 'sh'];
      const words = ['extract', '-q', '-', '-C', target, way];
      const result = await run(words, { stdin: { kind: 'pipe', bytes }, wrapper, measureMemory: true });
      assertEnded(result, EXIT.ok);
      assert.ok(result.peakBytes < 130 * 2 ** 20, `${result.peakBytes}`);
    });
  }

  test('of which a hundred thousand parts come in any order', async (context) => {
    const content = noise(120_000);
    const parts = [0, 1].flatMap((odd) =>
      Array.from({ length: 60_000 }, (_, index) =>
        payload('x', 2 * index + odd, content.subarray(2 * index + odd, 2 * index + odd + 1)),
      ),
    );
    const bytes = archive(...parts, end('x'));
    const before = [
      [content, EXIT.ok],
      [Buffer.concat([content.subarray(0, -1), Buffer.of(content.at(-1)! ^ 1)]), EXIT.refused],
    ] as const;
    for (const [old, code] of sampled(before, 2, 1)) {
      const target = tempDir(context);
      fs.writeFileSync(join(target, 'x'), old);
      const words = ['extract', '-q', '-', '-C', target, '--skip-existing=verify'];
      assert.equal((await run(words, { stdin: { kind: 'pipe', bytes } })).code, code);
    }
  });

  test('is nothing stale, and neither is one that was just unpacked', async (context) => {
    const bytes = archive(payload('x', 0, 'xx'), payload('y', 0, 'yy'), file('.x.partial', 'mine'), end('x'), end('y'));
    for (const [way, left] of [
      ['--overwrite', 'mine'],
      ['--skip-existing', 'old!'],
    ] as const) {
      const { target, result } = await unpack(context, { '.x.partial': 'old!' }, bytes, way);
      assertEnded(result, EXIT.ok);
      assert.deepEqual(readTree(target), treeOf({ '.x.partial': left, x: 'xx', y: 'yy' }));
    }
  });
});

test('a directory may have the name of a file that grows', async (context) => {
  const bytes = archive(payload('x', 0, 'xx'), file('y', 'y'), file('.x.partial/z', 'z'), end('x'));
  const { target, result } = await unpack(context, {}, bytes);
  assertEnded(result, EXIT.ok);
  assert.deepEqual(readTree(target), treeOf({ x: 'xx', y: 'y', '.x.partial/z': 'z' }));
});

describe('--dry-run ends as the extraction does', { concurrency: true }, () => {
  const cases = [
    ['a file that differs', { a: 'old' }, file('a', 'longer'), ['--skip-existing'], EXIT.refused],
    ['content that differs', { a: 'old' }, file('a', 'new'), ['--skip-existing=verify'], EXIT.refused],
    ['content that does not', { a: 'old' }, file('a', 'old'), ['--skip-existing=verify'], EXIT.ok],
    ['a directory in the place of a file', { 'a/x': 'old' }, file('a', 'new'), ['--overwrite'], EXIT.refused],
    [
      'a directory in the place of a file that is cut',
      { 'a/x': 'old' },
      payload('a', 0, 'new'),
      ['--overwrite'],
      EXIT.refused,
    ],
    ['a file that gives way', { a: 'old' }, file('a', 'new'), ['--overwrite'], EXIT.ok],
    ['a rename onto an old file', { b: 'old' }, archive(file('a', 'x'), rename('a', 'b')), [], EXIT.refused],
    [
      'a rename of a kept file',
      { a: 'x' },
      archive(file('a', 'x'), rename('a', 'b')),
      ['--skip-existing'],
      EXIT.refused,
    ],
    ['a file in a file', {}, archive(file('x', '1'), file('x/y', '2')), [], EXIT.damaged],
    ['a directory with the name of a file', {}, archive(file('x/y', '1'), file('x', '2')), [], EXIT.damaged],
    ['names made the same', {}, archive(file('a/x', '1'), file('b/x', '2')), ['--strip-components=1'], EXIT.refused],
    [
      'a rename onto a directory',
      { 'b/x': 'old' },
      archive(file('a', '1'), rename('a', 'b')),
      ['--overwrite'],
      EXIT.refused,
    ],
    [
      'a removal of a name that is taken by another file still open',
      {},
      archive(payload('a/x', 0, '1'), remove('b/x'), end('a/x')),
      ['--strip-components=1'],
      EXIT.refused,
    ],
    ['a name that no file system takes', {}, archive(file('a', '1'), end('n'.repeat(256))), [], EXIT.refused],
    ['a rename of a directory', {}, archive(file('d/a', '1'), rename('d', 'e')), [], EXIT.refused],
    [
      'a removal of a file by its decoded name',
      {},
      archive(file('a.qp', qpressFile(Buffer.from('x'))), remove('a')),
      ['--decompress'],
      EXIT.refused,
    ],
    ['a name that is free again', {}, archive(file('x', '1'), remove('x'), file('x', '2')), [], EXIT.ok],
  ] as const;
  for (const [title, before, bytes, args, code] of sampled(cases, 5)) {
    test(title, async (context) => {
      const dry = await unpack(context, before, bytes, ...args, '--dry-run');
      assert.equal(dry.result.code, code, dry.result.stderr);
      assert.deepEqual(readTree(dry.target), treeOf(before));
      assert.equal((await unpack(context, before, bytes, ...args)).result.code, code);
    });
  }
});

test('a file that is compared in very many parts out of order is refused, not compared for days', async (context) => {
  const runs = Array.from({ length: 70_000 }, () => [1, 1] as const);
  const bytes = archive(sparse('a', 100, runs, Buffer.alloc(runs.length)), payload('a', 10, '\0'), end('a'));
  const { result } = await unpack(context, { a: Buffer.alloc(140_100) }, bytes, '--skip-existing=verify');
  assertEnded(result, EXIT.undecodable, /a is there already, and comes in too many parts to be compared/);
});
