/** `report` writes a page that says what `verify` and `info` say, whole or not at all. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { archive, end, file, noise, payload, remove, rename } from '../helpers/archive-bytes.js';
import { walkChunks } from '../helpers/chunk-walk.js';
import { run, start, type RunOptions } from '../helpers/cli.js';
import { FIXTURE_NAMES, fixture } from '../helpers/fixtures.js';
import { linesOf } from '../helpers/json-lines.js';
import { EXIT } from '../helpers/outcome.js';
import { openPipe } from '../helpers/pipes.js';
import { dataOf, filesOf } from '../helpers/reports.js';
import { inTurn, sampled, someOf } from '../helpers/programs.js';
import { tempDir, type Cleanup } from '../helpers/temp.js';
import { tenDamages } from '../helpers/ten-damages.js';
import { untilListening } from '../helpers/wait.js';

interface Made {
  code: number | null;
  stdout: string;
  stderr: string;
  page: string;
}

/** The page about an archive, from a file. */
async function reportOf(context: Cleanup, bytes: Buffer, words: readonly string[] = []): Promise<Made> {
  const folder = tempDir(context);
  fs.writeFileSync(join(folder, 'backup.xbstream'), bytes);
  const { code, stdout, stderr } = await run(['report', 'backup.xbstream', '-o', 'report.html', ...words], {
    cwd: folder,
  });
  assert.deepEqual(fs.readdirSync(folder).sort(), ['backup.xbstream', 'report.html'], stderr);
  return { code, stdout, stderr, page: fs.readFileSync(join(folder, 'report.html'), 'utf8') };
}

/** A page is what it says, but for when it was read and how long that took. */
function lasting(page: string): string {
  return page.replace(/ in [\d.]+ s(, [\d.]+ \S+\/s of archive)?/, '').replace(/<p>Read .* UTC/, '');
}

const BACKUP = archive(
  file('ibdata1', noise(40_000)),
  file('shop/orders.ibd', noise(100_000, 2), 10_000),
  file('shop/orders#P#p1.ibd', noise(20_000, 3)),
  file('shop/a@0020b.MYD', noise(5000, 4)),
  file('xtrabackup_checkpoints', 'backup_type = full-backuped\nfrom_lsn = 0\nto_lsn = 4711\nlast_lsn = 4711\n'),
  file(
    'xtrabackup_info',
    'tool_name = mariadb-backup\ntool_version = 11.4.2-MariaDB\nserver_version = 11.4.2-MariaDB\npartial = N\nincremental = N\n',
  ),
);

describe('report ends as verify does', { concurrency: 4 }, () => {
  const same = async (bytes: Buffer, from: 'file' | 'pipe', context: Cleanup): Promise<void> => {
    const path = join(tempDir(context), 'archive');
    fs.writeFileSync(path, bytes);
    const options = (): RunOptions => (from === 'pipe' ? { stdin: { kind: 'pipe', bytes } } : {});
    const input = from === 'pipe' ? '-' : path;
    const verified = await run(['verify', '--json', input], options());
    const reported = await run(['report', '--json', input, '-o', `${path}.html`], options());
    assert.equal(reported.code, verified.code, reported.stderr);
    assert.deepEqual(linesOf(reported.stdout, 'problem'), linesOf(verified.stdout, 'problem'));
    const numbers = (stdout: string): unknown[] => {
      const [{ ok, entries, bytes: size, problems, archiveBytes } = {}] = linesOf(stdout, 'summary');
      return [ok, entries, size, problems, archiveBytes];
    };
    assert.deepEqual(numbers(reported.stdout), numbers(verified.stdout));
    assert.equal(linesOf(reported.stdout, 'summary')[0]?.['outputBytes'], fs.statSync(`${path}.html`).size);
  };

  for (const from of inTurn(['file', 'pipe'] as const)) {
    test(`of every fixture, from a ${from}`, async (context) => {
      for (const name of sampled(FIXTURE_NAMES, 20, 3)) await same(fixture(name).bytes, from, context);
    });
  }
  for (const from of inTurn(['file', 'pipe'] as const)) {
    test(`of twelve damages, from a ${from}`, (context) => same(tenDamages().bytes, from, context));
  }
  for (const from of ['file', 'pipe'] as const) {
    const archives = [
      ['an archive that is cut', BACKUP.subarray(0, 60_000)],
      ['a backup without its end', BACKUP.subarray(0, BACKUP.length - 500)],
      [
        'a backup that was not finished',
        archive(file('ibdata1', 'x'), file('xtrabackup_checkpoints', 'y'), file('backup-my.cnf', 'z')),
      ],
      ['no archive', Buffer.from('this is no archive')],
      ['nothing', Buffer.alloc(0)],
      ['two archives', archive(BACKUP, BACKUP)],
      ['corrections', archive(BACKUP, remove('shop/orders.ibd'), rename('shop/orders#P#p1.ibd', 'shop/orders.ibd'))],
    ] as const;
    for (const [name, bytes] of sampled(archives, 4, Number(from === 'pipe'))) {
      test(`of ${name}, from a ${from}`, (context) => same(bytes, from, context));
    }
  }
});

