/** What `info` says is to be done with backups of MySQL, in the words of its manual and of xtrabackup's, by their versions. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { archive, file } from '../helpers/archive-bytes.js';
import { run } from '../helpers/cli.js';
import { linesOf } from '../helpers/json-lines.js';
import type { Info } from '../helpers/recipe.js';

interface Facts {
  server: string;
  tool?: string;
  partial?: 'Y' | 'N';
  command?: string;
}

/** A backup by xtrabackup that says so of itself. */
function backup({ server, tool = '8.0.35-30', partial = 'N', command }: Facts, ...more: readonly Buffer[]): Buffer {
  const lines = ['tool_name = xtrabackup', `tool_version = ${tool}`, `server_version = ${server}`];
  if (command !== undefined) lines.push(`tool_command = ${command}`);
  lines.push(`partial = ${partial}`, 'incremental = N', '');
  const checkpoints = 'backup_type = full-backuped\nfrom_lsn = 0\nto_lsn = 100\n';
  return archive(...more, file('xtrabackup_checkpoints', checkpoints), file('xtrabackup_info', lines.join('\n')));
}

async function told(bytes: Buffer): Promise<Info & { system?: string }> {
  const { stdout } = await run(['info', '--json', '-'], { stdin: { kind: 'pipe', bytes } });
  return linesOf(stdout, 'info')[0] as unknown as Info;
}

const GTID = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee:1-5';
const binlog = file('xtrabackup_binlog_info', `binlog.000003\t157\t${GTID}\n`);

describe('a replica by GTID', { concurrency: 4 }, () => {
  test('forgets the transactions of the restored server first: else gtid_purged is refused', async () => {
    for (const [server, ...statements] of [
      ['5.7.44-log', 'RESET MASTER', `SET GLOBAL gtid_purged='${GTID}'`, 'CHANGE MASTER TO MASTER_AUTO_POSITION=1'],
      [
        '8.0.36-28',
        'RESET MASTER',
        `SET GLOBAL gtid_purged='${GTID}'`,
        'CHANGE REPLICATION SOURCE TO SOURCE_AUTO_POSITION=1',
      ],
      [
        '8.4.2',
        'RESET BINARY LOGS AND GTIDS',
        `SET GLOBAL gtid_purged='${GTID}'`,
        'CHANGE REPLICATION SOURCE TO SOURCE_AUTO_POSITION=1',
      ],
    ] as const) {
      const { replication } = await told(backup({ server }, binlog));
      assert.deepEqual(replication[1]?.statements, statements, server);
    }
  });

  test('so does one that follows the source of the server', async () => {
    const own = [`SET GLOBAL gtid_purged='${GTID}'`, 'CHANGE REPLICATION SOURCE TO SOURCE_AUTO_POSITION=1'];
    const { replication } = await told(
      backup({ server: '8.4.2' }, file('xtrabackup_slave_info', own.map((text) => `${text};\n`).join(''))),
    );
    assert.deepEqual(replication[0]?.statements, ['RESET BINARY LOGS AND GTIDS', ...own]);
    const byPosition = "CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE='bin.000007', SOURCE_LOG_POS=4 FOR CHANNEL 'a'";
    const other = await told(backup({ server: '8.4.2' }, file('xtrabackup_slave_info', `${byPosition};\n`)));
    assert.deepEqual(other.replication[0]?.statements, [byPosition]);
  });
});

test('MySQL 5.7 with undo tablespaces of its own is no MariaDB: other statements, another client', async () => {
  const files = [file('undo001', 'u'), file('shop/t.ibd', 't'), binlog];
  const { system, replication, next } = await told(
    backup({ server: '5.7.44-log', tool: '2.4.29', partial: 'Y' }, ...files),
  );
  assert.equal(system, undefined);
  assert.deepEqual(replication, []);
  assert.ok(next.some(({ argv }) => argv[0] === 'mysql') && next.every(({ argv }) => argv[0] !== 'mariadb'));
  const full = await told(backup({ server: '5.7.44-log', tool: '2.4.29' }, ...files));
  assert.match(full.replication[1]!.statements.join(), /gtid_purged/);
});

