/** Tables of every kind that a MariaDB server has, and what is in them. */
import assert from 'node:assert/strict';
import type { Interlude } from '../helpers/ddl-backup.js';
import type { Mariadb } from '../helpers/mariadb.js';

/** Names that are letters, signs and words which file systems, shells or SQL take for something else. */
const ODD_NAMES = [
  'Ärger',
  'a b',
  'CON',
  'semi;colon',
  "quo'te",
  'per%cent',
  'back`tick',
  '日本語',
  '-rf',
  'a.b',
  'x'.repeat(60),
];

export const quoted = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

/** @param elsewhere a directory outside of the server's own, where one table has its data */
export function makeTables(server: Mariadb, elsewhere: string, rows: number): void {
  const text = (
    table: string,
    columns = 'id INT PRIMARY KEY, t VARCHAR(200), KEY (t)',
    options = 'ENGINE=InnoDB',
  ): string => `CREATE TABLE ${table} (${columns}) ${options};`;
  const filled = (table: string, count = rows): string =>
    `INSERT INTO ${table} SELECT seq, CONCAT(MD5(seq), ' some words ', REPEAT('x', seq % 90)) FROM seq_1_to_${count};`;
  const plain: Record<string, string> = {
    inno: 'ENGINE=InnoDB',
    redundant: 'ENGINE=InnoDB ROW_FORMAT=REDUNDANT',
    zipped: 'ENGINE=InnoDB ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=4',
    paged: 'ENGINE=InnoDB PAGE_COMPRESSED=1',
    encrypted: 'ENGINE=InnoDB ENCRYPTED=YES',
    paged_encrypted: 'ENGINE=InnoDB PAGE_COMPRESSED=1 ENCRYPTED=YES',
    elsewhere: `ENGINE=InnoDB DATA DIRECTORY='${elsewhere}'`,
    myisam: 'ENGINE=MyISAM',
    aria: 'ENGINE=Aria TRANSACTIONAL=1',
    aria_plain: 'ENGINE=Aria TRANSACTIONAL=0 ROW_FORMAT=DYNAMIC',
    merge_1: 'ENGINE=MyISAM',
    merge_2: 'ENGINE=MyISAM',
    parts: 'ENGINE=InnoDB PARTITION BY HASH (id) PARTITIONS 4',
    parts_myisam: 'ENGINE=MyISAM PARTITION BY KEY (id) PARTITIONS 3',
  };
  const statements = [
    'CREATE DATABASE drill; CREATE DATABASE `my-shop.1`; USE drill;',
    ...Object.entries(plain).flatMap(([table, options]) => [text(table, undefined, options), filled(table)]),
    text('csv', 'id INT NOT NULL, t VARCHAR(200) NOT NULL', 'ENGINE=CSV') + filled('csv'),
    text('merged', undefined, 'ENGINE=MERGE UNION=(merge_1, merge_2) INSERT_METHOD=LAST'),
    text('words', 'id INT PRIMARY KEY, t VARCHAR(200), FULLTEXT (t)') + filled('words'),
    text(
      'subparts',
      'id INT, t VARCHAR(200)',
      'ENGINE=InnoDB PARTITION BY RANGE (id) SUBPARTITION BY HASH (id) SUBPARTITIONS 2 (PARTITION low VALUES LESS THAN (100), PARTITION `Höhe` VALUES LESS THAN MAXVALUE)',
    ) + filled('subparts'),
    'CREATE VIEW seen AS SELECT id FROM inno; CREATE SEQUENCE numbers; SELECT NEXT VALUE FOR numbers;',
    'CREATE TRIGGER changed BEFORE UPDATE ON inno FOR EACH ROW SET NEW.t = CONCAT(NEW.t, 1);',
    'CREATE TABLE emptied (id INT) ENGINE=MyISAM; CREATE TABLE no_rows (id INT) ENGINE=InnoDB;',
    'USE `my-shop.1`;',
    ...ODD_NAMES.map(
      (name, at) =>
        text(quoted(name), undefined, at % 3 === 2 ? 'ENGINE=MyISAM' : 'ENGINE=InnoDB') + filled(quoted(name), 20),
    ),
  ];
  server.sql(statements.join('\n'));
}

