/** A backup that was cut between two files, where framing cannot tell: `--backup`. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { convertToTar, create, extract, info, verify } from 'tsxbstream';
import { archive, end, file, payload } from '../helpers/archive-bytes.js';
import { walkChunks } from '../helpers/chunk-walk.js';
import { run } from '../helpers/cli.js';
import { FIXTURE_NAMES, fixture } from '../helpers/fixtures.js';
import { linesOf } from '../helpers/json-lines.js';
import { Mariadb } from '../helpers/mariadb.js';
import { EXIT } from '../helpers/outcome.js';
import { hasProgram, isRoot, sampled } from '../helpers/programs.js';
import { splitArchive } from '../helpers/mini-xbstream.js';
import { reportInput } from '../helpers/report-input.js';
import { drain } from '../helpers/streams.js';
import { tempDir } from '../helpers/temp.js';
import { namesIn, writeTree } from '../helpers/tree.js';

const UNFINISHED = /this looks like a backup whose end is missing: there is no xtrabackup_info/;
const WARNING = /warning: this may be the beginning of a backup/;

/** Every way to read an archive that judges it. */
const READING: Readonly<Record<string, (context: TestContext) => readonly string[]>> = {
  'extract from a pipe': (context) => ['extract', '-', '-C', tempDir(context)],
  '-x': (context) => ['-x', '-C', tempDir(context)],
  'a dry run': (context) => ['extract', '-', '--dry-run', '-C', tempDir(context)],
  verify: () => ['verify'],
  tar: (context) => ['tar', '-', '-o', join(tempDir(context), 'made.tar')],
  'tar --stream': (context) => ['tar', '-', '--stream', '-o', join(tempDir(context), 'made.tar')],
  info: () => ['info'],
};

const mariadb = fixture('mariadb/tiny-full').bytes;

/** An archive without what begins with a file. */
function cutBefore(bytes: Buffer, name: RegExp): Buffer {
  return bytes.subarray(0, walkChunks(bytes).find(({ path }) => name.test(path))!.start);
}

/** Of a server, in both ways to write names. */
const CUT = {
  'mariadb-backup died near its end': cutBefore(mariadb, /^xtrabackup_info$/),
  'mariadb-backup died before ibdata1': reportInput('04b-cut-before-ibdata1.xbstream'),
  'a compressed one': cutBefore(fixture('mariadb/tiny-full-compress-qp').bytes, /^xtrabackup_info/),
  'one of MySQL, in its third file': archive(
    file('ibdata1', 'x'),
    file('sys/sys_config.ibd', 'x'),
    file('mysql.ibd', 'x'),
  ),
  'an increment': archive(file('ibdata1.meta', 'x'), file('ibdata1.delta', 'x'), file('shop/t.ibd.delta.zst', 'x')),
  encrypted: archive(file('undo_001.zst.xbcrypt', 'x'), file('xtrabackup_logfile.zst.xbcrypt', 'x')),
};

const FIRST = 'mariadb-backup died before ibdata1';

