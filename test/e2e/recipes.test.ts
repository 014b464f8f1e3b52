/** What `info` says is to be done with a backup is done here, with real programs and a real server, word by word. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { run } from '../helpers/cli.js';
import { giveToServer, Mariadb, type MariadbOptions } from '../helpers/mariadb.js';
import { hasProgram, isRoot, sampled } from '../helpers/programs.js';
import { doStep, infoOf, type Info, type Values } from '../helpers/recipe.js';
import { tempDir } from '../helpers/temp.js';

/** A directory that the server's user may enter. */
function folderOf(context: TestContext): string {
  const folder = tempDir(context);
  fs.chmodSync(folder, 0o755);
  return folder;
}

/** Whether tests that need a server can run here. */
function canServe(context: TestContext): boolean {
  return (
    hasProgram(context, 'mariadbd', 'mariadb-server') &&
    hasProgram(context, 'mariadb-backup', 'mariadb-backup') &&
    isRoot(context)
  );
}

async function startedServer(context: TestContext, options: MariadbOptions = {}): Promise<Mariadb> {
  const server = new Mariadb(tempDir(context), undefined, options);
  server.install();
  await server.start();
  context.after(() => server.stop());
  server.sql(`CREATE DATABASE shop; CREATE DATABASE other; CREATE TABLE other.o (a INT) ENGINE=MyISAM;
    CREATE TABLE shop.orders (id INT PRIMARY KEY, what VARCHAR(200)); USE shop;
    INSERT INTO orders SELECT seq, REPEAT('x', 100) FROM seq_1_to_1000`);
  return server;
}

let archives = 0;

/** Takes a backup into a file. */
function backup(context: TestContext, server: Mariadb, ...words: string[]): string {
  const path = join(tempDir(context), `backup${(archives += 1)}.xbstream`);
  fs.writeFileSync(path, server.backup([`--target-dir=${tempDir(context)}`, ...words]));
  return path;
}

/** Does all steps, and starts a server on what has come of it, as the server's own user. */
async function restored(
  context: TestContext,
  { next }: Info,
  values: Values,
  options: MariadbOptions = {},
): Promise<Mariadb> {
  const data = join(folderOf(context), 'data');
  for (const step of next) doStep(step, { ...values, DATADIR: data });
  const server = new Mariadb(tempDir(context), data, options);
  await server.start();
  context.after(() => server.stop());
  return server;
}

