/** Which files are unpacked, and under which names. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { archive, end, file, payload, remove, rename, rewriting } from '../helpers/archive-bytes.js';
import { run } from '../helpers/cli.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { inTurn, sampled } from '../helpers/programs.js';
import { tempDir, type Cleanup } from '../helpers/temp.js';
import { namesIn, readTree, treeOf } from '../helpers/tree.js';

const shop = archive(
  file('shop/orders.ibd', '1'),
  file('shop/orders.frm', '2'),
  file('shop/t#P#p0.ibd.zst.xbcrypt', '3'),
  file('blog/posts.ibd', '4'),
  end('blog/empty'),
  file('backup-my.cnf', '5'),
  file('deep/er/file', '6'),
  file('odd[1].ibd', '7'),
);
const ALL = [
  'backup-my.cnf',
  'blog/empty',
  'blog/posts.ibd',
  'deep/er/file',
  'odd[1].ibd',
  'shop/orders.frm',
  'shop/orders.ibd',
  'shop/t#P#p0.ibd.zst.xbcrypt',
];

async function unpack(context: Cleanup, kind: 'file' | 'pipe', bytes: Buffer, ...args: readonly string[]) {
  const target = tempDir(context);
  const path = join(tempDir(context), 'archive');
  fs.writeFileSync(path, bytes);
  const words = ['extract', '-q', kind === 'file' ? path : '-', '-C', target, '--backup=never', ...args];
  const result = await run(words, kind === 'pipe' ? { stdin: { kind, bytes } } : {});
  return { target, result };
}

describe('selection', { concurrency: true }, () => {
  const choices = [
    [[], ALL],
    [['*.ibd'], ['blog/posts.ibd', 'odd[1].ibd', 'shop/orders.ibd', 'shop/t#P#p0.ibd.zst.xbcrypt']],
    [['shop'], ALL.filter((name) => name.startsWith('shop/'))],
    [['shop/*', 'backup-my.cnf'], ALL.filter((name) => name.startsWith('shop/') || name === 'backup-my.cnf')],
    [['--include', 'blog/*', '--exclude', '*.ibd'], ['blog/empty']],
    [
      ['--exclude', 'shop', '--exclude=deep'],
      ['backup-my.cnf', 'blog/empty', 'blog/posts.ibd', 'odd[1].ibd'],
    ],
    [['shop/t#P#p0.ibd'], ['shop/t#P#p0.ibd.zst.xbcrypt']],
    [['odd[1].ibd'], ['odd[1].ibd']],
    [['./backup-my.cnf'], ['backup-my.cnf']],
    [
      ['blog//posts.ibd', 'shop/./orders.frm', 'deep/.'],
      ['blog/posts.ibd', 'deep/er/file', 'shop/orders.frm'],
    ],
    [['--exclude', '!shop'], ALL],
    [['deep/**'], ['deep/er/file']],
    [['file'], ['deep/er/file']],
  ] as const;
  for (const [args, names] of sampled(choices, 3)) {
    test(args.join(' ') || 'everything', async (context) => {
      const { target, result } = await unpack(context, 'file', shop, ...args);
      assertEnded(result, EXIT.ok);
      assert.deepEqual(namesIn(target), names);
    });
  }

  for (const pattern of sampled(['/', './', 'a'.repeat(70_000)], 3, 1)) {
    test(`that is no pattern: ${pattern.slice(0, 5)}`, async (context) => {
      const { result } = await unpack(context, 'file', shop, pattern);
      assert.equal(result.code, EXIT.usage, result.stderr);
      assert.match(result.stderr, /^tsxbstream: this is no pattern: /);
    });
  }

  test('a ! at the beginning turns nothing round', async (context) => {
    const bytes = archive(file('!shop/t.ibd', '1'), file('shop/t.ibd', '2'));
    const { target, result } = await unpack(context, 'file', bytes, '!shop');
    assert.equal(result.code, EXIT.ok, result.stderr);
    assert.deepEqual(namesIn(target), ['!shop/t.ibd']);
  });

  for (const kind of inTurn(['file', 'pipe'] as const)) {
    test(`a pattern that matches nothing is an error, from a ${kind}`, async (context) => {
      const { result } = await unpack(context, kind, shop, 'backup-my.cnf', 'no/such*', 'nor_this');
      assertEnded(result, EXIT.refused, /no\/such\*/, /nor_this/);
    });
  }

  for (const kind of inTurn(['file', 'pipe'] as const)) {
    test(`damage in a file that is not wanted is damage all the same, from a ${kind}`, async (context) => {
      const bytes = archive(file('a', 'x'), payload('b', 0, 'y'));
      const { result } = await unpack(context, kind, bytes, 'a');
      assertEnded(result, EXIT.incomplete, /b is complete/);
    });
  }

  test('a checksum that does not hold in a file that is not wanted: a pipe is read, a file jumped over', async (context) => {
    const bytes = archive(file('a', 'x'), payload('b', 0, 'y'.repeat(3_000_000), { crc: 1 }), end('b'), file('c', 'z'));
    const piped = await unpack(context, 'pipe', bytes, 'a', 'c');
    assertEnded(piped.result, EXIT.damaged, /checksum mismatch in b/);
    const jumped = await unpack(context, 'file', bytes, 'a', 'c');
    assertEnded(jumped.result, EXIT.ok);
    assert.deepEqual(namesIn(jumped.target), ['a', 'c']);
    const digested = await unpack(context, 'file', bytes, 'a', 'c', '--digest', 'sha1');
    assert.equal(digested.result.code, EXIT.damaged);
  });

  test('a file that is cut within what is jumped over is cut', async (context) => {
    const bytes = archive(file('a', 'x'), file('b', 'y'.repeat(3_000_000)));
    const { result } = await unpack(context, 'file', bytes.subarray(0, 2_000_000), 'a');
    assertEnded(result, EXIT.incomplete, /cut short/);
  });
});