describe('a backup that ends before xtrabackup_info', { concurrency: 4 }, () => {
  const all = Object.entries(CUT).flatMap(([title, bytes]) =>
    // All ways with the first; what is one decides in one place.
    Object.entries(READING)
      .filter(([way]) => title === FIRST || way === '-x' || way === 'info')
      .map(([way, words]) => ({ title, bytes, way, words })),
  );
  for (const { title, bytes, way, words } of sampled(all, 5)) {
    test(`${title}: ${way} fails, and says what lets it pass`, async (context) => {
      const stdin = { kind: 'pipe', bytes } as const;
      const { code, stdout, stderr } = await run(words(context), { stdin });
      assert.equal(code, EXIT.incomplete, stderr + stdout);
      assert.match(stderr + stdout, UNFINISHED);
      assert.match(stderr + stdout, /--backup=never/);
      const never = await run([...words(context), '--backup=never'], { stdin });
      assert.deepEqual([never.code, never.stderr], [0, '']);
    });
  }

  test('all that is whole is unpacked before it is told', async (context) => {
    const bytes = CUT['mariadb-backup died near its end'];
    for (const words of sampled([['-x'], ['extract', '-', '--json', '-q']], 2, 1)) {
      const target = tempDir(context);
      const { code, stdout, stderr } = await run([...words, '-C', target], { stdin: { kind: 'pipe', bytes } });
      assert.equal(code, EXIT.incomplete);
      assert.equal(namesIn(target).length, 103);
      assert.match(stderr, /103 files are whole and in place/);
      if (words[0] === '-x') continue;
      assert.deepEqual(
        linesOf(stdout, 'error').map((error) => error['code']),
        ['XB_UNFINISHED_BACKUP'],
      );
      assert.deepEqual(
        linesOf(stdout, 'summary').map(({ ok, files }) => [ok, files]),
        [[false, 103]],
      );
    }
  });

  test('what is selected does not matter: the whole archive is judged', async (context) => {
    const path = join(tempDir(context), 'archive');
    const bytes = CUT['mariadb-backup died near its end'];
    const archives = [
      [bytes, EXIT.incomplete],
      [mariadb, EXIT.ok],
    ] as const;
    const ways = ['extract', 'tar'].flatMap((verb) => [path, '-'].map((from) => [verb, from] as const));
    for (const [turn, [stored, code]] of archives.entries()) {
      fs.writeFileSync(path, stored);
      for (const [verb, from] of sampled(ways, 3, turn)) {
        const where = verb === 'tar' ? ['-o', join(tempDir(context), 'tar')] : ['-C', tempDir(context)];
        const words = [verb, from, 'aria_log_control', ...where];
        const result = await run(words, from === '-' ? { stdin: { kind: 'pipe', bytes: stored } } : {});
        assert.equal(result.code, code, `${words.join(' ')}: ${result.stderr}`);
      }
    }
  });

  test('a tar of it is none, and neither is an archive of such a tar', async (context) => {
    const folder = tempDir(context);
    const stdin = { kind: 'pipe', bytes: CUT['mariadb-backup died before ibdata1'] } as const;
    await run(['tar', '-', '-o', join(folder, 'made.tar')], { stdin });
    assert.deepEqual(fs.readdirSync(folder), []);
    assert.equal((await run(['tar', '-', '-o', join(folder, 'made.tar'), '--backup=never'], { stdin })).code, EXIT.ok);
    const words = ['create', `--from-tar=${join(folder, 'made.tar')}`, '-o', join(folder, 'made.xbstream')];
    const { code, stderr } = await run(words);
    assert.equal(code, EXIT.incomplete);
    assert.match(stderr, UNFINISHED);
    assert.deepEqual(fs.readdirSync(folder), ['made.tar']);
    assert.equal((await run([...words, '--backup=never'])).code, EXIT.ok);
  });

  test('damage comes before it', async (context) => {
    const bytes = archive(CUT['mariadb-backup died before ibdata1'], payload('a', 0, 'x', { crc: 1 }), end('a'));
    for (const words of sampled([['verify'], ['extract', '-', '--keep-going', '-C', tempDir(context)]], 2)) {
      assert.equal((await run(words, { stdin: { kind: 'pipe', bytes } })).code, EXIT.damaged);
    }
  });

  test('the library fails alike', async (context) => {
    const input = [CUT['mariadb-backup died before ibdata1']];
    const target = tempDir(context);
    await assert.rejects(extract(input, target), { code: 'XB_UNFINISHED_BACKUP' });
    assert.equal(namesIn(target).length, 3);
    await assert.rejects(info(input), { code: 'XB_UNFINISHED_BACKUP' });
    await assert.rejects(drain(convertToTar(input)), { code: 'XB_UNFINISHED_BACKUP' });
    assert.deepEqual(
      (await verify(input)).problems.map(({ code }) => code),
      ['XB_UNFINISHED_BACKUP'],
    );
    assert.equal((await verify(input, { backup: 'never' })).ok, true);
    const saved = await extract(input, tempDir(context), { keepGoing: true });
    assert.deepEqual([saved.ok, saved.files, saved.problems[0]?.code], [false, 3, 'XB_UNFINISHED_BACKUP']);
    const folder = tempDir(context);
    await assert.rejects(create(folder, join(folder, 'x'), { backup: 'auto' }), { code: 'XB_USAGE' });
  });
});

describe('what may be the beginning of a backup', { concurrency: 4 }, () => {
  const beginnings = {
    'mariadb-backup lost its connection at once': reportInput('04a-failed-mariabackup.xbstream'),
    'cut behind the first file': reportInput('17-cut-behind-the-first-file.xbstream'),
    'some tables': archive(file('shop/a.ibd', 'x'), file('shop/b.ibd.qp', 'x')),
  };
  for (const [index, [title, bytes]] of Object.entries(beginnings).entries()) {
    test(`${title}: a warning, and an error where it must be a backup`, async (context) => {
      const stdin = { kind: 'pipe', bytes } as const;
      for (const [way, words] of sampled(Object.entries(READING), 7, 2 * index)) {
        const { code, stderr } = await run(words(context), { stdin });
        assert.equal(code, EXIT.ok, way);
        assert.match(stderr, WARNING, way);
        for (const option of sampled(['--backup', '--backup=always'], 2, index % 2)) {
          const must = await run([...words(context), option], { stdin });
          assert.equal(must.code, EXIT.incomplete, way);
        }
      }
    });
  }

  test('tables among files that no server has, and a data directory that was packed', async () => {
    for (const bytes of [
      archive(file('shop/a.ibd', 'x'), file('notes.txt', 'x')),
      archive(
        ...['ibdata1', 'ib_logfile0', 'aria_log_control', 'mysql/db.frm', 'multi-master.info'].map((n) => file(n, 'x')),
      ),
    ]) {
      const { code, stderr } = await run(['verify'], { stdin: { kind: 'pipe', bytes } });
      assert.deepEqual([code, stderr], [0, '']);
    }
  });

  test('--backup says something of a tar, and nothing of files', async () => {
    assert.equal((await run(['create', '--backup', 'x', '-o', '/dev/null'])).code, EXIT.usage);
    assert.equal((await run(['verify', '--backup=sometimes', '-'])).code, EXIT.usage);
  });
});