describe('report', { concurrency: 4 }, () => {
  test('tells what info tells, and lists files by database and table, under their names in SQL', async (context) => {
    const { code, stdout, page } = await reportOf(context, BACKUP);
    assert.equal(code, 0);
    assert.match(stdout, /^backup\.xbstream is whole: .*\nwrote report\.html \([\d.]+ KiB\)\n$/);
    for (const text of ['<strong>Whole</strong>', '11.4.2-MariaDB', '0 to 4711', 'mariadb-backup --prepare']) {
      assert.ok(page.includes(text), text);
    }
    const files = filesOf(dataOf(page));
    assert.deepEqual([...files.keys()].slice(0, 3), ['shop/orders.ibd', 'shop/orders#P#p1.ibd', 'shop/a@0020b.MYD']);
    assert.deepEqual(files.get('shop/a@0020b.MYD'), {
      number: 2,
      table: 'a b',
      database: 'shop',
      bytes: 5000,
      isWhole: true,
    });
    assert.equal(files.get('shop/orders#P#p1.ibd')?.table, 'orders');
    assert.equal(files.get('ibdata1')?.database, 'server files');
  });

  test('maps where each file lies', async (context) => {
    const { page } = await reportOf(context, BACKUP);
    const { cells, cellBytes, damaged, archiveBytes, ...rest } = dataOf(page);
    const files = filesOf({ cells, cellBytes, damaged, archiveBytes, ...rest });
    assert.deepEqual([damaged, archiveBytes, cells.length], [[], BACKUP.length, Math.ceil(BACKUP.length / cellBytes)]);
    const expected = new Map<number, Set<number>>();
    const chunks = walkChunks(BACKUP);
    chunks.forEach(({ path, start }, at) => {
      const stop = chunks[at + 1]?.start ?? BACKUP.length;
      for (let cell = Math.floor(start / cellBytes); cell * cellBytes < stop; cell += 1) {
        expected.set(cell, (expected.get(cell) ?? new Set()).add(files.get(path)!.number));
      }
    });
    cells.forEach((found, cell) =>
      assert.deepEqual([...found].sort(), [...expected.get(cell)!].sort(), `cell ${cell}`),
    );
  });

  test('maps damage where it is, and nowhere else', async (context) => {
    const { bytes, damages } = tenDamages();
    const { code, page, stdout } = await reportOf(context, bytes);
    assert.equal(code, EXIT.damaged);
    assert.match(stdout, /NOT whole: \d+ problems.*\nwrote report\.html/);
    assert.match(page, /<strong>Not whole<\/strong>/);
    assert.match(page, /tsxbstream extract --keep-going -C DIR backup\.xbstream/);
    const { cellBytes, damaged } = dataOf(page);
    const isNear = (cell: number): boolean =>
      damages.some(({ from, to }) => cell * cellBytes < to + 100 && (cell + 1) * cellBytes > from);
    assert.deepEqual(
      damaged.filter((cell) => !isNear(cell)),
      [],
    );
    const visible = damages.filter(({ kind }) => !['gap', 'no-end', 'offset'].includes(kind));
    for (const { kind, from, to } of visible) {
      assert.ok(
        damaged.some((cell) => (cell + 1) * cellBytes > from && cell * cellBytes < to),
        kind,
      );
    }
    const files = filesOf(dataOf(page));
    for (const { path, kind } of damages) assert.equal(files.get(path)?.isWhole ?? false, false, kind);
    assert.equal(files.get('good/g2.ibd')?.isWhole, true);
  });

  test('is the same of a file and of a pipe', async (context) => {
    const { page } = await reportOf(context, BACKUP);
    const piped = await run(['report'], { stdin: { kind: 'pipe', bytes: BACKUP } });
    assert.equal(piped.code, 0);
    assert.match(piped.stderr, /^the archive on stdin is whole/);
    const plain = (text: string): string =>
      lasting(text)
        .replaceAll(/extract (?:-|backup\.xbstream) /g, 'extract X ')
        .replaceAll(/backup\.xbstream|the archive on stdin/g, 'X');
    assert.equal(plain(piped.stdout), plain(page));
  });

  test('allows its own script and style, and nothing else; and names no other place', async (context) => {
    const { page } = await reportOf(context, BACKUP);
    const [, policy] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)!;
    const hash = (text: string): string => `&#39;sha256-${createHash('sha256').update(text).digest('base64')}&#39;`;
    const scripts = Array.from(page.matchAll(/<script>(.*?)<\/script>/gs), ([, text]) => text!);
    const styles = Array.from(page.matchAll(/<style>(.*?)<\/style>/gs), ([, text]) => text!);
    assert.deepEqual([scripts.length, styles.length], [1, 1]);
    assert.equal(
      policy,
      `default-src &#39;none&#39;; script-src ${hash(scripts[0]!)}; style-src ${hash(styles[0]!)}; base-uri &#39;none&#39;; form-action &#39;none&#39;`,
    );
    assert.doesNotMatch(page, /\b(?:src|href|action|on\w+)=|url\(|@import|https?:/);
  });

  test('shows names of any kind as text', async (context) => {
    const evil = [
      '</script><script>alert(1)</script>',
      '"><img src=x onerror=alert(1)>',
      "'<!--",
      '\x1b[31m\u202e',
      '${1}',
      'a&lt;b',
    ];
    const files = evil.map((name, at) =>
      file(`d<b>/${Buffer.from(name.replaceAll('/', '|')).toString('latin1')}${at}.ibd`, 'x'),
    );
    const broken = payload('<i>x</i>.ibd', 0, 'damaged', { crc: 1 });
    const info = file('xtrabackup_info', 'tool_name = <script>alert(2)</script>\nserver_version = "<b>"\n');
    const { code, page } = await reportOf(context, archive(...files, broken, end('<i>x</i>.ibd'), info));
    assert.equal(code, EXIT.damaged);
    const [before] = page.split('<script type="text/plain"');
    for (const part of ['<script>alert', '<img', '<b>', '<i>', '\x1b', '\u202e'])
      assert.ok(!before!.includes(part), part);
    assert.ok(before!.includes('&lt;script&gt;alert(2)'));
    assert.equal(page.match(/<\/script>/g)?.length, 2);
    assert.ok(filesOf(dataOf(page)).has('d<b>/<|script><script>alert(1)<|script>0.ibd'));
  });

  test('of 10,000 files takes less than 1 MB', async (context) => {
    // Long names, as partitions have them that were compressed and encrypted.
    const name = (at: number): string =>
      `customer_number_${at % 300}_of_the_shop/orders_of_the_year_${at}@0020and_of_others#P#partition_${at % 7}.ibd.zst.xbcrypt`;
    const files = Array.from({ length: 10_000 }, (_, at) => file(name(at), noise(1 + (at % 700), at)));
    const { code, page } = await reportOf(context, archive(...files), ['--backup=never']);
    assert.equal(code, 0);
    assert.ok(Buffer.byteLength(page) < 1e6, `${Buffer.byteLength(page)} bytes`);
    const data = dataOf(page);
    assert.equal(filesOf(data).size, 10_000);
    // Each file is somewhere on the map.
    assert.equal(new Set(data.cells.flat()).size, 10_000);
  });

  const many = someOf(2, 1);
  many('lists the largest of very many files, and counts the others', async (context) => {
    const files = Array.from({ length: 20_100 }, (_, at) => file(`d/t${at}.ibd`, at < 100 ? '' : 'x'));
    const { page } = await reportOf(context, archive(...files), ['--backup=never']);
    const data = dataOf(page);
    assert.deepEqual([filesOf(data).size, data.unlisted], [20_000, [100, 0]]);
    assert.match(page, /And 100 small files \(0 B\) that this page does not list/);
  });

  many('lists what is not whole of very many files, however small it is', async (context) => {
    const files = Array.from({ length: 20_100 }, (_, at) => file(`d/t${at}.ibd`, 'xx'));
    const { page } = await reportOf(context, archive(...files, payload('d/cut.ibd', 0, 'x')));
    assert.equal(filesOf(dataOf(page)).get('d/cut.ibd')?.isWhole, false);
    assert.match(page, /<td>20,000<\/td>\s*<td>20,000<\/td>[^]*all but 1</);
  });
});

