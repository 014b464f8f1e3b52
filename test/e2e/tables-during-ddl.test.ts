/** `--tables` and `--databases` on real backups, taken while tables change: everything that the prepare needs is there. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { run } from '../helpers/cli.js';
import { backupDuring } from '../helpers/ddl-backup.js';
import { giveToServer, Mariadb } from '../helpers/mariadb.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { hasProgram, isRoot, sampled } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { namesIn } from '../helpers/tree.js';

const TABLES = `
CREATE DATABASE shop; CREATE DATABASE crm; CREATE DATABASE \`Müller\`;
USE shop;
CREATE TABLE orders (id INT PRIMARY KEY, v VARCHAR(200), KEY (v));
INSERT INTO orders SELECT seq, REPEAT('x', seq % 100) FROM seq_1_to_1000;
CREATE TABLE altered AS SELECT * FROM orders;
CREATE TABLE emptied AS SELECT * FROM orders;
CREATE TABLE ren1 AS SELECT * FROM orders;
CREATE TABLE late1 AS SELECT * FROM orders;
CREATE TABLE chain1 AS SELECT * FROM orders;
CREATE TABLE swap1 AS SELECT id, 'one' AS v FROM orders;
CREATE TABLE swap2 AS SELECT id, 'two' AS v FROM orders;
CREATE TABLE gone AS SELECT * FROM orders;
CREATE TABLE reborn AS SELECT * FROM orders;
CREATE TABLE taken AS SELECT id, 'over' AS v FROM orders;
CREATE TABLE moving AS SELECT * FROM orders;
CREATE TABLE changed AS SELECT * FROM orders;
CREATE TABLE words (id INT PRIMARY KEY, v VARCHAR(200), FULLTEXT (v));
INSERT INTO words SELECT * FROM orders;
CREATE TABLE parts (id INT PRIMARY KEY, v VARCHAR(200)) PARTITION BY HASH (id) PARTITIONS 3;
INSERT INTO parts SELECT * FROM orders;
CREATE TABLE memory (id INT) ENGINE=MEMORY;
CREATE VIEW vw AS SELECT * FROM orders;
CREATE SEQUENCE sq;
CREATE TABLE isam (id INT) ENGINE=MyISAM;
CREATE TABLE \`Müller\`.\`Ümläut-1\` AS SELECT * FROM orders;
CREATE TRIGGER tr BEFORE INSERT ON orders FOR EACH ROW SET NEW.v = UPPER(NEW.v);
`;

/** Before InnoDB's tables are copied. */
const EARLY = `
USE shop;
RENAME TABLE ren1 TO ren2;
RENAME TABLE chain1 TO chain2; RENAME TABLE chain2 TO chain3;
RENAME TABLE swap1 TO between_them, swap2 TO swap1, between_them TO swap2;
CREATE TABLE ren1 AS SELECT id, 'another' AS v FROM orders;
UPDATE ren2 SET v = 'changed' WHERE id < 10;
CREATE TABLE fresh AS SELECT * FROM orders;
`;

/** When most are copied. */
const LATE = `
USE shop;
RENAME TABLE late1 TO late2; UPDATE late2 SET v = 'late' WHERE id < 10;
ALTER TABLE altered ADD COLUMN more INT DEFAULT 5, ALGORITHM=COPY;
TRUNCATE TABLE emptied; INSERT INTO emptied VALUES (1, 'new');
DROP TABLE gone;
DROP TABLE reborn; CREATE TABLE reborn AS SELECT id, 'reborn' AS v FROM orders;
DROP TABLE taken; RENAME TABLE swap1 TO taken;
RENAME TABLE moving TO crm.moved;
CREATE TABLE _changed_new AS SELECT id, v, 1 AS more FROM changed;
RENAME TABLE changed TO _changed_old, _changed_new TO changed;
TRUNCATE TABLE parts; INSERT INTO parts SELECT id, 'new' FROM orders;
UPDATE orders SET v = 'late' WHERE id < 50;
OPTIMIZE TABLE words;
`;

type TableCase = readonly [database: string, table: string, file?: string];

/** Tables of InnoDB that are there in the end, and the name of the file that each is exported as. */
const INNODB_TABLES: readonly TableCase[] = [
  ['shop', '_changed_old'],
  ['shop', 'altered'],
  ['shop', 'chain3'],
  ['shop', 'changed'],
  ['shop', 'emptied'],
  ['shop', 'fresh'],
  ['shop', 'late2'],
  ['shop', 'orders'],
  ['shop', 'reborn'],
  ['shop', 'ren1'],
  ['shop', 'ren2'],
  ['shop', 'swap2'],
  ['shop', 'taken'],
  ['shop', 'words'],
  ['crm', 'moved'],
  ['Müller', 'Ümläut-1', 'M@1oller/@1Oml@0kut@002d1'],
];

