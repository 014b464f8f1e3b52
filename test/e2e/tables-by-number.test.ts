/**
 * `--tables` and `--databases` on backups that xtrabackup 8.4 takes with `--lock-ddl=REDUCED`. That is no free program to be
 * had here: the archives are made after the names and contents that its documentation and source tell (format.md).
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { archive, end, file, payload, sparse } from '../helpers/archive-bytes.js';
import { run, type RunResult } from '../helpers/cli.js';
import { linesOf } from '../helpers/json-lines.js';
import { qpressFile, xbcryptFile } from '../helpers/layer-writers.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { sampled } from '../helpers/programs.js';
import { tempDir, type Cleanup } from '../helpers/temp.js';
import { namesIn } from '../helpers/tree.js';

const PAGE_BYTES = 16_384;

/** A tablespace: two pages, the first of which tells its number. */
function tablespace(spaceId: number): Buffer {
  const pages = Buffer.alloc(2 * PAGE_BYTES, 'p');
  for (const at of [34, 38]) pages.writeUInt32BE(spaceId, at);
  return pages;
}

const meta = (spaceId: number): string =>
  `page_size = 16384\nzip_size = 0\nspace_id = ${spaceId}\nspace_flags = 16417\n`;

/** What comes before the lock is taken, and after it. */
const BEFORE = [
  file('ibdata1', 'i'),
  file('undo_001', 'u'),
  file('mysql.ibd', tablespace(4_294_967_294)),
  file('shop/orders.ibd', tablespace(7)),
  file('shop/ren1.ibd', tablespace(10)),
  file('shop/rebuilt.ibd', tablespace(11)),
  file('shop/gone.ibd', tablespace(12)),
  file('shop/moving.ibd', tablespace(13)),
  file('shop/broken.ibd', 'not all of it'),
  file('crm/people.ibd', tablespace(14)),
];
const AFTER = [
  end('shop/broken.ibd.crpt'),
  end('shop/12.del'),
  end('shop/11.del'),
  end('3.del'),
  file('shop/10.ren', 'shop/ren2.ibd'),
  file('shop/13.ren', 'crm/moved.ibd'),
  file('shop/rebuilt.ibd.new', tablespace(20)),
  file('shop/ren1.ibd.new', tablespace(21)),
  file('crm/fresh.ibd.new', tablespace(22)),
  file('undo_003.ibu.new', 'u'),
  file('xtrabackup_logfile', 'l'),
  file('xtrabackup_checkpoints', 'c'),
];
const BACKUP = archive(...BEFORE, ...AFTER, file('xtrabackup_info', 'tool_name = xtrabackup\n'));
/** What a prepare needs of this database, whichever table is meant. */
const OF_SHOP = ['shop/rebuilt.ibd.new', 'shop/ren1.ibd.new'];

/** What `extract` writes below directories, and how it ends. */
async function extract(
  context: Cleanup,
  way: 'file' | 'pipe',
  bytes: Buffer,
  ...words: readonly string[]
): Promise<{ result: RunResult; names: string[] }> {
  const target = join(tempDir(context), 'target');
  const path = join(tempDir(context), 'archive');
  fs.writeFileSync(path, bytes);
  const call = ['extract', '-q', way === 'file' ? path : '-', '-C', target, '--backup=never', ...words];
  const result = await run(call, way === 'pipe' ? { stdin: { kind: 'pipe', bytes } } : {});
  return { result, names: fs.existsSync(target) ? namesIn(target).filter((name) => name.includes('/')) : [] };
}

const withShop = (...names: readonly string[]): string[] => [...new Set([...names, ...OF_SHOP])].sort();

