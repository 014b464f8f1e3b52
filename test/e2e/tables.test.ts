/** `--tables` and `--databases`: everything that becomes a table, under every name it may have in a backup, and nothing else. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { archive, end, file, remove, rename } from '../helpers/archive-bytes.js';
import { run, type RunResult } from '../helpers/cli.js';
import { readFixture } from '../helpers/mini-xbstream.js';
import { linesOf } from '../helpers/json-lines.js';
import { qpressFile, xbcryptFile } from '../helpers/layer-writers.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { inTurn, sampled } from '../helpers/programs.js';
import { tempDir, type Cleanup } from '../helpers/temp.js';
import { namesIn, readTree } from '../helpers/tree.js';

const WAYS = ['file', 'pipe'] as const;

/** What `extract` writes below directories, and how it ends. */
async function extract(
  context: Cleanup,
  way: (typeof WAYS)[number],
  bytes: Buffer,
  ...words: readonly string[]
): Promise<{ result: RunResult; names: string[]; target: string }> {
  const target = join(tempDir(context), 'target');
  const path = join(tempDir(context), 'archive');
  fs.writeFileSync(path, bytes);
  const call = ['extract', '-q', way === 'file' ? path : '-', '-C', target, '--backup=never', ...words];
  const result = await run(call, way === 'pipe' ? { stdin: { kind: 'pipe', bytes } } : {});
  const names = fs.existsSync(target) ? namesIn(target).filter((name) => name.includes('/')) : [];
  return { result, names, target };
}

async function listed(bytes: Buffer, tables: string): Promise<string[]> {
  const { stdout } = await run(['list', '--json', '--tables', tables], { stdin: { kind: 'pipe', bytes } });
  return linesOf(stdout, 'entry')
    .map(({ path }) => String(path))
    .filter((path) => path.includes('/'))
    .sort();
}

const SHARED = [file('ibdata1', 'i'), file('ib_logfile0', 'l'), file('xtrabackup_checkpoints', 'c')];
/** The beginning of a definition, of an engine. */
const definition = (engine: number): Buffer => Buffer.from([0xfe, 1, 10, engine, 0, 0]);
const [INNODB, MEMORY] = [definition(12), definition(6)];