describe('no false alarm', { concurrency: 4 }, () => {
  for (const name of sampled(FIXTURE_NAMES, 20, 5)) {
    test(name, async () => {
      const { code, stderr } = await run(['verify'], { stdin: { kind: 'pipe', bytes: fixture(name).bytes } });
      assert.deepEqual([code, stderr], [0, '']);
    });
  }

  test('what Galera sends before a backup, or instead of one (by newer versions of MariaDB under another name)', async (context) => {
    if (!hasProgram(context, 'mbstream', 'mariadb-backup')) return;
    const folder = tempDir(context);
    const sent = [
      ['xtrabackup_galera_info', 'donor_galera_info'],
      ['mariadb_backup_galera_info', 'donor_galera_info', 'xtrabackup_ist'],
      ['xtrabackup_galera_info', 'donor_galera_info', 'xtrabackup_ist'],
      ['mariadb_backup_galera_info', 'donor_galera_info'],
      ['xtrabackup_galera_info'],
      ['sst_info'],
    ];
    for (const files of sampled(sent, 3, 1)) {
      writeTree(folder, Object.fromEntries(files.map((name) => [name, 'uuid:12'])));
      const bytes = execFileSync('mbstream', ['-c', ...files], { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
      const { code, stderr } = await run(['-x', '-C', tempDir(context)], { stdin: { kind: 'pipe', bytes } });
      assert.deepEqual([code, stderr], [0, ''], files.join(' '));
    }
  });

  test('real backups, as they come and packed again, and a data directory', async (context) => {
    if (!hasProgram(context, 'mariadbd', 'mariadb-server') || !isRoot(context)) return;
    const folder = tempDir(context);
    const server = new Mariadb(folder, undefined, { settings: ['--log-bin=binlog', '--server-id=1'] });
    server.install();
    await server.start();
    context.after(() => server.stop());
    server.sql('CREATE DATABASE shop; CREATE TABLE shop.t (a INT); CREATE TABLE shop.m (a INT) ENGINE=MyISAM');
    let scratch = 0;
    const backup = (...words: string[]): Buffer =>
      server.backup([`--target-dir=${folder}/t${(scratch += 1)}`, ...words]);
    const full = backup();
    const [, lsn] = /to_lsn = (\d+)/.exec(splitArchive(full).get('xtrabackup_checkpoints')!.toString())!;
    const taken: Record<string, readonly string[]> = {
      parallel: ['--parallel=4'],
      compressed: ['--compress'],
      incremental: [`--incremental-lsn=${lsn}`],
      'of a database': ['--databases=shop'],
      'of a table': ['--tables=^shop[.]t$'],
      'as Galera takes it': ['--galera-info', '--databases-exclude=lost+found', '--parallel=2'],
    };
    const archives: Record<string, Buffer> = { full };
    for (const [title, words] of sampled(Object.entries(taken), 3, 2)) archives[title] = backup(...words);
    await server.stop();
    const unpacked = join(folder, 'unpacked');
    await extract([full], unpacked);
    execFileSync('mariadb-backup', ['--prepare', `--target-dir=${unpacked}`], { stdio: 'ignore' });
    const packed = (directory: string): Buffer => {
      const command = 'find . -type f -printf "%P\\0" | xargs -0 mbstream -c';
      return execFileSync('sh', ['-c', command], {
        cwd: directory,
        maxBuffer: 1 << 30,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
    };
    const directories = { 'a prepared one': unpacked, 'a data directory': server.dataDirectory };
    for (const [title, directory] of sampled(Object.entries(directories), 2)) {
      archives[`${title}, packed by mbstream -c`] = packed(directory);
    }
    for (const [title, bytes] of Object.entries(archives)) {
      const { code, stderr } = await run(['verify'], { stdin: { kind: 'pipe', bytes } });
      assert.deepEqual([code, stderr], [0, ''], title);
    }
    for (const directory of sampled([unpacked, server.dataDirectory], 2)) {
      const tar = execFileSync('tar', ['-c', '.'], { cwd: directory, maxBuffer: 1 << 30 });
      const words = ['create', '--from-tar', '-o', join(folder, `made${(scratch += 1)}`), '-q'];
      const { code, stderr } = await run(words, { stdin: { kind: 'pipe', bytes: tar } });
      assert.deepEqual([code, stderr], [0, ''], directory);
    }
  });
});