describe('selection by final names', { concurrency: true }, () => {
  const renamed = archive(file('a', 'A'), file('b', 'B'), rename('a', 'wanted'), rename('b', 'c'));

  test('a rename that brings in a file which was passed over: from a file', async (context) => {
    const { target, result } = await unpack(context, 'file', renamed, 'wanted');
    assertEnded(result, EXIT.ok);
    assert.deepEqual(readTree(target), treeOf({ wanted: 'A' }));
  });

  test('a rename that brings in a file which was passed over: an error on a pipe', async (context) => {
    const { target, result } = await unpack(context, 'pipe', renamed, 'wanted');
    assertEnded(result, EXIT.refused, /wanted had another name/, /from a file instead of a pipe/);
    assert.deepEqual(namesIn(target), []);
  });

  for (const kind of inTurn(['file', 'pipe'] as const)) {
    test(`a rename that takes a file away, from a ${kind}`, async (context) => {
      const { target, result } = await unpack(context, kind, renamed, '--exclude', 'wanted');
      assertEnded(result, EXIT.ok);
      assert.deepEqual(readTree(target), treeOf({ c: 'B' }));
    });
  }

  for (const kind of inTurn(['file', 'pipe'] as const)) {
    test(`a file that is renamed within what is wanted, from a ${kind}`, async (context) => {
      const bytes = archive(file('x/a', 'A'), end('x/e'), rename('x/a', 'x/b'), rename('x/e', 'x/f'), file('y', 'Y'));
      const { target, result } = await unpack(context, kind, bytes, 'x');
      assertEnded(result, EXIT.ok);
      assert.deepEqual(readTree(target), treeOf({ 'x/b': 'A', 'x/f': '' }));
    });
  }

  for (const kind of inTurn(['file', 'pipe'] as const)) {
    test(`a file that is replaced by one that is not wanted, from a ${kind}`, async (context) => {
      const bytes = archive(
        file('a', 'A'),
        file('b', 'B'),
        remove('a'),
        file('a', 'new'),
        rewriting('b', 'new'),
        end('b'),
      );
      const { target, result } = await unpack(context, kind, bytes, 'a');
      assertEnded(result, EXIT.ok);
      assert.deepEqual(readTree(target), treeOf({ a: 'new' }));
    });
  }

  test('an old name matches nothing', async (context) => {
    const { result } = await unpack(context, 'file', renamed, 'a');
    assertEnded(result, EXIT.refused, /nothing in the archive matches/);
  });
});