describe('tables of a backup that was taken while tables changed', () => {
  let server: Mariadb | undefined;
  let archive: Buffer;
  let path: string;
  const cleanup: (() => void)[] = [];

  const isThere = (context: TestContext): boolean =>
    hasProgram(context, 'mariadbd', 'mariadb-server') &&
    hasProgram(context, 'mariadb-backup', 'mariadb-backup') &&
    isRoot(context);

  before(async (context) => {
    if (!isThere(context as TestContext)) return;
    const directory = tempDir({ after: (work) => cleanup.push(work) });
    server = new Mariadb(directory);
    server.install();
    await server.start();
    server.sql(TABLES);
    // Tables made since the last checkpoint are stored as new ones.
    await server.stop();
    await server.start();
    archive = await backupDuring(server, [
      { at: 'XBSTCK01', statements: EARLY },
      { at: 'ibdata1', statements: LATE },
    ]);
    path = join(directory, 'archive');
    fs.writeFileSync(path, archive);
  });

  after(async () => {
    await server?.stop();
    for (const work of cleanup) work();
  });

  /** Unpacks a selection, and has it prepared. */
  async function prepared(context: TestContext, bytes: string, ...words: readonly string[]): Promise<string> {
    const target = join(tempDir(context), 'target');
    assertEnded(await run(['extract', '-q', bytes, '-C', target, ...words]), EXIT.ok);
    prepare(target);
    return target;
  }

  /** The checksum of a table that comes from a prepared directory into the server; the live one gives the columns. */
  function imported(target: string, database: string, table: string, file: string): string {
    server!.sql(`DROP DATABASE IF EXISTS back; CREATE DATABASE back;
      CREATE TABLE back.t LIKE \`${database}\`.\`${table}\`; ALTER TABLE back.t DISCARD TABLESPACE`);
    const back = join(server!.dataDirectory, 'back');
    for (const ending of ['.ibd', '.cfg']) fs.copyFileSync(join(target, file + ending), join(back, `t${ending}`));
    giveToServer(back);
    server!.sql('ALTER TABLE back.t IMPORT TABLESPACE');
    return server!.sql('CHECKSUM TABLE back.t').split('\t')[1]!;
  }

  function live(database: string, table: string): string {
    return server!.sql(`CHECKSUM TABLE \`${database}\`.\`${table}\``).split('\t')[1]!;
  }

  test('the backup has what such backups have', (context) => {
    if (!isThere(context)) return;
    const text = archive.toString('latin1');
    for (const name of ['shop/ren1.ren', 'shop/ren1.new', 'shop/gone.del', 'shop/moving.ren', 'shop/parts#P#p0.new'])
      assert.ok(text.includes(name), name);
  });

  function assertImported(target: string, [database, table, file = `${database}/${table}`]: TableCase): void {
    assert.equal(imported(target, database, table, file), live(database, table), table);
  }

  // As pt-online-schema-change and gh-ost leave it, where they keep the old table.
  test('a table of the same database is changed by making another one: each alone is prepared', async (context) => {
    if (!isThere(context)) return;
    const names = ['_changed_old', 'changed', 'orders'];
    for (const name of sampled(names, 2))
      assertImported(await prepared(context, path, '--tables', `shop.${name}`), ['shop', name]);
    const stdin = { kind: 'pipe', bytes: archive } as const;
    const words = ['extract', '-q', '-', '-C', join(tempDir(context), 'target'), '--tables', 'shop.orders'];
    const said = /the prepare needs what became .*shop\._changed_old.*, and a pipe tells that too late/;
    const result = await run(words, { stdin });
    assertEnded(result, EXIT.refused, said, /from a file instead of a pipe/);
    const [, ...added] = / too: (.*)/
      .exec(result.stderr)![1]!
      .replaceAll("'", '')
      .split(/ ?--include /);
    const helped = join(tempDir(context), 'target');
    const again = ['extract', '-q', '-', '-C', helped, '--tables', 'shop.orders'];
    assertEnded(await run([...again, ...added.flatMap((glob) => ['--include', glob])], { stdin }), EXIT.ok);
    prepare(helped);
    assertImported(helped, ['shop', 'orders']);
  });

  const alone = INNODB_TABLES.filter(([, table]) => /^(?:ren.|taken|Ü.*)$/.test(table));
  for (const tableCase of sampled(alone, 3, 1)) {
    const name = `${tableCase[0]}.${tableCase[1]}`;
    test(`${name} alone is prepared, exported and imported whole`, async (context) => {
      if (!isThere(context)) return;
      assertImported(await prepared(context, path, '--tables', name), tableCase);
    });
  }

  test('the others, in one go', async (context) => {
    if (!isThere(context)) return;
    const names = INNODB_TABLES.map(([database, table]) => `${database}.${table}`);
    const target = await prepared(context, path, '--tables', names.join(','));
    for (const tableCase of INNODB_TABLES) assertImported(target, tableCase);
  });

  test('the partitions of a table are exported, each whole', async (context) => {
    if (!isThere(context)) return;
    const target = await prepared(context, path, '--tables', 'shop.parts');
    const rows = ['p0', 'p1', 'p2'].map((part) => {
      server!.sql(`DROP DATABASE IF EXISTS back; CREATE DATABASE back; CREATE TABLE back.t LIKE shop.parts;
        ALTER TABLE back.t REMOVE PARTITIONING; ALTER TABLE back.t DISCARD TABLESPACE`);
      const back = join(server!.dataDirectory, 'back');
      for (const ending of ['.ibd', '.cfg'])
        fs.copyFileSync(join(target, `shop/parts#P#${part}${ending}`), join(back, `t${ending}`));
      giveToServer(back);
      server!.sql('ALTER TABLE back.t IMPORT TABLESPACE');
      return server!.sql(`SELECT COUNT(*), SUM(id), MIN(v) FROM back.t`);
    });
    assert.deepEqual(
      rows,
      ['p0', 'p1', 'p2'].map((part) =>
        server!.sql(`SELECT COUNT(*), SUM(id), MIN(v) FROM shop.parts PARTITION (${part})`),
      ),
    );
  });

  test('whole databases are prepared, with every table as it was', async (context) => {
    if (!isThere(context)) return;
    const target = await prepared(context, path, '--databases', 'shop,crm,Müller');
    for (const tableCase of sampled(INNODB_TABLES, 4, 1)) assertImported(target, tableCase);
  });

  test('a table that has got the name of another one, both made since the last checkpoint', async (context) => {
    if (!isThere(context)) return;
    const young = new Mariadb(tempDir(context));
    young.install();
    await young.start();
    let bytes: Buffer;
    try {
      young.sql(TABLES);
      bytes = await backupDuring(young, [{ at: 'XBSTCK01', statements: EARLY }]);
    } finally {
      await young.stop();
    }
    const file = join(tempDir(context), 'archive');
    fs.writeFileSync(file, bytes);
    const target = await prepared(context, file, '--tables', 'shop.ren1');
    assert.ok(fs.existsSync(join(target, 'shop/ren1.cfg')));
  });

  test('what has no tablespace is taken, and what was dropped is told', async (context) => {
    if (!isThere(context)) return;
    for (const table of sampled(['vw', 'memory', 'isam', 'sq'], 2)) {
      const target = join(tempDir(context), 'target');
      assertEnded(await run(['extract', '-q', path, '-C', target, '--tables', `shop.${table}`]), EXIT.ok);
      assert.ok(fs.existsSync(join(target, `shop/${table}.frm`)));
    }
    for (const table of sampled(['gone', 'moving', 'swap1', 'late1'], 2)) {
      const result = await run(['list', path, '--tables', `shop.${table}`]);
      assert.equal(result.code, EXIT.refused, table);
      assert.match(result.stderr, /was (?:dropped|renamed to .*) while the backup was taken/);
    }
  });

  test('from a pipe nothing is left out in silence', async (context) => {
    if (!isThere(context)) return;
    const some = INNODB_TABLES.filter(([, name]) => /^(?:ren.|orders|moved)$/.test(name));
    for (const [database, table] of sampled(some, 2)) {
      const names = ['--tables', `${database}.${table}`];
      const [fromFile, fromPipe] = [join(tempDir(context), 'a'), join(tempDir(context), 'b')];
      assertEnded(await run(['extract', '-q', path, '-C', fromFile, ...names]), EXIT.ok);
      const stdin = { kind: 'pipe', bytes: archive } as const;
      const result = await run(['extract', '-q', '-', '-C', fromPipe, ...names], { stdin });
      if (result.code === EXIT.ok) assert.deepEqual(namesIn(fromPipe), namesIn(fromFile), table);
      else
        assertEnded(
          result,
          EXIT.refused,
          /had another name when it came by|a pipe tells that too late/,
          /from a file instead of a pipe/,
        );
    }
  });
});

function prepare(target: string): void {
  const words = ['--no-defaults', '--prepare', '--export', `--target-dir=${target}`];
  execFileSync('mariadb-backup', words, { stdio: 'ignore' });
}
