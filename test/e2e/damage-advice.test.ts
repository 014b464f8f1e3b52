/** Damage names its cure, once; and what says the same of many files is told once. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { archive, end, file, noise, payload } from '../helpers/archive-bytes.js';
import { run, type Stdin } from '../helpers/cli.js';
import { fixturePath } from '../helpers/fixtures.js';
import { qpressFile } from '../helpers/layer-writers.js';
import { linesOf } from '../helpers/json-lines.js';
import { EXIT } from '../helpers/outcome.js';
import { inTurn, sampled, SOAK } from '../helpers/programs.js';
import { reportInput, reportPath } from '../helpers/report-input.js';
import { tempDir } from '../helpers/temp.js';
import { readTree, treeOf } from '../helpers/tree.js';

const timesIn = (text: string, what: RegExp): number => [...text.matchAll(new RegExp(what, 'g'))].length;

function from(kind: 'file' | 'pipe', name: string): { input: string; options: { stdin?: Stdin } } {
  return kind === 'file'
    ? { input: reportPath(name), options: {} }
    : { input: '-', options: { stdin: { kind, bytes: reportInput(name) } } };
}

describe('a damaged archive', { concurrency: true }, () => {
  const bytes = archive(file('a', 'A'), payload('b', 0, 'B', { crc: 1 }), end('b'), file('c', 'C'));

  test('extract, -x and verify say how to save the rest, once; and that works', async (context) => {
    const path = join(tempDir(context), 'archive');
    writeFileSync(path, bytes);
    const target = tempDir(context);
    const failed = await run(['extract', path, '-C', target]);
    const cure = `tsxbstream extract --keep-going --skip-existing -C ${target} ${path}`;
    assert.equal(failed.code, EXIT.damaged);
    assert.equal(failed.stderr.split(cure).length, 2, failed.stderr);
    assert.equal((await run(cure.split(' ').slice(1))).code, EXIT.damaged);
    assert.deepEqual(
      [readTree(target)['a'], readTree(target)['c']],
      [treeOf({ a: 'A' })['a'], treeOf({ a: 'C' })['a']],
    );
    const classic = await run(['-x', '-C', tempDir(context)], { stdin: { kind: 'pipe', bytes } });
    assert.equal(timesIn(classic.stderr, /\| tsxbstream extract --keep-going --skip-existing -C/), 1, classic.stderr);
    const verified = await run(['verify', path]);
    assert.equal(timesIn(verified.stdout, /tsxbstream extract --keep-going -C DIR/), 1, verified.stdout);
  });

  test('unpacked with more options: what saves the rest is the same command, and gives the same files', async (context) => {
    const packed = archive(
      file('db/a.qp', qpressFile(Buffer.from('A'))),
      payload('db/b', 0, 'B', { crc: 1 }),
      end('db/b'),
      file('db/c.qp', qpressFile(Buffer.from('C'))),
      file('d', 'D'),
    );
    const path = join(tempDir(context), 'archive');
    writeFileSync(path, packed);
    const target = tempDir(context);
    const words = ['extract', path, 'db', '--decompress', '--strip-components=1', '-C', target];
    const failed = await run(words);
    assert.equal(failed.code, EXIT.damaged);
    const [, said] = /to save the rest: the same command with (--.*)\n/.exec(failed.stderr) ?? [];
    assert.equal(said, '--keep-going --skip-existing', failed.stderr);
    assert.equal((await run([...words, ...said.split(' ')])).code, EXIT.damaged);
    const { b: _b, '.b.partial': _partial, ...saved } = readTree(target);
    const tree = treeOf({ a: 'A', c: 'C' });
    assert.deepEqual([saved['a'], saved['c'], saved['d']], [tree['a'], tree['c'], undefined]);
    const replacing = await run([...words, '--overwrite']);
    assert.match(replacing.stderr, /to save the rest: the same command with --keep-going\n/);
  });

  test('that is cut names --skip-existing, which then goes on', async (context) => {
    const whole = archive(file('a', 'A'), file('b', noise(3000), 1000), file('c', 'C'));
    const target = tempDir(context);
    const cut = await run(['-x', '-C', target], { stdin: { kind: 'pipe', bytes: whole.subarray(0, 1500) } });
    assert.equal(cut.code, EXIT.incomplete);
    assert.equal(timesIn(cut.stderr, /the same command with --skip-existing goes on/), 1, cut.stderr);
    const resumed = await run(['-x', '-C', target, '--skip-existing'], { stdin: { kind: 'pipe', bytes: whole } });
    assert.equal(resumed.code, EXIT.ok, resumed.stderr);
    assert.deepEqual(readTree(target), treeOf({ a: 'A', b: noise(3000), c: 'C' }));
  });

  test('that is cut: what followed is not known, and nothing is called lost', async (context) => {
    const cut = archive(file('a', 'A'), payload('b', 0, noise(3000))).subarray(0, 1500);
    const words = ['extract', '--keep-going', '-', '-C', tempDir(context)];
    const { code, stdout } = await run(words, { stdin: { kind: 'pipe', bytes: cut } });
    assert.equal(code, EXIT.incomplete);
    assert.match(stdout, /cut at byte 1500: what would have followed is not known. 1 file \(1 B\) is whole/);
    assert.match(stdout, /Not complete:\n {2}b\n/);
    assert.doesNotMatch(stdout, /lost/i);
  });

  test('the first error comes first, also where the run ends with another', async (context) => {
    const two = archive(
      payload('a', 0, 'A', { crc: 1 }),
      end('a'),
      payload('b', 1, 'B'),
      end('b'),
      payload('c', 0, 'x'),
    );
    const words = ['extract', '--keep-going', '-', '-C', tempDir(context)];
    const { stderr } = await run(words, { stdin: { kind: 'pipe', bytes: two } });
    const told = [...stderr.matchAll(/^tsxbstream: (.*)$/gm)].map(([, line]) => line!);
    assert.deepEqual(
      told.map((line) => /mismatch|missing|ends before/.exec(line)?.[0]),
      ['mismatch', 'missing', 'ends before'],
    );
  });

  for (const kind of inTurn(['file', 'pipe'] as const)) {
    test(`one trailing byte is one problem, from a ${kind}`, async () => {
      const { input, options } = from(kind, '09-one-trailing-byte.xbstream');
      const { code, stdout } = await run(['verify', '--json', input], options);
      assert.equal(code, EXIT.damaged);
      assert.equal(linesOf(stdout, 'problem').length, 1, stdout);
      assert.equal(linesOf(stdout, 'summary')[0]!['problems'], 1);
    });
  }

  for (const kind of inTurn(['file', 'pipe'] as const)) {
    test(`a second archive behind the first is named with its place, once, from a ${kind}`, async (context) => {
      const { input, options } = from(kind, '10-two-archives-in-one.xbstream');
      const target = tempDir(context);
      const calls = [
        ['extract', '--keep-going', input, '-C', target],
        ['verify', input],
        ['list', input],
      ];
      for (const words of sampled(calls, 2)) {
        const { code, stdout, stderr } = await run(words, options);
        assert.equal(code, EXIT.damaged);
        assert.equal(timesIn(stdout + stderr, /a second archive begins at byte 259/), 1, stdout + stderr);
        assert.doesNotMatch(stdout + stderr, /comes twice|lost/);
        assert.match(stdout + stderr, /tail -c \+260 /);
      }
      assert.deepEqual(Object.keys(readTree(target)).sort(), ['ibdata1', 'xtrabackup_info']);
      const refused = await run(['extract', input, '-C', tempDir(context)], options);
      assert.match(refused.stderr, /a second archive begins at byte 259/);
    });
  }

  test('a second archive is none of the first where newer xtrabackup made both', async (context) => {
    const single = (path: string, content: string): Buffer =>
      archive(payload(path, 0, content, { flags: 2 }), end(path));
    const backup = (lsn: string): Buffer =>
      archive(single('ibdata1', lsn), single('db1/t1.ibd', lsn), single('xtrabackup_info', `to_lsn = ${lsn}\n`));
    const first = backup('111');
    const path = join(tempDir(context), 'archive');
    writeFileSync(path, archive(first, backup('222')));
    const target = tempDir(context);
    const calls = [
      ['verify', path],
      ['list', path],
      ['extract', path, '-C', tempDir(context)],
      ['extract', '--keep-going', path, '-C', target],
    ];
    for (const words of sampled(calls, 3)) {
      const { code, stdout, stderr } = await run(words);
      assert.equal(code, EXIT.damaged, stdout + stderr);
      assert.equal(timesIn(stdout + stderr, new RegExp(`a second archive begins at byte ${first.length}`)), 1);
    }
    assert.deepEqual(
      readTree(target),
      treeOf({ ibdata1: '111', 'db1/t1.ibd': '111', xtrabackup_info: 'to_lsn = 111\n' }),
    );
  });

  test('thousands of like problems are one, with a count, the first few, and how to see all', async (context) => {
    const count = SOAK ? 3000 : 1100;
    const than = (fewer: number): string => (count - fewer).toLocaleString('en');
    const names = Array.from({ length: count }, (_, index) => `d/f${index}`);
    const many = archive(...names.flatMap((name) => [payload(name, 0, 'x', { crc: 1 }), end(name)]), file('z', 'z'));
    const stdin = { kind: 'pipe', bytes: many } as const;
    const verified = await run(['verify', '-'], { stdin });
    assert.match(
      verified.stdout,
      new RegExp(`the same is wrong with ${than(1)} more files: d/f1, d/f2, .*-v tells all`),
    );
    assert.ok(verified.stdout.split('\n').length < 15, verified.stdout.slice(0, 2000));
    const words = ['extract', '--keep-going', '--remove-partial', '-', '-C'];
    const extracted = await run([...words, tempDir(context)], { stdin });
    assert.ok(extracted.stderr.split('\n').length < 15, extracted.stderr.slice(0, 2000));
    assert.match(extracted.stdout, new RegExp(`lost ${count} files|lost ${than(0)} files`));
    assert.match(extracted.stdout, new RegExp(`and ${than(20)} more \\(-v names them`));
    const all = await run(['verify', '-v', '-'], { stdin });
    assert.equal(timesIn(all.stdout, /checksum mismatch/), count);
    const json = await run(['verify', '--json', '-'], { stdin });
    assert.equal(linesOf(json.stdout, 'problem').length, count);
  });
});

describe('--keep-going saves what is whole', { concurrency: true }, () => {
  for (const kind of ['file', 'pipe'] as const) {
    const archives = [
      ['05-log-between-chunks.xbstream', ['a', 'b', 'empty.CSV'], []],
      ['13-empty-file-before-damage.xbstream', ['a', 'b', 'mysql/general_log.CSV'], []],
      ['18-path-length-swallows-next.xbstream', ['d/f47.ibd', 'd/f48.ibd'], ['d/f46.ibd']],
    ] as const;
    for (const [name, left, lost] of sampled(archives, 3, 2 * Number(kind === 'pipe'))) {
      test(`${name}, and list and verify agree, from a ${kind}`, async (context) => {
        const { input, options } = from(kind, name);
        const target = tempDir(context);
        const { code, stdout } = await run(['extract', '--keep-going', '--json', input, '-C', target], options);
        assert.equal(code, EXIT.damaged);
        const names = Object.keys(readTree(target)).filter((path) => !path.endsWith('.partial'));
        assert.deepEqual(names.sort(), left);
        assert.deepEqual(
          linesOf(stdout, 'lost').map(({ path }) => path),
          lost,
        );
        const listed = await run(['list', '--json', input], options);
        const whole = linesOf(listed.stdout, 'entry').filter(({ complete }) => complete);
        assert.deepEqual(whole.map(({ path }) => path as string).sort(), left);
        const sums = join(tempDir(context), 'sums');
        const manifest = await run(['verify', input, '--manifest', sums], options);
        assert.equal(manifest.code, EXIT.damaged);
      });
    }
  }
});

test('a wrong key of a whole archive is one sentence, and -v tells every file', async (context) => {
  const keyFile = join(tempDir(context), 'key');
  writeFileSync(keyFile, 'k'.repeat(32));
  const words = ['verify', '--deep', '-f', keyFile, fixturePath('percona/base-zstd-AES256')];
  const [short, long, json] = await Promise.all([run(words), run([...words, '-v']), run([...words, '--json'])]);
  assert.deepEqual([short.code, long.code, json.code], Array(3).fill(EXIT.undecodable));
  assert.equal(timesIn(short.stdout, /XB_WRONG_KEY/), 1, short.stdout);
  assert.match(short.stdout, /the same is wrong with 8 more files: /);
  assert.equal(timesIn(long.stdout, /XB_WRONG_KEY/), 9, long.stdout);
  assert.equal(timesIn(json.stdout, /"XB_WRONG_KEY"/), 9, json.stdout);
});

test('nothing is advised to save of an input in which no file is whole', async (context) => {
  const path = join(tempDir(context), 'input');
  for (const bytes of [Buffer.from('# a log, and no archive\n'.repeat(9)), payload('db/t.ibd', 0, 'the first part')]) {
    writeFileSync(path, bytes);
    for (const words of [
      ['verify', path],
      ['report', path, '-o', `${path}.html`, '--overwrite'],
    ]) {
      const { code, stdout, stderr } = await run(words);
      assert.notEqual(code, 0);
      assert.doesNotMatch(stdout + stderr, /to save/, words[0]);
    }
  }
});