describe(
  'a backup that tells renamed and dropped tables by the numbers of their tablespaces',
  { concurrency: true },
  () => {
    test('a renamed table is taken by its new name, with the file that has its data', async (context) => {
      const { result, names } = await extract(context, 'file', BACKUP, '--tables', 'shop.ren2');
      assertEnded(result, EXIT.ok);
      assert.deepEqual(names, withShop('shop/10.ren', 'shop/ren1.ibd'));
    });

    test('the old name means what was made under it meanwhile', async (context) => {
      const { result, names } = await extract(context, 'file', BACKUP, '--tables', 'shop.ren1');
      assertEnded(result, EXIT.ok);
      assert.deepEqual(names, withShop());
    });

    test('one that went to another database, and one that was made there', async (context) => {
      const moved = await extract(context, 'file', BACKUP, '--tables', 'crm.moved');
      assertEnded(moved.result, EXIT.ok);
      assert.deepEqual(moved.names, ['crm/fresh.ibd.new', 'shop/13.ren', 'shop/moving.ibd']);
      const crm = await extract(context, 'file', BACKUP, '--databases', 'crm');
      assertEnded(crm.result, EXIT.ok);
      assert.deepEqual(crm.names, ['crm/fresh.ibd.new', 'crm/people.ibd', 'shop/13.ren', 'shop/moving.ibd']);
    });

    test('one that was rebuilt comes with the number of what it was', async (context) => {
      const { result, names } = await extract(context, 'file', BACKUP, '--tables', 'shop.rebuilt');
      assertEnded(result, EXIT.ok);
      assert.deepEqual(names, withShop('shop/11.del', 'shop/rebuilt.ibd'));
    });

    test('what is not there any more is no success', async (context) => {
      const gone = [
        ['gone', /shop\.gone was dropped while the backup was taken/],
        ['broken', /shop\.broken was dropped while the backup was taken/],
        ['moving', /shop\.moving was renamed to crm\.moved/],
      ] as const;
      for (const [table, reason] of sampled(gone, 2, 1)) {
        const { result } = await extract(context, 'file', BACKUP, '--tables', `shop.${table}`);
        assertEnded(result, EXIT.refused, reason);
      }
    });

    test('what was dropped is no success either where its mark cannot be read', async (context) => {
      const marks = [file('shop/12.del.zst.xbcrypt', 'XBCRYP03')];
      const bytes = archive(file('ibdata1', 'i'), file('shop/gone.ibd', tablespace(12)), ...marks);
      const { result } = await extract(context, 'file', bytes, '--tables=shop.gone');
      assert.equal(result.code, EXIT.refused, result.stderr);
      assert.match(result.stderr, /shop\.gone was dropped while the backup was taken/);
    });

    test('from a pipe that cannot be known: never success without the data, and the ways out are told, and right', async (context) => {
      for (const table of sampled(['shop.ren2', 'crm.moved', 'shop.orders'], 2)) {
        const { result } = await extract(context, 'pipe', BACKUP, '--tables', table);
        const said = [
          /tables of shop were renamed, and a pipe does not tell which/,
          /shop\/10\.ren: .* 10 became shop\.ren2/,
        ];
        if (table === 'crm.moved') said.pop();
        assertEnded(result, EXIT.refused, ...said, /from a file instead of a pipe/, /--databases shop/);
        const helped = await extract(context, 'pipe', BACKUP, '--tables', table, '--databases', 'shop');
        assertEnded(helped.result, EXIT.ok);
        const fromFile = await extract(context, 'file', BACKUP, '--tables', table);
        for (const name of fromFile.names) assert.ok(helped.names.includes(name), name);
      }
      // Of this database nothing was renamed.
      assertEnded((await extract(context, 'pipe', BACKUP, '--tables', 'crm.people')).result, EXIT.ok);
      const cat = await run(['cat', '-', '--tables', 'shop.ren2'], { stdin: { kind: 'pipe', bytes: BACKUP } });
      assert.equal(cat.code, EXIT.refused);
      assert.match(cat.stderr, /a pipe does not tell which/);
    });

    test('compressed, encrypted, sparse, and incremental', async (context) => {
      const key = Buffer.alloc(32, 'k');
      const locked = xbcryptFile(qpressFile(tablespace(31)), { cipher: 'AES256', bytes: key });
      const bytes = archive(
        file('shop/a.ibd.qp', qpressFile(tablespace(30))),
        file('shop/b.ibd.qp.xbcrypt', locked),
        sparse('shop/c.ibd', 0, [[0, 64]], tablespace(32).subarray(0, 64)),
        end('shop/c.ibd'),
        file('shop/d.ibd.delta', 'xtra'),
        file('shop/d.ibd.meta', meta(33)),
        ...[30, 31, 32, 33].map((number) => file(`shop/${number}.ren`, `shop/now${number}.ibd`)),
      );
      const words = ['--decrypt=AES256', '-k', key.toString(), '--allow-encrypted'];
      const renamed = [
        [30, ['shop/30.ren', 'shop/a.ibd.qp']],
        [31, ['shop/31.ren', 'shop/b.ibd.qp']],
        [32, ['shop/32.ren', 'shop/c.ibd']],
        [33, ['shop/33.ren', 'shop/d.ibd.delta', 'shop/d.ibd.meta']],
      ] as const;
      for (const [number, names] of sampled(renamed, 2, 1)) {
        const { result, names: found } = await extract(
          context,
          'file',
          bytes,
          '--tables',
          `shop.now${number}`,
          ...words,
        );
        assertEnded(result, EXIT.ok);
        assert.deepEqual(found, names);
      }
      const { result } = await extract(context, 'file', bytes, '--tables', 'shop.now30');
      assertEnded(
        result,
        EXIT.undecodable,
        /which tablespace shop\/b\.ibd\.qp\.xbcrypt is cannot be read/,
        /may be one/,
      );
    });

    test('a tablespace whose number is not where it must be is an error, whatever it is', async (context) => {
      const rename = file('shop/10.ren', 'shop/now.ibd');
      for (const content of sampled(['', 'short', tablespace(10).fill(0, 34, 38)], 2)) {
        const bytes = archive(file('shop/a.ibd', tablespace(10)), file('shop/b.ibd', content), rename);
        const { result } = await extract(context, 'file', bytes, '--tables', 'shop.now');
        assertEnded(result, EXIT.damaged, /which tablespace shop\/b\.ibd is cannot be read/);
      }
      const late = archive(payload('shop/a.ibd', 5, 'x'), payload('shop/a.ibd', 0, 'abcde'), end('shop/a.ibd'), rename);
      const { result } = await extract(context, 'file', late, '--tables', 'shop.now');
      assert.notEqual(result.code, EXIT.ok);
    });

    test('in a backup of MariaDB a number is a name', async (context) => {
      const bytes = archive(
        file('shop/10.ibd', tablespace(99)),
        file('shop/a.ibd', tablespace(10)),
        file('shop/11.ibd', tablespace(98)),
        file('shop/10.ren', 'shop/now'),
        end('shop/11.del'),
        file('shop/b.ibd', tablespace(11)),
      );
      const { names } = await extract(context, 'file', bytes, '--tables', 'shop.now');
      assert.deepEqual(names, ['shop/10.ibd', 'shop/10.ren', 'shop/11.del']);
      assertEnded((await extract(context, 'file', bytes, '--tables', 'shop.b')).result, EXIT.ok);
      assertEnded((await extract(context, 'file', bytes, '--tables', 'shop.11')).result, EXIT.refused, /was dropped/);
    });

    test('list and info know what it is', async () => {
      const stdin = { kind: 'pipe', bytes: BACKUP } as const;
      const verified = await run(['verify', '-q', '-'], { stdin });
      assert.deepEqual([verified.code, verified.stderr], [EXIT.ok, '']);
      const cut = archive(...BEFORE, ...AFTER.slice(0, 4));
      const unfinished = await run(['verify', '-q', '-'], { stdin: { kind: 'pipe', bytes: cut } });
      assert.equal(unfinished.code, EXIT.incomplete, unfinished.stderr);
      const info = await run(['info', '--json', '-'], { stdin });
      assert.equal(linesOf(info.stdout, 'info')[0]?.['state'], 'finished');
    });
  },
);
