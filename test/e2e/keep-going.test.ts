/** `extract --keep-going` saves every file that is whole, and names what is lost. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { archive, end, file, noise, payload, remove, rename, rewriting } from '../helpers/archive-bytes.js';
import { run } from '../helpers/cli.js';
import { linesOf } from '../helpers/json-lines.js';
import { EXIT } from '../helpers/outcome.js';
import { inTurn, sampled } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { tenDamages } from '../helpers/ten-damages.js';
import { readTree, treeOf } from '../helpers/tree.js';

describe('extract --keep-going', { concurrency: true }, () => {
  for (const kind of inTurn(['file', 'pipe'] as const)) {
    test(`gives every undamaged file its final name, from a ${kind}`, async (context) => {
      const { bytes, damages, good } = tenDamages();
      const path = join(tempDir(context), 'archive');
      fs.writeFileSync(path, bytes);
      const target = tempDir(context);
      const words = ['extract', '--keep-going', '--json', kind === 'file' ? path : '-', '-C', target];
      const { code, stdout } = await run(words, kind === 'pipe' ? { stdin: { kind, bytes } } : {});
      assert.equal(code, EXIT.damaged);
      const tree = Object.entries(readTree(target)).filter(([name]) => !name.includes('/.'));
      assert.deepEqual(Object.fromEntries(tree), treeOf(good));
      const lost = linesOf(stdout, 'lost').map(({ path: name }) => name);
      assert.deepEqual(lost.sort(), damages.map(({ path: name }) => name).sort());
    });
  }

  test('a second copy takes nothing from the first', async (context) => {
    const cases = [
      [[rename('x', 'y'), file('x', 'new')], { y: 'good', x: 'new', z: 'z' }, EXIT.damaged],
      [[remove('x')], { z: 'z' }, EXIT.damaged],
      [[file('x', 'new')], { x: 'good', z: 'z' }, EXIT.damaged],
      [[remove('x'), file('x', 'new')], { x: 'new', z: 'z' }, EXIT.damaged],
      [[payload('x', 4, 'new', { crc: 1 }), rename('x', 'y')], { y: 'good', z: 'z' }, EXIT.damaged],
    ] as const;
    for (const [rest, left, code] of sampled(cases, 2)) {
      const bytes = archive(file('x', 'good'), payload('x', 0, 'twice'), ...rest, file('z', 'z'));
      const target = tempDir(context);
      const words = ['extract', '--keep-going', '--json', '-', '-C', target];
      const { code: found, stdout } = await run(words, { stdin: { kind: 'pipe', bytes } });
      assert.equal(found, code);
      const tree = Object.entries(readTree(target)).filter(([name]) => !/^\.x.*\.partial$/.test(name));
      assert.deepEqual(Object.fromEntries(tree), treeOf(left));
      assert.deepEqual(linesOf(stdout, 'lost'), []);
    }
  });

  test('of a file that is selected the copy that is whole is saved, as without a selection', async (context) => {
    const path = join(tempDir(context), 'archive');
    const damaged = archive(payload('db1/t1.ibd', 0, 'another', { crc: 1 }), end('db1/t1.ibd'));
    const files = archive(file('ibdata1', 'x'), file('db1/t1.ibd', 'first'), file('db1/t2.ibd', 'x'));
    for (const copies of [1, 2]) {
      fs.writeFileSync(path, archive(files, ...new Array<Buffer>(copies).fill(damaged)));
      for (const selection of sampled([[], ['--include=db1/t1.ibd'], ['--tables=db1.t1']], 3, copies)) {
        const target = tempDir(context);
        const { code, stderr } = await run(['extract', '--keep-going', path, '-C', target, ...selection]);
        assert.equal(code, EXIT.damaged, stderr);
        assert.equal(readTree(target)['db1/t1.ibd'], treeOf({ f: 'first' })['f'], `${copies} ${selection.join(' ')}`);
      }
    }
  });

  const unreadable = (chunk: Buffer): Buffer => Buffer.concat([Buffer.from('XBSTCK0Z'), chunk.subarray(8)]);
  const rewritten = (content: string): Buffer => archive(rewriting('x', content), end('x'));
  for (const [title, chunks, left] of [
    ['a rewrite', [file('x', 'old'), rename('x', '../x'), rewritten('new')], { x: 'new' }],
    [
      'a rename and another file',
      [file('x', 'old'), rename('x', '../x'), rename('x', 'y'), file('x', 'new')],
      { x: 'new', y: 'old' },
    ],
    ['being replaced', [file('x', 'old'), rename('x', '../x'), file('y', 'new'), rename('y', 'x')], { x: 'new' }],
    ['a removal', [file('x', 'old'), rename('x', '../x'), remove('x')], {}],
    [
      'a damaged chunk, and a rewrite',
      [file('x', 'old'), unreadable(payload('x', 0, 'bad')), rewritten('new')],
      { x: 'new' },
    ],
    ['a lost rewrite', [file('x', 'old'), unreadable(rewriting('x', 'bad')), end('x'), rewritten('new')], { x: 'new' }],
    ['a lost rewrite, and a removal', [file('x', 'old'), unreadable(rewriting('x', 'bad')), end('x'), remove('x')], {}],
    [
      'a directory that is free again',
      [file('a', '1'), file('a/b/c', '2'), remove('a'), file('a/b', '3')],
      { 'a/b': '3' },
    ],
  ] as const) {
    for (const kind of inTurn(['file', 'pipe'] as const)) {
      test(`what was whole, and then ${title}, from a ${kind}`, async (context) => {
        const bytes = archive(...chunks, file('z', 'z'));
        const path = join(tempDir(context), 'archive');
        fs.writeFileSync(path, bytes);
        const target = tempDir(context);
        const words = ['extract', '--keep-going', kind === 'file' ? path : '-', '-C', target];
        const { code, stderr } = await run(words, kind === 'pipe' ? { stdin: { kind, bytes } } : {});
        assert.equal(code, EXIT.damaged, stderr);
        assert.deepEqual(readTree(target), treeOf({ ...left, z: 'z' }));
      });
    }
  }

  test('what cannot be made at the end costs itself, and hides nothing', async (context) => {
    const bytes = archive(end('e1'), end('e2'), file('x', '1'), payload('y', 0, '2', { crc: 1 }), end('y'));
    const target = tempDir(context);
    fs.writeFileSync(join(target, 'e1'), 'old');
    const words = ['extract', '--keep-going', '--json', '-', '-C', target];
    const { code, stdout } = await run(words, { stdin: { kind: 'pipe', bytes } });
    assert.equal(code, EXIT.refused);
    assert.deepEqual(
      linesOf(stdout, 'error')
        .map(({ code: told }) => told)
        .sort(),
      ['XB_BAD_CRC', 'XB_TARGET_EXISTS'],
    );
    assert.doesNotMatch(stdout, /was not looked at/);
    assert.deepEqual(fs.readdirSync(target).sort(), ['.y.partial', 'e1', 'e2', 'x']);
    assert.deepEqual(
      linesOf(stdout, 'lost')
        .map(({ path }) => path)
        .sort(),
      ['e1', 'y'],
    );
  });

  test('a partial file that no error is about is named all the same', async (context) => {
    const bytes = archive(payload('b', 0, 'hello'), noise(99), end('b'), payload('a', 0, 'aaa'));
    const target = tempDir(context);
    const { stderr } = await run(['extract', '--keep-going', '-', '-C', target], { stdin: { kind: 'pipe', bytes } });
    assert.deepEqual(fs.readdirSync(target).sort(), ['.a.partial', '.b.partial']);
    for (const name of ['.a.partial', '.b.partial']) assert.equal(stderr.split(name).length, 2, stderr);
  });

  test('a list of what was lost', async (context) => {
    const bytes = archive(file('a', 'A'), payload('b', 0, 'B'), file('c', 'C'));
    const words = ['extract', '--keep-going', '-', '-C', tempDir(context)];
    const { code, stdout, stderr } = await run(words, { stdin: { kind: 'pipe', bytes } });
    assert.equal(code, EXIT.incomplete);
    assert.match(stdout, /lost 1 file; 2 files \(2 B\) are whole\. Lost:\n {2}b\n/);
    assert.match(stderr, /b is complete/);
  });

  test('damage inside of compressed files costs these files', async (context) => {
    const bytes = archive(
      file('bad1.lz4', noise(3000)),
      file('bad2.zst', noise(3000)),
      file('a', 'A'),
      file('e.qp', 'x'),
    );
    const target = tempDir(context);
    const words = ['extract', '--keep-going', '--decompress', '--remove-partial', '-', '-C', target];
    const { code } = await run(words, { stdin: { kind: 'pipe', bytes } });
    assert.equal(code, EXIT.damaged);
    assert.deepEqual(readTree(target), treeOf({ a: 'A' }));
  });

  test('a whole archive leaves nothing of a file that was emptied and then replaced by a renamed one', async (context) => {
    const target = tempDir(context);
    const bytes = archive(file('a', 'rows'), end('a'), file('b', 'copied'), rename('b', 'a'));
    const words = ['extract', '-q', '--keep-going', '-', '-C', target];
    assert.equal((await run(words, { stdin: { kind: 'pipe', bytes } })).code, EXIT.ok);
    assert.deepEqual(readTree(target), treeOf({ a: 'copied' }));
  });

  test('a whole archive is unpacked as ever; a target that exists still ends it', async (context) => {
    const target = tempDir(context);
    const bytes = archive(file('a', 'A'), end('e'));
    const words = ['extract', '-q', '--keep-going', '-', '-C', target];
    assert.equal((await run(words, { stdin: { kind: 'pipe', bytes } })).code, EXIT.ok);
    assert.deepEqual(readTree(target), treeOf({ a: 'A', e: '' }));
    assert.equal((await run(words, { stdin: { kind: 'pipe', bytes } })).code, EXIT.refused);
  });
});

describe('what damage leaves in doubt gets no final name', { concurrency: true }, () => {
  const first = 'first'.repeat(10);
  const second = payload('t1.ibd', 50, 'second'.repeat(20));
  const shortened = Buffer.from(second);
  shortened.writeUInt32LE(4, 10); // the length of the path
  const bad = payload('a', 0, 'bad', { crc: 1 });
  const ways = (['file', 'pipe'] as const).flatMap((kind) => [false, true].map((removes) => [kind, removes] as const));
  for (const [title, bytes, code, tree] of [
    [
      'all of it had an impossible name',
      archive(payload('\0', 0, 'precious'), end('a'), file('c', 'c')),
      EXIT.damaged,
      { c: 'c' },
    ],
    [
      'a part of it had an impossible name',
      archive(payload('a', 0, 'abc'), payload('\0', 3, 'the rest'), end('a'), file('c', 'c')),
      EXIT.damaged,
      { '.a.partial': 'abc', c: 'c' },
    ],
    [
      'a part of it seems to be another file',
      archive(payload('t1.ibd', 0, first), shortened, end('t1.ibd'), file('zz', 'z')),
      EXIT.damaged,
      { '.t1.ibd.partial': first, zz: 'z' },
    ],
    [
      'it is replaced by a good one later',
      archive(bad, end('a'), rewriting('a', 'new'), end('a'), file('c', 'c')),
      EXIT.damaged,
      { '.a.partial': 'bad', a: 'new', c: 'c' },
    ],
    [
      'it is removed, and there is another',
      archive(bad, end('a'), remove('a'), file('a', 'new'), file('c', 'c')),
      EXIT.damaged,
      { '.a.partial': 'bad', a: 'new', c: 'c' },
    ],
    [
      'it is renamed, and there is another',
      archive(bad, end('a'), rename('a', 'b'), file('a', 'new'), file('c', 'c')),
      EXIT.damaged,
      { '.a.partial': 'bad', a: 'new', c: 'c' },
    ],
    [
      'another takes its place',
      archive(bad, end('a'), file('b', 'B'), rename('b', 'a'), file('c', 'c')),
      EXIT.damaged,
      { '.a.partial': 'bad', a: 'B', c: 'c' },
    ],
  ] as const) {
    test(title, async (context) => {
      for (const [kind, removes] of inTurn(ways)) {
        const path = join(tempDir(context), 'archive');
        fs.writeFileSync(path, bytes);
        const target = tempDir(context);
        const words = ['extract', '--keep-going', kind === 'file' ? path : '-', '-C', target];
        const more = removes ? ['--remove-partial'] : [];
        const result = await run([...words, ...more], kind === 'pipe' ? { stdin: { kind, bytes } } : {});
        assert.equal(result.code, code, result.stderr);
        const names = Object.entries(tree).filter(([name]) => !removes || !name.startsWith('.'));
        const found = Object.entries(readTree(target)).filter(([name]) => !name.startsWith('.t1.i.'));
        assert.deepEqual(Object.fromEntries(found), treeOf(Object.fromEntries(names)));
      }
    });
  }

  test('a file that is in the way costs that file', async (context) => {
    const target = tempDir(context);
    fs.writeFileSync(join(target, 'b'), 'old');
    const bytes = archive(file('a', 'A'), file('b', 'B'), file('c', 'C'));
    const { code, stderr } = await run(['extract', '--keep-going', '-', '-C', target], {
      stdin: { kind: 'pipe', bytes },
    });
    assert.equal(code, EXIT.refused);
    assert.match(stderr, /b exists in the target already/);
    assert.deepEqual(readTree(target), treeOf({ a: 'A', b: 'old', c: 'C' }));
  });
});
