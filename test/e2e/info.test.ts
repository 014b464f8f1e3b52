/** `info` decides from evidence: what an archive is, what it lacks, and what is to be done with it. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { info as libraryInfo } from 'tsxbstream';
import { archive, end, file, sparse } from '../helpers/archive-bytes.js';
import { run, type RunResult } from '../helpers/cli.js';
import { linesOf } from '../helpers/json-lines.js';
import { qpressFile } from '../helpers/layer-writers.js';
import { EXIT } from '../helpers/outcome.js';
import { sampled } from '../helpers/programs.js';
import { reportInput, reportPath } from '../helpers/report-input.js';
import { tempDir } from '../helpers/temp.js';

interface Told extends RunResult {
  info: Record<string, unknown> & {
    next: { purpose: string; command: string; argv: string[]; each?: string }[];
    missing: string[];
  };
}

async function told(bytes: Buffer, ...words: string[]): Promise<Told> {
  const result = await run(['info', '--json', '-', ...words], { stdin: { kind: 'pipe', bytes } });
  return { ...result, info: linesOf(result.stdout, 'info')[0] as Told['info'] };
}

const CHECKPOINTS = file('xtrabackup_checkpoints', 'backup_type = full-backuped\nfrom_lsn = 0\nto_lsn = 100\n');

/** A backup that says so of itself. */
function backup(facts: Readonly<Record<string, string>>, ...more: readonly Buffer[]): Buffer {
  const lines = Object.entries(facts).map(([key, value]) => `${key} = ${value}\n`);
  return archive(...more, CHECKPOINTS, file('xtrabackup_info', lines.join('')));
}

const MARIADB = {
  tool_name: 'mariadb-backup',
  tool_version: '10.11.19-MariaDB',
  server_version: '10.11.19-MariaDB',
  partial: 'N',
};
const PERCONA = { tool_name: 'xtrabackup', tool_version: '8.0.35-30', server_version: '8.0.36', partial: 'N' };

describe('no recipe', { concurrency: 4 }, () => {
  const archives = [
    ['04a-failed-mariabackup', EXIT.ok, /xtrabackup_info, which .* write last/, 'perhaps unfinished'],
    ['04b-cut-before-ibdata1', EXIT.incomplete, /xtrabackup_info, which .* write last/, 'unfinished'],
    ['17-cut-behind-the-first-file', EXIT.ok, /xtrabackup_info, which .* write last/, 'perhaps unfinished'],
    ['07a-no-backup', EXIT.ok, /no file in this archive is one/, 'no backup'],
    ['07c-truncated', EXIT.incomplete, /damaged or cut/, 'perhaps unfinished'],
  ] as const;
  for (const [name, code, missing, state] of sampled(archives, 3, 1)) {
    test(`for ${name}: it says what is missing`, async () => {
      const result = await told(reportInput(`${name}.xbstream`));
      assert.deepEqual([result.code, result.info['state'], result.info.next], [code, state, []]);
      assert.match(result.info.missing.join(), missing);
      const { stdout } = await run(['info', reportPath(`${name}.xbstream`)]);
      assert.match(stdout, /^missing: /m);
      assert.doesNotMatch(stdout, /what to do next|--prepare/);
    });
  }

  test('for a damaged backup, one whose info cannot be read, and a data directory', async () => {
    const whole = backup(MARIADB, file('ibdata1', 'x'));
    const cases = [
      [archive(whole, Buffer.from('2>&1')), /damaged or cut/],
      [archive(CHECKPOINTS, file('xtrabackup_info.zst.xbcrypt', 'XBCRYP03')), /what xtrabackup_info says/],
      [archive(whole, file('multi-master.info', '')), /data directory/],
    ] as const;
    for (const [bytes, missing] of sampled(cases, 2)) {
      const { info } = await told(bytes, '--backup=never');
      assert.deepEqual(info.next, []);
      assert.match(info.missing.join(), missing);
    }
  });
});

test('no recipe for a backup that does not say whether it is full or incremental', async () => {
  for (const facts of sampled(['', 'tool_name = xtrabackup\n', 'partial = Y\n'], 3, 1)) {
    const { info } = await told(archive(file('xtrabackup_checkpoints', '\0\0'), file('xtrabackup_info', facts)));
    assert.deepEqual([info['kind'], info.next, info['placeholders']], [undefined, [], {}]);
    assert.match(info.missing.join(), /what xtrabackup_info says/);
  }
});