describe('a table that was created, altered or renamed while the backup was taken', { concurrency: true }, () => {
  const backup = readFixture('reports/01-tables-new-ren.xbstream');

  for (const way of inTurn(WAYS)) {
    test(`what is stored as .new is taken, from a ${way}`, async (context) => {
      const { result, names } = await extract(context, way, backup, '--tables', 'shop.orders');
      assertEnded(result, EXIT.ok);
      assert.deepEqual(names, ['shop/orders.frm', 'shop/orders.new']);
    });
  }

  for (const way of inTurn(WAYS)) {
    test(`the name that it had before names nothing, from a ${way}`, async (context) => {
      const { result, names } = await extract(context, way, backup, '--tables', 'shop.ren1');
      assertEnded(result, EXIT.refused, /shop\.ren1 was renamed to shop\.ren2/, /--tables shop\.ren2/);
      assert.deepEqual(
        names.filter((name) => name.includes('ren')),
        [],
      );
    });
  }

  test('what is stored under the old name is taken, from a file', async (context) => {
    const { result, names } = await extract(context, 'file', backup, '--tables', 'shop.ren2');
    assertEnded(result, EXIT.ok);
    assert.deepEqual(names, ['shop/orders.new', 'shop/ren1.ibd', 'shop/ren1.ren', 'shop/ren2.frm']);
  });

  test('from a pipe that is an error, and never success without its data', async (context) => {
    const { result } = await extract(context, 'pipe', backup, '--tables', 'shop.ren2');
    const said = [/what became shop\.ren2 had another name/, /shop\.ren1 was renamed to shop\.ren2/];
    // Both ways out are told, and the second one is tried here as it is told.
    assertEnded(result, EXIT.refused, ...said, /from a file instead of a pipe/, /--include 'shop\/ren1\.\*'$/m);
    const helped = await extract(context, 'pipe', backup, '--tables', 'shop.ren2', '--include', 'shop/ren1.*');
    assertEnded(helped.result, EXIT.ok);
    assert.deepEqual(helped.names, ['shop/orders.new', 'shop/ren1.ibd', 'shop/ren1.ren', 'shop/ren2.frm']);
  });

  test('words to copy run nothing that a name in the archive says', async (context) => {
    // x'$(id)', and one that no server makes.
    const [encoded, raw] = ['x@0027@0024@0028id@0029@0027', "y'$(id)'"];
    const hostile = archive(
      ...SHARED,
      ...[file('shop/old.ibd', 'o'), file('shop/old.ren', `shop/${encoded}.ibd`)],
      ...[file(`shop/${raw}.ibd`, 'y'), file(`shop/${raw}.ren`, 'shop/now.ibd')],
    );
    const renamed = await extract(context, 'file', hostile, '--tables', 'shop.old');
    assert.match(renamed.result.stderr, /--tables 'shop\.x'\\''\$\(id\)'\\'''$/m);
    const wentBy = await extract(context, 'pipe', hostile, '--tables', 'shop.now');
    assert.match(wentBy.result.stderr, /--include 'shop\/y'\\''\$\(id\)'\\''\.\*'$/m);
  });

  test('list, cat and convert-to-tar choose the same', async (context) => {
    assert.deepEqual(await listed(backup, 'shop.ren2'), [
      'shop/orders.new',
      'shop/ren1.ibd',
      'shop/ren1.ren',
      'shop/ren2.frm',
    ]);
    const path = join(tempDir(context), 'archive');
    fs.writeFileSync(path, backup);
    const cat = await run(['cat', path, '--tables', 'shop.ren2']);
    assert.deepEqual([cat.code, cat.stderr], [EXIT.ok, '']);
    assert.match(cat.stdout, /shop\/ren2/);
    const output = join(tempDir(context), 'tar');
    assertEnded(await run(['tar', '-q', path, '--tables', 'shop.ren2', '-o', output]), EXIT.ok);
    const tar = fs.readFileSync(output, 'latin1');
    for (const name of ['shop/ren1.ibd', 'shop/ren1.ren', 'shop/ren2.frm']) assert.ok(tar.includes(name), name);
    const stdin = { kind: 'pipe', bytes: backup } as const;
    assertEnded(
      await run(['tar', '-q', '-', '--tables', 'shop.ren2', '-o', `${output}2`], { stdin }),
      EXIT.refused,
      /another name/,
    );
    const piped = await run(['cat', '-', '--tables', 'shop.ren2'], { stdin });
    assert.equal(piped.code, EXIT.refused);
    assert.match(piped.stderr, /another name/);
  });

  test('compressed, encrypted and incremental', async () => {
    const bytes = archive(
      ...['shop/a.new.qp', 'shop/b.new.zst.xbcrypt', 'shop/c.new.delta', 'shop/c.new.meta', 'shop/d.ibd.new'].map(
        (name) => end(name),
      ),
      file('shop/e1.ren.qp', qpressFile(Buffer.from('shop/e2'))),
      ...['shop/e1.ibd.qp', 'shop/e1.ibd.delta', 'shop/e1.ibd.meta', 'shop/e1.frm'].map((name) => end(name)),
    );
    const own = async (table: string): Promise<string[]> =>
      (await listed(bytes, table)).filter((name) => !/\.new/.test(name) || name.startsWith(table.replace('.', '/')));
    assert.deepEqual(await own('shop.a'), ['shop/a.new.qp']);
    assert.deepEqual(await own('shop.b'), ['shop/b.new.zst.xbcrypt']);
    assert.deepEqual(await own('shop.c'), ['shop/c.new.delta', 'shop/c.new.meta']);
    assert.deepEqual(await own('shop.d'), ['shop/d.ibd.new']);
    assert.deepEqual(await own('shop.e2'), [
      'shop/e1.ibd.delta',
      'shop/e1.ibd.meta',
      'shop/e1.ibd.qp',
      'shop/e1.ren.qp',
    ]);
  });

  test('a new name that cannot be read without a key is an error', async (context) => {
    const key = Buffer.alloc(32, 'k');
    const bytes = archive(
      file('shop/old.ibd', 'o'),
      file('shop/a.ibd', 'a'),
      file('shop/old.ren.xbcrypt', xbcryptFile(Buffer.from('shop/now'), { cipher: 'AES256', bytes: key })),
    );
    for (const way of inTurn(WAYS)) {
      const { result, names } = await extract(context, way, bytes, '--tables', 'shop.a');
      assertEnded(result, EXIT.undecodable, /old\.ren\.xbcrypt says what a table was renamed to, and cannot be read/);
      assert.deepEqual(names, ['shop/a.ibd']);
    }
    const { result } = await extract(
      context,
      'file',
      bytes,
      '--tables',
      'shop.now',
      '--decrypt=AES256',
      '-k',
      key.toString(),
    );
    assertEnded(result, EXIT.ok);
  });

  test('chains, swaps, and names that another table has got', async (context) => {
    const bytes = archive(
      ...SHARED,
      ...['swap1', 'swap2', 'chain', 'reused', 'moved', 'over', 'victim'].map((name) => file(`shop/${name}.ibd`, name)),
      ...['swap1', 'swap2', 'chain3', 'reused', 'now', 'victim'].map((name) => file(`shop/${name}.frm`, INNODB)),
      file('shop/swap1.ren', 'shop/swap2'),
      file('shop/swap2.ren', 'shop/swap1'),
      file('shop/chain.ren', 'shop/chain3'),
      file('shop/reused.ren', 'shop/now'),
      file('shop/moved.ren', 'crm/moved'),
      file('shop/over.ren', 'shop/victim'),
      end('shop/victim.del'),
      file('shop/reused.new', 'another'),
    );
    const cases = [
      ['shop.swap1', ['shop/swap1.frm', 'shop/swap2.ibd', 'shop/swap2.ren']],
      ['shop.swap2', ['shop/swap1.ibd', 'shop/swap1.ren', 'shop/swap2.frm']],
      ['shop.chain3', ['shop/chain.ibd', 'shop/chain.ren', 'shop/chain3.frm']],
      ['shop.reused', ['shop/reused.frm']],
      ['shop.now', ['shop/now.frm']],
      ['shop.victim', ['shop/over.ibd', 'shop/over.ren', 'shop/victim.del', 'shop/victim.frm', 'shop/victim.ibd']],
    ] as const;
    for (const [table, names] of sampled(cases, 2, 1)) {
      const { result, names: found } = await extract(context, 'file', bytes, '--tables', table);
      assertEnded(result, EXIT.ok);
      // What was made anew is part of what a prepare needs, and so is the one whose name it has got.
      const forPrepare = ['shop/reused.ibd', 'shop/reused.new', 'shop/reused.ren'];
      assert.deepEqual(found, [...names, ...forPrepare].sort(), table);
    }
    assert.deepEqual(await listed(bytes, 'crm.moved'), ['shop/moved.ibd', 'shop/moved.ren']);
    const crm = await extract(context, 'file', bytes, '--databases', 'crm');
    assert.deepEqual(crm.names, ['shop/moved.ibd', 'shop/moved.ren']);
  });

  for (const way of inTurn(WAYS)) {
    test(`a table that was changed by making another one: a prepare needs the old one, too, from a ${way}`, async (context) => {
      const bytes = archive(
        ...SHARED,
        file('shop/a.ibd', 'old'),
        file('shop/o.ibd', 'other'),
        file('shop/away.ibd', 'away'),
        file('shop/b.frm', INNODB),
        file('shop/a.ren', 'crm/b'),
        file('shop/away.ren', 'crm/away'),
        file('shop/a.new', 'new'),
        file('shop/a.frm', INNODB),
        end('crm/db.opt'),
        end('else/db.opt'),
      );
      // The prepare renames into a directory that has to be there.
      const both = ['crm/db.opt', 'shop/a.ibd', 'shop/a.new', 'shop/a.ren'];
      const own = await extract(context, way, bytes, '--tables', 'shop.a');
      const other = await extract(context, way, bytes, '--tables', 'shop.o');
      if (way === 'file') {
        assertEnded(own.result, EXIT.ok);
        assert.deepEqual(own.names, [...both, 'shop/a.frm'].sort());
        assertEnded(other.result, EXIT.ok);
        assert.deepEqual(other.names, [...both, 'shop/o.ibd'].sort());
        return;
      }
      const told = [
        /shop\.a was renamed to crm\.b .*, and another was made under its name/,
        /--include 'shop\/a\.\*' --include/,
      ];
      assertEnded(other.result, EXIT.refused, /the prepare needs what became crm\.b, crm\/db\.opt, and/, ...told);
      assertEnded(own.result, EXIT.refused, /needs crm\/db\.opt, and a pipe/, /take it, too: --include crm\/db\.opt$/m);
    });
  }

  for (const way of inTurn(WAYS)) {
    test(`a table that was dropped is no table any more, from a ${way}`, async (context) => {
      const bytes = archive(
        ...SHARED,
        file('shop/a.ibd', 'a'),
        end('shop/a.del'),
        file('shop/b.ibd', 'b'),
        end('shop/b.del'),
        file('shop/b.new', 'b2'),
      );
      const gone = await extract(context, way, bytes, '--tables', 'shop.a');
      assertEnded(gone.result, EXIT.refused, /shop\.a was dropped while the backup was taken/);
      const reborn = await extract(context, way, bytes, '--tables', 'shop.b');
      assertEnded(reborn.result, EXIT.ok);
      assert.deepEqual(reborn.names, ['shop/b.del', 'shop/b.ibd', 'shop/b.new']);
    });
  }

  for (const [turn, way] of inTurn([...WAYS.entries()])) {
    test(`a definition alone is no table, unless it is all there is, from a ${way}`, async (context) => {
      const bytes = archive(
        ...SHARED,
        file('shop/lost.frm', INNODB),
        file('shop/view.frm', 'TYPE=VIEW\nquery=select 1\n'),
        file('shop/heap.frm', MEMORY),
        file('shop/heap2.frm.qp', qpressFile(MEMORY)),
        file('shop/lost2.frm.qp', qpressFile(INNODB)),
        end('shop/merge.MRG'),
      );
      for (const table of sampled(['view', 'heap', 'heap2', 'merge'], 2, turn))
        assertEnded((await extract(context, way, bytes, '--tables', `shop.${table}`)).result, EXIT.ok);
      for (const table of ['lost', 'lost2']) {
        const { result } = await extract(context, way, bytes, '--tables', `shop.${table}`);
        assertEnded(result, EXIT.refused, /there is a definition \(\.frm\) alone/);
      }
    });
  }
});