describe('a report is written whole, or not at all', () => {
  test('a file that is there is replaced only where that is asked for', async (context) => {
    const folder = tempDir(context);
    fs.writeFileSync(join(folder, 'a'), BACKUP);
    fs.writeFileSync(join(folder, 'r.html'), 'old');
    const refused = await run(['report', 'a', '-o', 'r.html'], { cwd: folder });
    assert.equal(refused.code, EXIT.refused);
    assert.match(refused.stderr, /r\.html exists\n.*--overwrite/s);
    assert.equal(fs.readFileSync(join(folder, 'r.html'), 'utf8'), 'old');
    assert.equal((await run(['report', 'a', '-o', 'r.html', '--overwrite'], { cwd: folder })).code, 0);
    assert.match(fs.readFileSync(join(folder, 'r.html'), 'utf8'), /^<!doctype html>/);
    assert.deepEqual(fs.readdirSync(folder).sort(), ['a', 'r.html']);
  });

  test('of an archive that is not there nothing is left', async (context) => {
    const folder = tempDir(context);
    const { code, stderr } = await run(['report', 'missing', '-o', 'r.html'], { cwd: folder });
    assert.equal(code, EXIT.refused);
    assert.match(stderr, /missing/);
    assert.deepEqual(fs.readdirSync(folder), []);
  });

  test('after a signal nothing is left', async (context) => {
    const folder = tempDir(context);
    const { readFd, writeFd } = openPipe();
    const { child, ended } = start(['report', '-o', 'r.html'], { cwd: folder, stdin: { kind: 'open', stdio: readFd } });
    fs.closeSync(readFd);
    fs.writeSync(writeFd, BACKUP.subarray(0, 5000));
    await untilListening(child.pid!);
    child.kill('SIGTERM');
    const { signal } = await ended;
    fs.closeSync(writeFd);
    assert.equal(signal, 'SIGTERM');
    assert.deepEqual(fs.readdirSync(folder), []);
  });

  test('on a terminal, and beside JSON, it wants a file', async (context) => {
    const path = join(tempDir(context), 'a');
    fs.writeFileSync(path, BACKUP);
    const { code, stderr } = await run(['report', '--json', path]);
    assert.equal(code, EXIT.usage);
    assert.match(stderr, /-o report\.html/);
  });
});
