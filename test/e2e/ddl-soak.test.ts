/** Real backups, taken while tables are made, changed, renamed and dropped, and rows written. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { after, before, describe, test, type TestContext } from 'node:test';
import { extract, list, XbstreamError } from 'tsxbstream';
import { Mariadb } from '../helpers/mariadb.js';
import { hasProgram, isRoot, SOAK } from '../helpers/programs.js';
import { simpleExtract } from '../helpers/simple-extract.js';
import { tempDir } from '../helpers/temp.js';
import { readTree, treeOf, type Tree } from '../helpers/tree.js';

/** So many archives are compared. */
const BACKUPS = Number(process.env['TSXBSTREAM_SOAK_BACKUPS'] ?? (SOAK ? 300 : 2));
/** mariadb-backup gives up where a table goes while it reads it: that is no backup, and another one is taken. */
const MOST_ATTEMPTS = 20;
const TABLES = 6;
const PAUSE_MILLISECONDS = 250;
const ENGINES = ['InnoDB', 'InnoDB', 'InnoDB', 'Aria', 'MyISAM'];

/** Numbers that look random, the same ones each time. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % sides;
  };
}

/** Statements that change tables of the database `d`; some of them fail, for what they mean is not there. */
function changes(roll: (sides: number) => number, count: number): string {
  const table = (): string => `d.t${roll(TABLES)}`;
  const made = (name: string): string =>
    `CREATE TABLE ${name} (id INT PRIMARY KEY, v VARCHAR(100)) ENGINE=${ENGINES[roll(ENGINES.length)]}; ` +
    `INSERT INTO ${name} SELECT seq, REPEAT('${roll(10)}', 50) FROM seq_1_to_${50 + roll(500)};`;
  const kinds: (() => string)[] = [
    () => made(table()),
    () => `DROP TABLE ${table()};`,
    () => `RENAME TABLE ${table()} TO ${table()};`,
    () => {
      const [a, b] = [table(), table()];
      return `RENAME TABLE ${a} TO d.between_them, ${b} TO ${a}, d.between_them TO ${b};`;
    },
    () => `TRUNCATE TABLE ${table()};`,
    () => `ALTER TABLE ${table()} ADD COLUMN c${roll(1000)} INT DEFAULT 1, ALGORITHM=COPY;`,
    () => `OPTIMIZE TABLE ${table()};`,
    () => `UPDATE ${table()} SET v = '${roll(1000)}' WHERE id < ${roll(300)};`,
    () => `INSERT INTO ${table()} (id, v) SELECT seq, 'more' FROM seq_1000_to_${1001 + roll(500)};`,
  ];
  return Array.from({ length: count }, () => kinds[roll(kinds.length)]!()).join('\n');
}