test('no recipe where the small files are cut, contradict each other, or are contradicted by the other files', async () => {
  const checkpoints = (text: string): Buffer => file('xtrabackup_checkpoints', text);
  const info = (facts: Readonly<Record<string, string>>): Buffer => file('xtrabackup_info', text(facts));
  const full = { ...PERCONA, incremental: 'N' };
  const increment = { ...PERCONA, incremental: 'Y', innodb_from_lsn: '50' };
  const { partial: _partial, ...cut } = PERCONA;
  for (const [title, ...files] of [
    ['the type is cut', checkpoints('backup_type = incremen'), info(increment)],
    ['a full one by its checkpoints, an increment by its info', CHECKPOINTS, info(increment)],
    ['the other way round', checkpoints('backup_type = incremental\nfrom_lsn = 50\n'), info(full)],
    ['an increment by its files', file('shop/t.ibd.delta', 'x'), file('shop/t.ibd.meta', 'x'), CHECKPOINTS, info(full)],
    ['the info is cut before it says whether it is partial', CHECKPOINTS, info(cut)],
    [
      'two that do not say the same',
      CHECKPOINTS,
      file('mariadb_backup_info', text({ ...full, partial: 'Y' })),
      info(full),
    ],
  ] as const) {
    const { info: found } = await told(archive(...files));
    assert.deepEqual([found.next, found['replication']], [[], []], title);
    assert.match(found.missing.join(), /what xtrabackup_info says.*nobody knows/, title);
  }
});

test('two small files that say the same are one, and a full backup with increments added to it is a full one', async () => {
  const info = text({ ...PERCONA, incremental: 'N' });
  const { info: same } = await told(
    archive(CHECKPOINTS, file('xtrabackup_info.qp', qpressFile(Buffer.from(info))), file('xtrabackup_info', info)),
  );
  assert.deepEqual([same['kind'], same['unread']], ['full', undefined]);
  assert.notEqual(same.next.length, 0);
  const { info: prepared } = await told(
    archive(
      file('xtrabackup_checkpoints', 'backup_type = full-prepared\nfrom_lsn = 0\nto_lsn = 100\n'),
      file('xtrabackup_info', text({ ...PERCONA, incremental: 'Y', innodb_from_lsn: '50' })),
    ),
  );
  assert.deepEqual([prepared['kind'], prepared['prepared']], ['full', true]);
  assert.notEqual(prepared.next.length, 0);
});