/** Changes tables, with and without their definitions. @param turn another one each time */
export function change(server: Mariadb, turn: number): void {
  server.sql(`USE drill;
    INSERT INTO inno SELECT seq, 'more' FROM seq_${turn}0000_to_${turn}0300; DELETE FROM zipped WHERE id % 7 = ${turn % 7};
    UPDATE paged SET t = CONCAT(t, ${turn}) WHERE id < 50; UPDATE encrypted SET t = ${turn} WHERE id < 30;
    INSERT INTO parts SELECT seq, 'more' FROM seq_${turn}0000_to_${turn}0100; INSERT INTO myisam VALUES (${turn}0000, 'more');
    UPDATE aria SET t = ${turn} WHERE id < 20; UPDATE elsewhere SET t = ${turn} WHERE id < 20; INSERT INTO words VALUES (${turn}0000, 'later words');
    CREATE TABLE made_${turn} (id INT PRIMARY KEY, t TEXT) ENGINE=InnoDB; INSERT INTO made_${turn} SELECT seq, seq FROM seq_1_to_200;
    ALTER TABLE redundant ADD COLUMN c${turn} INT DEFAULT ${turn}, ALGORITHM=COPY; OPTIMIZE TABLE aria_plain;`);
}

/** What is done while a backup is taken: tables are made, filled, renamed, altered and dropped. */
export function changesMeanwhile(server: Mariadb): Interlude[] {
  server.sql(`USE drill; CREATE TABLE early (id INT PRIMARY KEY) ENGINE=InnoDB; INSERT INTO early VALUES (1), (2);
    CREATE TABLE goes (id INT PRIMARY KEY) ENGINE=InnoDB;`);
  return [
    {
      at: 'XBSTCK01',
      statements: `USE drill; CREATE TABLE meanwhile (id INT PRIMARY KEY, t TEXT); INSERT INTO meanwhile SELECT seq, seq FROM seq_1_to_500;
        RENAME TABLE early TO late; DROP TABLE goes; INSERT INTO late VALUES (3);`,
    },
    {
      at: 'ibdata1',
      statements: `USE drill; UPDATE inno SET t = 'meanwhile' WHERE id < 100;
        ALTER TABLE no_rows ADD COLUMN later INT, ALGORITHM=COPY; INSERT INTO no_rows VALUES (1, 2);`,
    },
  ];
}

/** What is in the server: the checksum and the number of rows of each table, and the names of all else. */
export function contentOf(server: Mariadb): Record<string, string> {
  const content: Record<string, string> = {};
  for (const database of ['drill', 'my-shop.1']) {
    const tables = server
      .sql(
        `SELECT table_name FROM information_schema.tables WHERE table_schema = '${database}' AND table_type = 'BASE TABLE'`,
      )
      .split('\n')
      .filter(Boolean);
    const names = tables.map((table) => `${quoted(database)}.${quoted(table)}`);
    for (const line of server
      .sql(`CHECKSUM TABLE ${names.join(', ')}`)
      .split('\n')
      .filter(Boolean)) {
      const [name, sum] = line.split('\t') as [string, string];
      assert.notEqual(sum, 'NULL', `${name} cannot be read`);
      content[name] = sum;
    }
    const counts = names.map((name, at) => `SELECT ${at}, COUNT(*) FROM ${name};`).join('');
    for (const line of server.sql(counts).split('\n').filter(Boolean)) {
      const [at, count] = line.split('\t') as [string, string];
      content[`${database}.${tables[Number(at)]!} rows`] = count;
    }
  }
  content['other things'] = server.sql(`SELECT table_name FROM information_schema.views WHERE table_schema = 'drill';
    SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = 'drill'; SELECT NEXT VALUE FOR drill.numbers > 1;
    SELECT COUNT(*) FROM drill.words WHERE MATCH (t) AGAINST ('words');`);
  return content;
}