test('a prepare with encrypted tables is told where the keys are: xtrabackup reads no options of the server', async () => {
  for (const [config, option] of [
    ['plugin_load=keyring_file.so\nmaster_key_id=1\n', '--keyring-file-data=FILE'],
    ['plugin_load=keyring_vault=keyring_vault.so\nmaster_key_id=1\n', '--keyring-vault-config=FILE'],
    ['server_uuid=x\nmaster_key_id=1\n', '--component-keyring-config=FILE'],
  ] as const) {
    const { next } = await told(backup({ server: '8.0.36' }, file('backup-my.cnf', `[mysqld]\n${config}`)));
    assert.ok(
      next[1]!.purpose.includes(`its files are encrypted: say where its keys are (${option}`),
      next[1]!.purpose,
    );
    assert.doesNotMatch(next.map(({ purpose }) => purpose).join(), /transition|generate-new-master-key/);
  }
  const config = file('backup-my.cnf', '[mysqld]\nmaster_key_id=1\n');
  for (const command of ['--backup --transition-key=...', '--backup --generate-transition-key']) {
    const { next } = await told(backup({ server: '8.0.36', command }, config));
    const purposes = next.map(({ purpose }) => purpose);
    assert.match(purposes[1]!, /--transition-key/);
    assert.match(
      purposes.find((purpose) => purpose.startsWith('put it in place'))!,
      /--generate-new-master-key/,
    );
  }
});

test('tables that lie elsewhere in MySQL 8, which has no .isl files: they too come into the hands of the server', async () => {
  const external = (list: readonly unknown[]): Buffer =>
    file('xtrabackup_tablespaces', JSON.stringify({ version: 2, external_tablespaces: list }));
  const of = (name: string, type = 'TABLESPACE'): unknown => ({
    file_name: name,
    tablespace_name: 'shop/t',
    tablespace_type: type,
  });
  const places = [of('/ssd/shop/t.ibd'), of('/ssd/general.ibd'), of('/var/lib/mysql/undo_001', 'UNDO_LOG'), 7, null];
  const info = await told(backup({ server: '8.0.36' }, external(places)));
  assert.deepEqual(info.elsewhere, ['/ssd', '/ssd/shop']);
  const commands = info.next.map(({ command }) => command);
  assert.ok(commands.includes('mkdir -p ELSEWHERE') && commands.includes('chown -R mysql:mysql ELSEWHERE'));
  for (const nothing of [external([]), file('xtrabackup_tablespaces', '{"external_'), external([of('../t.ibd')])]) {
    const none = await told(backup({ server: '8.0.36' }, nothing));
    assert.deepEqual(none.elsewhere, []);
    assert.ok(none.next.every(({ command }) => !command.includes('ELSEWHERE')));
  }
});

test('an import: partitions, keys and full-text indexes are files and steps of their own', async () => {
  const facts = { server: '8.0.36', partial: 'Y' } as const;
  const files = [
    file('shop/parts#p#p0.ibd', 'p'),
    file('shop/fts_0000000000000427_config.ibd', 'f'),
    file('backup-my.cnf', '[mysqld]\nmaster_key_id=1\n'),
  ];
  const { next, placeholders } = await told(backup(facts, ...files));
  const commands = next.map(({ command, each }) => [each, command] as const);
  for (const expected of [
    ['PARTITION_FILE', 'cp DIR/DB/PARTITION_FILE.ibd DIR/DB/PARTITION_FILE.cfg DATADIR/DB/'],
    ['ENCRYPTED', 'cp DIR/DB/ENCRYPTED.cfp DATADIR/DB/'],
    ['FULLTEXT', "mysql -e 'OPTIMIZE TABLE `DB`.`FULLTEXT`'"],
  ] as const) {
    const at = commands.findIndex(([, command]) => command === expected[1]);
    assert.deepEqual(commands[at], expected);
    const taken = commands.findIndex(([, command]) => command.includes('IMPORT TABLESPACE'));
    assert.equal(at < taken, expected[0] !== 'FULLTEXT');
    assert.ok(placeholders[expected[0]]);
  }
  const plain = await told(backup(facts, file('shop/t.ibd', 't')));
  assert.deepEqual(
    plain.next.flatMap(({ each }) => each ?? []).filter((each) => each !== 'TABLE'),
    [],
  );
});

test('a server of MariaDB before 10.5 has its client as mysql', async () => {
  for (const [server, client] of [
    ['10.3.39-MariaDB', 'mysql'],
    ['10.11.19-MariaDB', 'mariadb'],
    ['11.4.2-MariaDB', 'mariadb'],
  ] as const) {
    const { next } = await told(backup({ server, tool: '2.4.29', partial: 'Y' }, file('shop/t.ibd', 't')));
    assert.equal(next.at(-1)!.argv[0], client, server);
  }
});
