/** Names of tables and databases as files have them. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { LETTER_PAIRS } from '../../dist/format/letter-pairs.js';
import { fileNameOfSql, sqlOfFileName, sqlText } from '../../dist/format/sql-name.js';
import { encodedLetters } from '../helpers/encoded-letters.js';
import { Mariadb } from '../helpers/mariadb.js';
import { hasProgram, isRoot } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';

describe('a name in SQL and as a file', () => {
  for (const [name, file] of [
    ['orders', 'orders'],
    ['Orders_2', 'Orders_2'],
    ['my-table', 'my@002dtable'],
    ['Ü', '@1O'],
    ['М', '@S0'],
    ['м', '@s0'],
    ['日本', '@65e5@672c'],
    ['Ⓐ', '@@A'],
    ['ａ', '@a@'],
    ['CON', 'CON@@@'],
    ['nul', 'nul@@@'],
    ['Lpt9', 'Lpt9@@@'],
    ['COM0', 'COM0'],
    ['CON.x', 'CON@002ex'],
    ['@@@', '@0040@0040@0040'],
    ['#mysql50#a-b', 'a-b'],
    ['#mysql50#@00E4', '@00E4'],
  ] as const) {
    test(name, () => {
      assert.equal(fileNameOfSql(name), file);
      assert.equal(sqlOfFileName(file), name);
    });
  }

  test('names that no server takes', () => {
    for (const name of ['', '😀', 'a😀', 'a\0', '#mysql50#']) assert.equal(fileNameOfSql(name), undefined);
  });

  test('files whose names no name becomes', () => {
    for (const file of ['@', 'a@', 'a@@', 'a@zz', '@0041', 'con', 'a@@@', 'ä', 'a b', '@00e4'])
      assert.equal(sqlOfFileName(file), `#mysql50#${file}`);
  });

  test('as SQL writes it', () => {
    assert.equal(sqlText('shop', 'Ümläut'), 'shop.Ümläut');
    assert.equal(sqlText('my.shop', 'a`b'), '`my.shop`.`a``b`');
  });
});

describe('names of files, as a server makes them', () => {
  let server: Mariadb | undefined;
  const cleanup: (() => void)[] = [];

  const isThere = (context: TestContext): boolean =>
    hasProgram(context, 'mariadbd', 'mariadb-server') && isRoot(context);

  before(async (context) => {
    if (!isThere(context as TestContext)) return;
    const directory = tempDir({ after: (work) => cleanup.push(work) });
    server = new Mariadb(directory);
    server.install();
    await server.start();
  });

  after(async () => {
    await server?.stop();
    for (const work of cleanup) work();
  });

  test('each letter of the basic plane', (context) => {
    if (!isThere(context)) return;
    const letters = encodedLetters(server!);
    assert.equal(letters.size, 65535 - 2048);
    for (const [codePoint, encoded] of letters) {
      const letter = String.fromCharCode(codePoint);
      assert.equal(fileNameOfSql(letter), encoded, `U+${codePoint.toString(16)}`);
      assert.equal(sqlOfFileName(encoded), letter, `U+${codePoint.toString(16)}`);
    }
  });

  test('tables and databases named with every letter that has a pair', (context) => {
    if (!isThere(context)) return;
    const letters = LETTER_PAIRS.flatMap(([first, pairs]) =>
      Array.from({ length: pairs.length / 2 }, (_, index) => String.fromCharCode(first + index)),
    );
    assert.equal(letters.length, 1510);
    const names = Array.from({ length: Math.ceil(letters.length / 40) }, (_, index) =>
      letters.slice(40 * index, 40 * index + 40).join(''),
    );
    assertMade(names);
  });

  test('tables and databases with reserved and with odd names', (context) => {
    if (!isThere(context)) return;
    const digits = Array.from({ length: 9 }, (_, index) => index + 1);
    const reserved = ['CON', 'PRN', 'AUX', 'NUL', ...digits.flatMap((digit) => [`COM${digit}`, `LPT${digit}`])];
    const cases = reserved.flatMap((name) => [
      name,
      name.toLowerCase(),
      name.slice(0, 1) + name.slice(1).toLowerCase(),
    ]);
    assertMade([
      ...cases,
      'COM0',
      'COM10',
      'CONX',
      'CON.x',
      'a b',
      '@',
      '@@@',
      '@0041',
      'CON@@@',
      'a.b',
      "it's",
      'a#P#b',
    ]);
  });

  test('letters beyond the basic plane are refused', (context) => {
    if (!isThere(context)) return;
    assert.throws(() => server!.sql('CREATE TABLE `a😀` (a INT)', 'mysql'), /Invalid utf8/);
  });

  function assertMade(names: readonly string[]): void {
    const quoted = names.map((name) => `\`${name}\``);
    const tables = quoted.map((name) => `CREATE TABLE ${name} (a INT) ENGINE=MEMORY;`).join('\n');
    server!.sql(`CREATE DATABASE many; USE many;\n${tables}`);
    const files = fs.readdirSync(join(server!.dataDirectory, 'many')).filter((file) => file.endsWith('.frm'));
    assertSame(
      files.map((file) => file.slice(0, -4)),
      names,
    );
    server!.sql('DROP DATABASE many');
    const before = new Set(fs.readdirSync(server!.dataDirectory));
    server!.sql(quoted.map((name) => `CREATE DATABASE ${name};`).join('\n'));
    assertSame(
      fs.readdirSync(server!.dataDirectory).filter((file) => !before.has(file)),
      names,
    );
    server!.sql(quoted.map((name) => `DROP DATABASE ${name};`).join('\n'));
  }

  function assertSame(files: readonly string[], names: readonly string[]): void {
    assert.deepEqual([...files].sort(), names.map(fileNameOfSql).sort());
    assert.deepEqual(files.map(sqlOfFileName).sort(), [...names].sort());
  }
});