describe(`${BACKUPS} backups of a server whose tables change meanwhile`, () => {
  let server: Mariadb | undefined;
  let client: ChildProcess | undefined;
  let changing: NodeJS.Timeout | undefined;
  const cleanup: (() => void)[] = [];
  /** What a refusal of ours is allowed to be: damage that the second extractor finds, too. */
  const counts = {
    compared: 0,
    givenUp: 0,
    likeMbstream: 0,
    likeSimple: 0,
    refusedByBoth: 0,
    tables: 0,
    renamed: 0,
    made: 0,
    dropped: 0,
  };

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
    const roll = dice(1);
    server.sql(
      `CREATE DATABASE d; ${Array.from({ length: TABLES }, (_, n) => `CREATE TABLE d.t${n} (id INT PRIMARY KEY, v VARCHAR(100)) ENGINE=InnoDB;`).join('')}`,
    );
    client = server.client();
    client.stdin!.on('error', () => undefined);
    changing = setInterval(() => client!.stdin!.write(`${changes(roll, 3)}\n`), 60);
  });

  after(async () => {
    clearInterval(changing);
    client?.stdin!.end();
    client?.kill();
    await server?.stop();
    for (const work of cleanup) work();
  });

  for (let number = 1; number <= BACKUPS; number += 1) {
    test(`backup ${number}`, async (context) => {
      if (!isThere(context)) return;
      const directory = tempDir(context);
      const path = join(directory, 'archive');
      // Another size has the server write a checkpoint: a table that is made since the last one is stored as new.
      server!.sql(`SET GLOBAL innodb_log_file_size = ${4 + 4 * (number % 2)} * 1048576`);
      let attempts = 1;
      while (!(await backUp(server!, path))) {
        counts.givenUp += 1;
        attempts += 1;
        assert.ok(attempts <= MOST_ATTEMPTS, `mariadb-backup gave up ${MOST_ATTEMPTS} times`);
      }
      counts.compared += 1;
      const archive = fs.readFileSync(path);
      const expected = expectedTree(directory, path, archive);
      const target = join(directory, 'ours');
      if (expected === undefined) {
        counts.refusedByBoth += 1;
        await assert.rejects(extract(path, target), XbstreamError);
        return;
      }
      await extract(path, target);
      assert.deepEqual(readTree(target), expected);
      await assertTables(path, expected, target);
    });
  }

  test('what there was', (context) => {
    if (!isThere(context)) return;
    context.diagnostic(JSON.stringify(counts));
    assert.equal(counts.compared, BACKUPS);
    assert.ok(counts.tables > 0);
  });

  /** The tree that mbstream makes; where it refuses, that of the tests' own extractor. */
  function expectedTree(directory: string, path: string, archive: Buffer): Tree | undefined {
    const target = join(directory, 'theirs');
    fs.mkdirSync(target);
    const input = fs.openSync(path, 'r');
    let isRefused = false;
    try {
      execFileSync('mbstream', ['-x', '-C', target], { stdio: [input, 'ignore', 'ignore'] });
    } catch {
      isRefused = true;
    } finally {
      fs.closeSync(input);
    }
    let simple: Tree | undefined;
    try {
      simple = treeOf(Object.fromEntries(simpleExtract(archive)));
    } catch {
      return undefined;
    }
    const tree = readTree(target);
    // It ends with success where it has left out the rest.
    if (!isRefused && Object.keys(tree).length >= Object.keys(simple).length) {
      counts.likeMbstream += 1;
      return tree;
    }
    counts.likeSimple += 1;
    return simple;
  }

  /** Each table of the database is whole: what `--tables` chooses is what the prepare makes the table of. */
  async function assertTables(path: string, tree: Tree, target: string): Promise<void> {
    const names = Object.keys(tree).filter((name) => name.startsWith('d/'));
    const newNames = new Map(
      names
        .filter((name) => name.endsWith('.ren'))
        .map((name) => [name.slice(0, -4), fs.readFileSync(join(target, name), 'latin1')]),
    );
    counts.renamed += newNames.size;
    counts.made += names.filter((name) => name.endsWith('.new')).length;
    counts.dropped += names.filter((name) => name.endsWith('.del')).length;
    const tables = new Set(names.filter((name) => name.endsWith('.frm')).map((name) => name.slice(0, -4)));
    for (const table of tables) {
      const own = names.filter((name) => {
        const [, stem, ending] = /^(.*?)\.([^/]*)$/.exec(name)!;
        const isMoved = ending === 'ibd' || ending === 'ren';
        return (isMoved ? (newNames.get(stem!) ?? stem) : stem) === table;
      });
      const isDropped = names.includes(`${table}.del`);
      const hasContent = own.some(
        (name) =>
          /\.(?:new|MYD|MAD)$/.test(name) || (name.endsWith('.ibd') && (!isDropped || newNames.has(name.slice(0, -4)))),
      );
      counts.tables += 1;
      const asked = list(path, { tables: [table.replace('/', '.')] });
      if (!hasContent) {
        // mariadb-backup itself has lost it.
        await assert.rejects(asked, /holds no data of this table/);
        continue;
      }
      const found = (await asked).entries.map((entry) => entry.path).filter((name) => name.startsWith('d/'));
      const missing = own.filter((name) => !found.includes(name));
      assert.deepEqual(missing, [], table);
      // What was renamed is part of what a prepare needs where another was made under its name.
      const isReplaced = (stem: string): boolean => newNames.has(stem) && names.includes(`${stem}.new`);
      const others = found.filter(
        (name) =>
          !own.includes(name) && !/^d\/(?:db\.opt|.*\.new)$/.test(name) && !isReplaced(name.replace(/\.[^.]*$/, '')),
      );
      assert.deepEqual(others, [], table);
    }
  }
});

/** @returns false where mariadb-backup gave up, as it does where a table goes while it reads it */
async function backUp(server: Mariadb, path: string): Promise<boolean> {
  const words = ['--no-defaults', '--backup', '--stream=xbstream', `--datadir=${server.dataDirectory}`];
  const program = spawn('mariadb-backup', [...words, `--socket=${server.socket}`, '--user=root'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = new Promise<number | null>((resolve) => program.once('exit', resolve));
  const output = fs.openSync(path, 'w');
  // It waits while nobody reads, and tables go on changing: before they are copied, and after.
  const pauses = ['XBSTCK01', 'ibdata1'];
  for await (const piece of program.stdout as AsyncIterable<Buffer>) {
    fs.writeSync(output, piece);
    if (pauses[0] === undefined || !piece.includes(pauses[0])) continue;
    pauses.shift();
    await setTimeout(PAUSE_MILLISECONDS);
  }
  fs.closeSync(output);
  return (await ended) === 0;
}