describe('the recipe of a real backup restores it', { concurrency: 1 }, () => {
  const whole = {
    full: [],
    compressed: ['--compress'],
    'of all but a directory that is no database, as Galera takes it': ['--databases-exclude=lost+found'],
  };
  for (const [title, words] of sampled(Object.entries(whole), 3, 1)) {
    test(title, async (context) => {
      if (!canServe(context)) return;
      const source = await startedServer(context, { settings: ['--log-bin=binlog', '--server-id=1'] });
      const info = await infoOf(backup(context, source, ...words));
      assert.deepEqual(info.missing, []);
      assert.deepEqual(Object.keys(info.placeholders), ['DIR', 'DATADIR']);
      const server = await restored(
        context,
        info,
        { DIR: join(folderOf(context), 'full') },
        { settings: ['--server-id=2'] },
      );
      assert.deepEqual(server.checksums('shop'), source.checksums('shop'));
      // The server takes the statements that make a replica of it, with the host that only its owner knows.
      const statuses = info.replication.map(({ statements }) => {
        for (const statement of statements)
          server.sql(statement.replace(/^CHANGE MASTER TO /, "$&MASTER_HOST='none', "));
        return server.sql('SHOW SLAVE STATUS');
      });
      assert.equal(statuses.length, 2);
      assert.match(statuses[0]!, /\bbinlog\.000001\b/);
      assert.match(statuses[1]!, /\bSlave_Pos\b/);
    });
  }

  test('the second increment of a chain, with the first one between', async (context) => {
    if (!canServe(context)) return;
    const source = await startedServer(context);
    const full = backup(context, source);
    const chain = [await infoOf(full)];
    const paths: string[] = [];
    for (const from of [2001, 3001]) {
      // Only a restart is certain to move the checkpoint.
      await source.stop();
      await source.start();
      source.sql(`USE shop; INSERT INTO orders SELECT seq, 'more' FROM seq_${from}_to_${from + 500}`);
      paths.push(backup(context, source, `--incremental-lsn=${chain.at(-1)!.toLsn}`));
      chain.push(await infoOf(paths.at(-1)!));
    }
    const [base, first, second] = chain as [Info, Info, Info];
    assert.notEqual(second.fromLsn, base.toLsn);
    const folder = folderOf(context);
    const values = { DIR: join(folder, 'full'), BETWEEN: [join(folder, 'first')], INCREMENTAL: join(folder, 'second') };
    doStep(base.next[0]!, values);
    doStep(first.next[0]!, { INCREMENTAL: values.BETWEEN[0]! });
    // Without the one between it is no proper increment.
    const scratch = { ...values, DIR: join(folder, 'scratch'), BETWEEN: [], INCREMENTAL: join(folder, 'again') };
    doStep(base.next[0]!, scratch);
    assert.throws(() => second.next.slice(0, 4).forEach((step) => doStep(step, scratch)), /incremental/);
    const server = await restored(context, second, values);
    assert.deepEqual(server.checksums('shop'), source.checksums('shop'));
    assert.equal(server.sql('SELECT COUNT(*) FROM shop.orders').trim(), '2002');
    const { stdout } = await run(['info', paths[1]!]);
    assert.match(stdout, new RegExp(`builds on: +the backup that ends at LSN ${second.fromLsn}`));
  });

  const partial = {
    'of one table': ['--tables=^shop[.]orders$'],
    'of one database, compressed': ['--databases=shop', '--compress'],
  };
  for (const [title, words] of sampled(Object.entries(partial), 2)) {
    test(`a partial one, ${title}: its tables are imported`, async (context) => {
      if (!canServe(context)) return;
      const server = await startedServer(context);
      const info = await infoOf(backup(context, server, ...words));
      const before = server.checksums('shop');
      const folder = folderOf(context);
      const definition = join(folder, 'orders.sql');
      fs.writeFileSync(definition, server.sql('SHOW CREATE TABLE shop.orders').split('\t')[1]!.replaceAll('\\n', '\n'));
      server.sql('DROP TABLE shop.orders');
      const DATADIR = server.dataDirectory;
      const values = { DIR: join(folder, 'partial'), DATADIR, DB: 'shop', TABLE: 'orders', DEFINITION: definition };
      for (const step of info.next) doStep(step, values, server);
      assert.deepEqual(server.checksums('shop'), before);
      assert.ok(info.next.every(({ command }) => !command.includes('--copy-back')));
      assert.deepEqual(Object.keys(info.placeholders).sort(), Object.keys(values).sort());
    });
  }

  test('one that the server has encrypted: the key plugin is named', async (context) => {
    if (!canServe(context)) return;
    const keys = join(folderOf(context), 'keys');
    fs.writeFileSync(keys, `1;${'a7'.repeat(32)}\n`);
    const settings = ['--plugin-load-add=file_key_management', `--file-key-management-filename=${keys}`];
    const encrypting = [...settings, '--innodb-encrypt-tables=ON', '--innodb-encrypt-log=ON'];
    const source = await startedServer(context, { settings: encrypting });
    const path = backup(context, source);
    const info = await infoOf(path);
    assert.equal(info.keyPlugin?.name, 'file_key_management');
    assert.match(info.next[1]!.purpose, new RegExp(`file_key_management_filename=${keys}`));
    assert.match((await run(['info', path])).stdout, /at rest: +encrypted by the server: file_key_management/);
    const server = await restored(context, info, { DIR: join(folderOf(context), 'full') }, { settings });
    assert.deepEqual(server.checksums('shop'), source.checksums('shop'));
  });

  test('one with tables that lie elsewhere (DATA DIRECTORY), on a machine without such a directory', async (context) => {
    if (!canServe(context)) return;
    const source = await startedServer(context);
    const elsewhere = join(folderOf(context), 'else where');
    fs.mkdirSync(elsewhere);
    giveToServer(elsewhere);
    const there = `DATA DIRECTORY='${elsewhere}'`;
    source.sql(`USE shop; CREATE TABLE away (id INT PRIMARY KEY) ${there}; INSERT INTO away SELECT seq FROM seq_1_to_900;
        CREATE TABLE parts (id INT PRIMARY KEY) PARTITION BY RANGE (id)
          (PARTITION low VALUES LESS THAN (10) ${there}, PARTITION high VALUES LESS THAN MAXVALUE);
        INSERT INTO parts SELECT seq FROM seq_1_to_90; CREATE TABLE old (id INT PRIMARY KEY) ENGINE=MyISAM ${there};
        INSERT INTO old VALUES (1), (2)`);
    const before = source.checksums('shop');
    const path = backup(context, source, '--compress');
    const info = await infoOf(path);
    assert.deepEqual(info.elsewhere, [join(elsewhere, 'shop')]);
    assert.match((await run(['info', path])).stdout, /^elsewhere: +tables in .*\/else where\/shop$/m);
    await source.stop();
    fs.rmSync(elsewhere, { recursive: true });
    const server = await restored(context, info, {
      DIR: join(folderOf(context), 'full'),
      ELSEWHERE: info.elsewhere,
    });
    assert.deepEqual(server.checksums('shop'), before);
    server.sql('USE shop; INSERT INTO away VALUES (1000); CREATE TABLE more (id INT)');
    assert.ok(fs.existsSync(join(elsewhere, 'shop', 'away.ibd')));
  });

  test('one of a server with pages and files of its own: the new server is told of them', async (context) => {
    if (!canServe(context)) return;
    const format = ['--innodb-page-size=4096', '--innodb-data-file-path=ibdata1:3M;ibdata2:3M:autoextend'];
    const source = await startedServer(context, { format: [...format, '--innodb-undo-tablespaces=3'] });
    const info = await infoOf(backup(context, source));
    assert.deepEqual(info.serverSettings, [
      'innodb_data_file_path=ibdata1:3M;ibdata2:3M:autoextend',
      'innodb_page_size=4096',
      'innodb_undo_tablespaces=3',
    ]);
    const SETTINGS = join(folderOf(context), 'settings.cnf');
    const values = { DIR: join(folderOf(context), 'full'), SETTINGS };
    const server = await restored(context, info, values, { optionFile: SETTINGS });
    assert.deepEqual(server.checksums('shop'), source.checksums('shop'));
    // Without them it does not start.
    await server.stop();
    const untold = new Mariadb(tempDir(context), server.dataDirectory);
    await assert.rejects(untold.start(), /innodb_data_file_path|page size 4096/);
  });
});