describe('names as the server writes them', { concurrency: true }, () => {
  const backup = readFixture('reports/16-names.xbstream');
  const names = [
    ['Ü', '@1O'],
    ['М', '@S0'],
    ['м', '@s0'],
    ['CON', 'CON@@@'],
    ['nul', 'nul@@@'],
    ['日本', '@65e5@672c'],
    ['t-1', 't@002d1'],
  ] as const;
  // test/format/sql-name.test.ts has them all.
  for (const [name, file] of sampled(names, 3)) {
    test(`nm.${name} is ${file}, and no other table`, async () => {
      assert.deepEqual(await listed(backup, `nm.${name}`), [`nm/${file}.frm`, `nm/${file}.ibd`]);
    });
  }

  test('a name that differs in upper and lower case alone is told', async () => {
    const asking = [
      ['nm.Con', 'nm.CON'],
      ['nm.ü', 'nm.Ü'],
    ];
    for (const [asked, there] of sampled(asking, 2)) {
      const result = await run(['list', '--tables', asked!], { stdin: { kind: 'pipe', bytes: backup } });
      assert.equal(result.code, EXIT.refused);
      assert.match(result.stderr, new RegExp(`there is ${there}`));
    }
  });

  test('what cannot be a name is told', async () => {
    const wrong = [
      [['--tables', 'nm.😀'], /no server takes letters beyond U\+FFFF/],
      [['--tables', 'nm.a*'], /only \* alone/],
      [['--tables', '*.a'], /only \* alone/],
      [['--tables', 'orders'], /a database and a table/],
      [['--databases', 'nm.orders'], /a table is asked for with --tables/],
      [['--databases', ','], /--databases names no database/],
    ] as const;
    for (const [words, ...texts] of sampled(wrong, 3))
      assertEnded(await run(['list', ...words], { stdin: { kind: 'pipe', bytes: backup } }), EXIT.usage, ...texts);
  });
});

