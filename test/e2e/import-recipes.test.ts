/** What `info` says is to be done with a partial backup whose tables have partitions and full-text indexes, done word by word. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Mariadb } from '../helpers/mariadb.js';
import { hasProgram, isRoot } from '../helpers/programs.js';
import { doStep, infoOf } from '../helpers/recipe.js';
import { tempDir } from '../helpers/temp.js';

const TABLES = `CREATE DATABASE shop; USE shop;
  CREATE TABLE plain (id INT PRIMARY KEY, v VARCHAR(50), KEY (v)); INSERT INTO plain SELECT seq, seq FROM seq_1_to_500;
  CREATE TABLE parts (id INT PRIMARY KEY, v INT, KEY (v)) PARTITION BY RANGE (id)
    (PARTITION low VALUES LESS THAN (100), PARTITION high VALUES LESS THAN MAXVALUE);
  INSERT INTO parts SELECT seq, seq * 2 FROM seq_1_to_500;
  CREATE TABLE words (id INT PRIMARY KEY, n INT, a VARCHAR(50), b TEXT, KEY (n), FULLTEXT KEY (b), FULLTEXT KEY (a, b));
  INSERT INTO words SELECT seq, seq % 3, 'first', CONCAT('word', seq) FROM seq_1_to_500; DELETE FROM words WHERE id < 5`;
const BARE = 'CREATE TABLE words (id INT PRIMARY KEY, n INT, a VARCHAR(50), b TEXT)';

test('an import of tables with partitions and full-text indexes: nothing is lost, and words are found', async (context) => {
  if (!hasProgram(context, 'mariadbd', 'mariadb-server') || !isRoot(context)) return;
  if (!hasProgram(context, 'mariadb-backup', 'mariadb-backup')) return;
  const server = new Mariadb(tempDir(context));
  server.install();
  await server.start();
  context.after(() => server.stop());
  server.sql(TABLES);
  const folder = tempDir(context);
  fs.chmodSync(folder, 0o755);
  const path = join(folder, 'partial.xbstream');
  fs.writeFileSync(path, server.backup([`--target-dir=${tempDir(context)}`, '--databases=shop']));
  const before = server.checksums('shop');
  const write = (name: string, text: string): string => {
    fs.writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const definitionOf = (table: string): string =>
    write(`${table}.sql`, server.sql(`SHOW CREATE TABLE shop.${table}`).split('\t')[1]!.replaceAll('\\n', '\n'));
  const definitions: Readonly<Record<string, string>> = {
    TABLE: definitionOf('plain'),
    PARTITIONED: definitionOf('parts'),
  };
  server.sql('DROP DATABASE shop; CREATE DATABASE shop');

  const { next, placeholders } = await infoOf(path);
  const values = {
    DIR: join(folder, 'partial'),
    DATADIR: server.dataDirectory,
    DB: 'shop',
    TABLE: 'plain',
    FULLTEXT: 'words',
    BARE_DEFINITION: write('bare.sql', BARE),
    INDEXES: 'ADD KEY (n), ADD FULLTEXT KEY (b)',
    PARTITIONED: 'parts',
    PARTITION: ['low', 'high'],
  };
  for (const step of next) {
    const DEFINITION = definitions[step.each ?? ''];
    // A step for partitions is done in the one table that has some.
    doStep(step, DEFINITION === undefined ? values : { ...values, DEFINITION }, server);
  }
  server.sql('ALTER TABLE shop.words ADD FULLTEXT KEY (a, b)');
  assert.deepEqual(server.checksums('shop'), before);
  assert.deepEqual(Object.keys(placeholders).sort(), [...Object.keys(values), 'DEFINITION'].sort());
  const found = server.sql("SELECT id FROM shop.words WHERE MATCH (b) AGAINST ('word77')");
  assert.equal(found.trim(), '77');
  assert.match(server.sql('CHECK TABLE shop.words, shop.parts, shop.plain'), /^(?:\S+\tcheck\tstatus\tOK\n){3}$/);
});