describe('--strip-components', { concurrency: true }, () => {
  const bytes = archive(file('x/y/a', '1'), file('x/b/c', '2'));

  test('drops directories', async (context) => {
    const { target, result } = await unpack(context, 'pipe', bytes, '--strip-components', '1');
    assertEnded(result, EXIT.ok);
    assert.deepEqual(readTree(target), treeOf({ 'y/a': '1', 'b/c': '2' }));
  });

  test('that leaves nothing of a name is an error', async (context) => {
    const { result } = await unpack(context, 'pipe', bytes, '--strip-components', '3');
    assert.notEqual(result.code, EXIT.ok);
    assert.match(result.stderr, /--strip-components 3 leaves nothing of the name x\/y\/a/);
  });

  test('that makes two files one is an error', async (context) => {
    const two = archive(file('x/a', '1'), file('y/a', '2'));
    const { target, result } = await unpack(context, 'pipe', two, '--strip-components=1');
    assertEnded(result, EXIT.refused, /two files of the archive would get the name a/);
    assert.deepEqual(readTree(target), treeOf({ a: '1' }));
  });

  test('applies to corrections', async (context) => {
    const corrected = archive(file('x/a', '1'), file('x/b', '2'), remove('x/a'), rename('x/b', 'x/c'));
    const { target, result } = await unpack(context, 'pipe', corrected, '--strip-components=1');
    assertEnded(result, EXIT.ok);
    assert.deepEqual(readTree(target), treeOf({ c: '2' }));
  });
});

describe('a correction of what is not in the archive', { concurrency: true }, () => {
  const bytes = archive(file('db1/a', 'new'), remove('db2/x'), remove('gone'), rename('db2/x', 'db2/y'));

  for (const choice of [
    ['--include', 'db1/*'],
    ['--exclude', 'db2/x', '--exclude', 'gone'],
    ['--tables', 'db1.a'],
  ]) {
    test(`touches nothing that is not wanted: ${choice.join(' ')}`, async (context) => {
      for (const more of inTurn([['--backup=never'], ['--backup=never', '--overwrite']])) {
        const named = archive(file('db1/a.ibd', 'new'), bytes.subarray(file('db1/a', 'new').length));
        const target = tempDir(context);
        fs.mkdirSync(join(target, 'db2'));
        fs.writeFileSync(join(target, 'db2/x'), 'old');
        const stdin = { kind: 'pipe', bytes: named } as const;
        assertEnded(await run(['extract', '-q', '-', '-C', target, ...choice, ...more], { stdin }), EXIT.ok);
        assert.deepEqual(readTree(target), treeOf({ 'db1/a.ibd': 'new', 'db2/x': 'old' }));
      }
    });
  }

  test('may have a name that nothing is left of', async (context) => {
    const { target, result } = await unpack(context, 'pipe', bytes, '--strip-components', '1');
    assertEnded(result, EXIT.ok);
    assert.deepEqual(readTree(target), treeOf({ a: 'new' }));
  });
});

test('a selection that leaves nothing is an error', async (context) => {
  for (const [turn, kind] of (['file', 'pipe'] as const).entries()) {
    const nothing = [
      ['--exclude', '*'],
      ['--include', 'blog/*', '--exclude', 'blog'],
    ];
    for (const args of sampled(nothing, 2, turn)) {
      const { result } = await unpack(context, kind, shop, ...args);
      assertEnded(result, EXIT.refused, /every file of the archive is excluded/);
    }
  }
  assertEnded((await unpack(context, 'file', shop, '--tables', ' ,')).result, EXIT.usage, /--tables names no table/);
});