describe('whole databases', { concurrency: true }, () => {
  const bytes = archive(
    ...SHARED,
    file('shop/a.ibd', 'a'),
    file('shop/a.frm', INNODB),
    file('shop/odd.file', 'o'),
    end('shop/db.opt'),
    file('my@002dshop/m.ibd', 'm'),
    file('crm/c.ibd', 'c'),
    end('crm/db.opt'),
    file('shop/out.ibd', 'o'),
    file('shop/out.ren', 'crm/in'),
    file('xtrabackup_info', 'x'),
  );
  const SHOP = ['shop/a.frm', 'shop/a.ibd', 'shop/db.opt', 'shop/odd.file'];

  for (const [turn, way] of WAYS.entries()) {
    const choices = [
      ['--databases', 'shop'],
      ['--tables', 'shop.*'],
      ['--tables', 'shop.*,shop.a'],
    ];
    for (const words of sampled(choices, 2, turn)) {
      test(`${words.join(' ')} takes what a prepare needs, from a ${way}`, async (context) => {
        const { result, names, target } = await extract(context, way, bytes, ...words);
        assertEnded(result, EXIT.ok);
        assert.equal(result.stderr, '');
        assert.deepEqual(names, SHOP);
        for (const name of ['ibdata1', 'ib_logfile0', 'xtrabackup_checkpoints', 'xtrabackup_info'])
          assert.ok(fs.existsSync(join(target, name)), name);
      });
    }
  }

  test('several, with names of all kinds, and a table that was moved into one', async (context) => {
    const { result, names } = await extract(context, 'file', bytes, '--databases=crm,`my-shop`', '--tables=shop.a');
    assertEnded(result, EXIT.ok);
    assert.deepEqual(names, [
      'crm/c.ibd',
      'crm/db.opt',
      'my@002dshop/m.ibd',
      'shop/a.frm',
      'shop/a.ibd',
      'shop/db.opt',
      'shop/out.ibd',
      'shop/out.ren',
    ]);
  });

  test('a pattern that leaves out what a prepare needs is told so', async (context) => {
    const warning = /cannot be prepared: it leaves out ibdata1; .*--databases=shop/;
    for (const way of inTurn(WAYS)) {
      const { result, names } = await extract(context, way, bytes, 'shop/*');
      assert.equal(result.code, EXIT.ok);
      assert.match(result.stderr, warning);
      assert.deepEqual(names, [...SHOP, 'shop/out.ibd', 'shop/out.ren'].sort());
    }
    const stdin = { kind: 'pipe', bytes } as const;
    const tar = join(tempDir(context), 'tar');
    assert.match((await run(['tar', '-q', '-', 'shop/*', '-o', tar], { stdin })).stderr, warning);
    const whole = [['shop/*.frm'], ['shop/*', 'ib*', 'xtra*'], ['xtrabackup_info'], ['--exclude', 'crm/*']];
    for (const words of sampled(whole, 2, 1))
      assert.equal((await extract(context, 'file', bytes, ...words)).result.stderr, '', words.join(' '));
    const part = archive(file('shop/a.ibd', 'a'), file('b/a.ibd', 'b'));
    assert.equal((await extract(context, 'file', part, 'shop/*')).result.stderr, '');
  });
});