describe('what a backup is', { concurrency: 4 }, () => {
  test('a partial one is imported, not copied back (06-partial-backup)', async () => {
    const { info } = await told(reportInput('06-partial-backup.xbstream'));
    const commands = info.next.map(({ command }) => command).join('\n');
    assert.match(commands, /^mariadb-backup --prepare --export --target-dir=DIR$/m);
    assert.match(commands, /DISCARD TABLESPACE[\s\S]*IMPORT TABLESPACE/);
    assert.doesNotMatch(commands, /copy-back/);
  });

  test("MariaDB backed up by Percona's xtrabackup is prepared by that (07b-mariadb-by-xtrabackup)", async () => {
    const path = reportPath('07b-mariadb-by-xtrabackup.xbstream');
    const { stdout } = await run(['info', path]);
    assert.match(stdout, /made by: +xtrabackup 2\.3\.10 \(Percona's program, of a MariaDB server\)/);
    assert.match(stdout, /prepare, with Percona's xtrabackup 2\.3\.10/);
    assert.match(stdout, /^ +xtrabackup --prepare --target-dir=DIR$/m);
    assert.doesNotMatch(stdout, /mariadb-backup/);
  });

  test('MariaDB is known by its files, and so is MySQL', async () => {
    for (const [name, system] of [
      ['aria_log_control.qp', 'MariaDB'],
      ['aria_log.00000001', 'MariaDB'],
      ['mysql/db.MAI', 'MariaDB'],
      // MySQL 5.7 has such ones, too.
      ['undo001', undefined],
      ['mysql.ibd.zst.xbcrypt', 'MySQL'],
      ['undo_001', 'MySQL'],
      ['ibdata1', undefined],
    ] as const) {
      assert.equal((await libraryInfo([end(name)], { backup: 'never' })).system, system, name);
    }
  });

  test('the commands have the names that these versions have', async () => {
    for (const [facts, tool] of [
      [MARIADB, 'mariadb-backup'],
      [{ ...MARIADB, tool_name: 'mariabackup', tool_version: '10.2.44-MariaDB' }, 'mariabackup'],
      [PERCONA, 'xtrabackup'],
    ] as const) {
      const { info } = await told(backup(facts));
      assert.deepEqual(
        info.next.map(({ argv }) => argv[0]),
        ['tsxbstream', tool, tool, 'chown'],
      );
    }
  });

  test('every recipe ends with the files in the hands of the server', async () => {
    const full = { ...PERCONA, incremental: 'N' };
    const incremental = { ...PERCONA, incremental: 'Y', innodb_from_lsn: '50' };
    const backups = [{ ...MARIADB, incremental: 'N' }, full, incremental, { ...full, partial: 'Y' }];
    for (const facts of sampled(backups, 2)) {
      const { next } = (await told(archive(file('xtrabackup_info', text(facts))))).info;
      const prepared = next.findLastIndex(({ argv }) => argv.includes('--prepare'));
      assert.ok(next.slice(prepared).some(({ command }) => command.startsWith('chown -R mysql:mysql DATADIR')));
    }
  });

  test('one that was prepared before it was packed is not prepared again', async () => {
    for (const type of sampled(['full-prepared', 'log-applied'], 2)) {
      const bytes = archive(
        file('xtrabackup_checkpoints', `backup_type = ${type}\n`),
        file('xtrabackup_info', text(PERCONA)),
      );
      const { info } = await told(bytes);
      assert.equal(info['prepared'], true);
      assert.ok(
        info.next.every(({ argv }) => !argv.includes('--prepare')),
        type,
      );
    }
  });

  test('compressed and encrypted: the length of the key says the cipher', async () => {
    const facts = { ...PERCONA, tool_command: '--backup --encrypt=AES128 --compress=zstd' };
    const { info } = await told(backup(facts, file('shop/t.ibd.zst.xbcrypt', '')));
    assert.equal(info.next[0]!.command, 'tsxbstream extract - -C DIR --encrypt-key-file=KEYFILE --decompress');
  });

  test('an increment: first those before it, as often as it takes', async () => {
    const checkpoints = file('xtrabackup_checkpoints', 'backup_type = incremental\nfrom_lsn = 50\nto_lsn = 90\n');
    const { info } = await told(
      archive(file('ibdata1.delta', ''), checkpoints, file('xtrabackup_info', text(PERCONA))),
    );
    assert.deepEqual(info.next.map(({ command, each }) => [each, command]).slice(1, 4), [
      [undefined, 'xtrabackup --prepare --apply-log-only --target-dir=DIR'],
      ['BETWEEN', 'xtrabackup --prepare --apply-log-only --target-dir=DIR --incremental-dir=BETWEEN'],
      [undefined, 'xtrabackup --prepare --target-dir=DIR --incremental-dir=INCREMENTAL'],
    ]);
  });

  test('an increment by mariabackup 10.1, whose prepare still rolls back: not before the last one', async () => {
    for (const [version, hold] of [
      ['10.1.48', ' --apply-log-only'],
      ['10.2.44', ''],
    ] as const) {
      const facts = { ...MARIADB, tool_name: 'mariabackup', tool_version: `${version}-MariaDB`, incremental: 'Y' };
      const { info } = await told(archive(file('ibdata1.delta', ''), file('xtrabackup_info', text(facts))));
      assert.deepEqual(
        info.next.slice(1, 4).map(({ command }) => command),
        [
          `mariabackup --prepare${hold} --target-dir=DIR`,
          `mariabackup --prepare${hold} --target-dir=DIR --incremental-dir=BETWEEN`,
          'mariabackup --prepare --target-dir=DIR --incremental-dir=INCREMENTAL',
        ],
      );
    }
  });

  test('encrypted tables that are imported: by a server of MariaDB whose log is beyond that of the backup', async () => {
    const config = file('backup-my.cnf', '[mysqld]\nplugin_load=file_key_management\n');
    for (const [facts, more, isSaid] of [
      [MARIADB, [config], true],
      [MARIADB, [], false],
      [PERCONA, [config], false],
    ] as const) {
      const { info } = await told(backup({ ...facts, partial: 'Y' }, ...more));
      const { purpose } = info.next.at(-1)!;
      assert.equal(/only when its own LSN .* is beyond that of the backup \(100\)/.test(purpose), isSaid, purpose);
    }
  });

  test('settings that a server does not start without: what is not its default', async () => {
    const usual =
      'innodb_data_file_path=ibdata1:12M:autoextend\ninnodb_page_size=16384\ninnodb_log_file_size=4194304\nredo_log_version=1\n';
    const servers = [
      [MARIADB, `${usual}innodb_undo_tablespaces=0\n`, []],
      [PERCONA, `${usual}innodb_undo_tablespaces=2\n`, []],
      [{ ...MARIADB, server_version: '11.4.2-MariaDB' }, `${usual}innodb_undo_tablespaces=3\n`, []],
      [MARIADB, `${usual}innodb_undo_tablespaces=3\n`, ['innodb_undo_tablespaces=3']],
      [PERCONA, 'innodb_page_size=4096\nserver_uuid=x\n', ['innodb_page_size=4096']],
    ] as const;
    for (const [facts, config, settings] of sampled(servers, 3)) {
      const { info } = await told(backup(facts, file('backup-my.cnf', `[mysqld]\n${config}`)));
      assert.deepEqual(info['serverSettings'], settings);
      const steps = info.next.filter(({ argv }) => argv.includes('{DIR}/backup-my.cnf'));
      assert.equal(steps.length, settings.length);
      // It is written over.
      const place = (info['placeholders'] as Record<string, string>)['SETTINGS'];
      assert.equal(place?.startsWith('a new file'), settings.length > 0 ? true : undefined);
    }
  });

  test('where tables lie outside of the data directory: said as far as links are paths', async () => {
    const links = ['/ssd/shop/a.ibd\n', '/ssd/shop/b.ibd', '/fast disk/shop/c.ibd', 'd.ibd', '/x\n/y', ''];
    const files = links.map((text, number) => file(`shop/${number}.isl`, text));
    const { info } = await told(backup(MARIADB, ...files));
    assert.deepEqual(info['elsewhere'], ['/fast disk/shop', '/ssd/shop']);
    assert.deepEqual(
      info.next.slice(2).map(({ command, each }) => [each, command]),
      [
        ['ELSEWHERE', 'mkdir -p ELSEWHERE'],
        [undefined, 'mariadb-backup --copy-back --target-dir=DIR --datadir=DATADIR'],
        [undefined, 'chown -R mysql:mysql DATADIR'],
        ['ELSEWHERE', 'chown -R mysql:mysql ELSEWHERE'],
      ],
    );
    const sealed = ['shop/a.isl.xbcrypt', 'shop/b.isl.xbcrypt'].map((name) => file(name, 'XBCRYP03'));
    const { info: unread } = await told(backup(MARIADB, ...sealed));
    assert.deepEqual(
      [unread['elsewhere'], unread['unread']],
      [[], [{ path: 'shop/a.isl.xbcrypt', reason: 'it is encrypted; --encrypt-key-file=FILE reads it' }]],
    );
  });

  test('a link is no larger than a path: what decodes to more is not read', async () => {
    const [good, large] = ['/ssd/shop/a.ibd', 'x'.repeat(9000)].map((text) => qpressFile(Buffer.from(text)));
    const { info } = await told(backup(MARIADB, file('shop/a.isl.qp', good!), file('shop/b.isl.qp', large!)));
    assert.deepEqual(
      [info['elsewhere'], info['unread']],
      [['/ssd/shop'], [{ path: 'shop/b.isl.qp', reason: 'it is larger than such a file can be' }]],
    );
  });

  test('a small file in a million pieces takes no more memory than its bytes', async () => {
    const pieces = 1024 * 1024 - 16;
    const map = Array.from({ length: pieces }, () => [0, 1] as const);
    const link = archive(sparse('shop/a.isl', 0, map, Buffer.alloc(pieces, 'x')), end('shop/a.isl'));
    const options = { env: { NODE_OPTIONS: '--max-old-space-size=60' } };
    const result = await run(['info', '-'], { ...options, stdin: { kind: 'pipe', bytes: backup(MARIADB, link) } });
    assert.equal(result.code, EXIT.ok, result.stderr);
  });

  test('values as long as a file can be take no time', async () => {
    const [spaces, digits] = [' '.repeat(500_000), '1'.repeat(400_000)];
    const { code, info } = await told(backup({ ...MARIADB, name: `${spaces}x`, tool_version: digits }));
    assert.equal(code, EXIT.ok);
    assert.deepEqual([info['name'], info['toolVersion']], ['x', digits]);
    assert.match(info.next[1]!.purpose, /with mariadb-backup$/);
  });

  test('keys of the server: what MySQL uses, and no secret', async () => {
    const configs = [
      ['plugin_load=keyring_file.so\n', 'keyring_file'],
      ['server_uuid=x\nmaster_key_id=1\n', 'keyring'],
      [
        'plugin_load=a=a.so;file_key_management=file_key_management.so\nfile_key_management_filekey=secret\n',
        'file_key_management',
      ],
      ['master_key_id=0\n', undefined],
      ['plugin_load=ha_rocksdb.so\n', undefined],
    ] as const;
    for (const [config, name] of sampled(configs, 3, 2)) {
      const { info, stdout } = await told(backup(PERCONA, file('backup-my.cnf', `[mysqld]\n${config}`)));
      assert.equal((info['keyPlugin'] as { name: string } | undefined)?.name, name);
      assert.doesNotMatch(stdout, /secret/);
    }
  });
});

function text(facts: Readonly<Record<string, string>>): string {
  return Object.entries(facts)
    .map(([key, value]) => `${key} = ${value}\n`)
    .join('');
}

describe('replication', { concurrency: 4 }, () => {
  const binlog = file('xtrabackup_binlog_info', 'binlog.000003\t157\taaa:1-5\n');
  for (const [title, facts, statements] of [
    ['MySQL 8', PERCONA, ["CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE='binlog.000003', SOURCE_LOG_POS=157"]],
    [
      'MySQL 5.7',
      { ...PERCONA, server_version: '5.7.44' },
      ["CHANGE MASTER TO MASTER_LOG_FILE='binlog.000003', MASTER_LOG_POS=157"],
    ],
    ['MariaDB', MARIADB, ["CHANGE MASTER TO MASTER_LOG_FILE='binlog.000003', MASTER_LOG_POS=157"]],
  ] as const) {
    test(`in the words of ${title}`, async () => {
      const { info } = await told(backup(facts, binlog));
      const [first] = info['replication'] as { statements: string[] }[];
      assert.deepEqual(first?.statements, statements);
    });
  }

  test('as its own source knows it, and nothing else that may stand there', async () => {
    const said = async (slave: string): Promise<string[]> => {
      const { info } = await told(backup(MARIADB, file('xtrabackup_slave_info', slave)));
      return (info['replication'] as { statements: string[] }[]).flatMap(({ statements }) => statements);
    };
    assert.deepEqual(await said("CHANGE MASTER TO MASTER_LOG_FILE='bin.000007', MASTER_LOG_POS=4;\n"), [
      "CHANGE MASTER TO MASTER_LOG_FILE='bin.000007', MASTER_LOG_POS=4",
    ]);
    assert.deepEqual(
      await said("SET GLOBAL gtid_slave_pos = '0-1-7';\nCHANGE MASTER '' TO master_use_gtid = slave_pos;\n"),
      ["SET GLOBAL gtid_slave_pos = '0-1-7'", "CHANGE MASTER '' TO master_use_gtid = slave_pos"],
    );
    const others = ['DROP DATABASE shop;', "CHANGE MASTER TO MASTER_LOG_FILE='a'; DROP DATABASE shop", '\u001b[2J'];
    for (const hostile of sampled(others, 3, 1)) {
      assert.deepEqual(await said(hostile), []);
    }
    const { info } = await told(backup(MARIADB, file('xtrabackup_binlog_info', "b'; DROP TABLE x; --\t1\n")));
    assert.deepEqual(info['replication'], []);
  });
});

describe('the size of an archive that is cut', { concurrency: 4 }, () => {
  test('is that of all of it, in info and list (07c-truncated: not 1 B of 9,000)', async (context) => {
    const bytes = reportInput('07c-truncated.xbstream');
    const path = join(tempDir(context), 'cut');
    fs.writeFileSync(path, bytes);
    for (const from of [path, '-']) {
      const options = from === '-' ? { stdin: { kind: 'pipe', bytes } as const } : {};
      const [summary] = linesOf((await run(['list', '--json', from], options)).stdout, 'summary');
      const [info] = linesOf((await run(['info', '--json', from], options)).stdout, 'info');
      assert.deepEqual([summary?.['archiveBytes'], info?.['archiveBytes']], [9000, 9000]);
    }
    assert.match((await run(['info', path])).stdout, /archive: 8\.8 KiB/);
  });
});