describe('when one of several names is missing', { concurrency: true }, () => {
  const bytes = archive(
    ...SHARED,
    file('shop/a.ibd', 'a'),
    file('shop/gone.ibd', 'g'),
    file('shop/x', 'x'),
    file('crm/c.ibd', 'c'),
    remove('shop/gone.ibd'),
    rename('shop/x', 'elsewhere/y'),
  );

  const choices = [
    ['--tables', 'shop.a,shop.none'],
    ['--tables', 'shop.a,shop.gone'],
    ['--tables', 'shop.a', '--databases', 'none'],
    ['--databases', 'crm,none'],
    ['shop/a.ibd', 'none*'],
    ['shop/a.ibd', 'gone.ibd'],
    ['shop/a.ibd', 'x', '--exclude', 'y'],
    ['--include', 'crm', '--tables', 'shop.none'],
  ];
  for (const words of sampled(choices, 3)) {
    test(`the same is written from a file as from a pipe: ${words.join(' ')}`, async (context) => {
      const [fromFile, fromPipe] = [
        await extract(context, 'file', bytes, ...words),
        await extract(context, 'pipe', bytes, ...words),
      ];
      assertEnded(fromFile.result, EXIT.refused, /none|gone|x/);
      assert.equal(fromFile.result.stderr, fromPipe.result.stderr);
      assert.notDeepEqual(fromFile.names, []);
      assert.deepEqual(readTree(fromFile.target), readTree(fromPipe.target));
    });
  }

  test('cat writes what is there', async (context) => {
    const path = join(tempDir(context), 'archive');
    fs.writeFileSync(path, bytes);
    const inputs = [
      [path, {}],
      ['-', { stdin: { kind: 'pipe', bytes } }],
    ] as const;
    for (const [archivePath, options] of inTurn(inputs)) {
      const result = await run(['cat', archivePath, 'crm/c.ibd', 'none', 'shop/a.ibd'], options);
      assert.deepEqual([result.code, result.stdout], [EXIT.refused, 'ca']);
      assert.match(result.stderr, /matches this pattern: none/);
    }
  });

  test('where nothing is found, nothing is written from a file', async (context) => {
    const { result, target } = await extract(context, 'file', bytes, '--tables', 'shop.none');
    assertEnded(result, EXIT.refused, /no data of this table: shop\.none/);
    assert.ok(!fs.existsSync(target));
  });
});
