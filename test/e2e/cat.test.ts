/** `cat`: the content of files, and `info`: what a backup is. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { archive, end, file, noise, payload, remove, rename, sparse } from '../helpers/archive-bytes.js';
import { run, start } from '../helpers/cli.js';
import { fixture, fixturePath } from '../helpers/fixtures.js';
import { linesOf } from '../helpers/json-lines.js';
import { qpressFile, xbcryptFile } from '../helpers/layer-writers.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { hasProgram, inTurn, sampled, SOAK, someOf } from '../helpers/programs.js';
import { tempDir, type Cleanup } from '../helpers/temp.js';

const KEY = { cipher: 'AES128', bytes: Buffer.from('0123456789abcdef') } as const;

/** Whatever runs the tests may have a key of its own. */
delete process.env['XBCRYPT_ENCRYPTION_KEY'];

async function catOf(context: Cleanup, kind: 'file' | 'pipe', bytes: Buffer, ...words: readonly string[]) {
  const path = join(tempDir(context), 'archive');
  fs.writeFileSync(path, bytes);
  return run(
    ['cat', ...words.map((word) => (word === '-' && kind === 'file' ? path : word))],
    kind === 'pipe' ? { stdin: { kind, bytes } } : {},
  );
}

/** Half of these tests read from a file in a sample, and the others from a pipe. */
const HALVES = [someOf(2), someOf(2, 1)];

for (const [turn, kind] of (['file', 'pipe'] as const).entries()) {
  const test = HALVES[turn]!;
  describe(`cat from a ${kind}`, { concurrency: true }, () => {
    test('files in the order in which they are named', async (context) => {
      const bytes = archive(
        payload('a', 0, 'one '),
        payload('b', 0, 'three '),
        payload('a', 4, 'two '),
        end('b'),
        end('a'),
        end('empty'),
      );
      const { code, stdout, stderr } = await catOf(context, kind, bytes, '-', 'b', 'empty', 'a');
      assert.deepEqual([code, stdout, stderr], [0, 'three one two ', '']);
      assert.equal((await catOf(context, kind, bytes, '-', '*')).stdout, 'one two three ');
    });

    test('holes are zeros', async (context) => {
      const bytes = archive(
        sparse(
          's',
          0,
          [
            [3, 2],
            [4, 0],
          ],
          'ab',
        ),
        end('s'),
      );
      assert.equal((await catOf(context, kind, bytes, '-', 's')).stdout, '\0\0\0ab\0\0\0\0');
    });

    test('damage is told', async (context) => {
      const bytes = archive(file('good', 'G'), payload('bad', 0, 'B', { crc: 1 }), end('bad'), payload('open', 0, 'O'));
      assert.equal((await catOf(context, kind, bytes, '-', 'bad')).code, EXIT.damaged);
      assert.equal(
        (await catOf(context, kind, bytes, '-', 'none')).code,
        kind === 'file' ? EXIT.refused : EXIT.damaged,
      );
      const open = await catOf(context, kind, bytes.subarray(0), '-', 'open');
      assert.notEqual(open.code, EXIT.ok);
    });

    test('decoded', async (context) => {
      const { bytes } = fixture('percona/base-zstd-AES256');
      const key = fixturePath('percona/key.AES256').replace(/\.xbs$/, '');
      const sums = fs.readFileSync(fixturePath('percona/base-zstd-AES256').replace(/xbs$/, 'sha256'), 'latin1');
      const words = ['--decompress', '--decrypt=AES256', '-f', key, '-', 'readme.txt'];
      const { code, stdout } = await catOf(context, kind, bytes, ...words);
      assert.equal(code, 0);
      assert.ok(sums.includes(`${createHash('sha256').update(stdout).digest('hex')}  readme.txt`));
    });

    test('a compressed file under its plain name is decompressed, under its stored name what is stored', async (context) => {
      const stored = qpressFile(Buffer.from('TABLE'));
      const bytes = archive(file('t.ibd.qp', stored), file('plain', 'P'));
      const said = async (...words: string[]): Promise<string> => {
        const { code, stdout, stderr } = await catOf(context, kind, bytes, '-', ...words);
        assert.deepEqual([code, stderr], [0, ''], words.join(' '));
        return stdout;
      };
      const raw = stored.toString('utf8');
      const asked: readonly (readonly [words: readonly string[], content: string])[] = [
        [['t.ibd'], 'TABLE'],
        [['*.ibd'], 'TABLE'],
        [['--include=t.*'], 'TABLE'],
        [['*'], 'TABLEP'],
        [['t.ibd', '--raw'], raw],
        [['*', '--raw'], `${raw}P`],
        [['t.ibd.qp'], raw],
        [['*.qp'], raw],
        [['t.ibd.qp', '--decompress'], 'TABLE'],
        [['plain', 't.ibd.qp', '--decompress'], 'PTABLE'],
        [['t.ibd.qp', 't.ibd'], raw],
      ];
      for (const [words, content] of sampled(asked, 3, turn)) assert.equal(await said(...words), content);
    });

    test('each layer whose suffix is left away is undone, with the key of an option or the environment', async (context) => {
      const encrypted = xbcryptFile(qpressFile(Buffer.from('TABLE')), KEY);
      const bytes = archive(file('t.ibd.qp.xbcrypt', encrypted), end('empty.xbcrypt'));
      const given = ['-k', Buffer.from(KEY.bytes).toString()];
      const said = async (...words: string[]): Promise<string> => {
        const { code, stdout, stderr } = await catOf(context, kind, bytes, '-', ...words);
        assert.deepEqual([code, stderr], [0, ''], words.join(' '));
        return stdout;
      };
      const qpress = qpressFile(Buffer.from('TABLE')).toString('utf8');
      const asked: readonly (readonly [words: readonly string[], content: string])[] = [
        [['t.ibd', ...given], 'TABLE'],
        [['t.ibd.qp', ...given], qpress],
        [['t.ibd.qp.xbcrypt', ...given], qpress],
        [['t.ibd.qp.xbcrypt', '--decompress', ...given], 'TABLE'],
        [['t.ibd.qp.xbcrypt'], encrypted.toString('utf8')],
        [['t.ibd.qp.xbcrypt', '--decrypt=NONE'], encrypted.toString('utf8')],
        [['t.ibd', '--raw'], encrypted.toString('utf8')],
        [['empty'], ''],
      ];
      for (const [words, content] of sampled(asked, 3, turn)) assert.equal(await said(...words), content);
      const path = join(tempDir(context), 'archive');
      fs.writeFileSync(path, bytes);
      const env = { XBCRYPT_ENCRYPTION_KEY: Buffer.from(KEY.bytes).toString() };
      assert.equal((await run(['cat', path, 't.ibd'], { env })).stdout, 'TABLE');
      assert.equal((await run(['cat', path, 't.ibd.qp.xbcrypt'], { env })).stdout, encrypted.toString('utf8'));
    });

    test('an encrypted file under its plain name, and no key: no byte of it, but what to do', async (context) => {
      const encrypted = xbcryptFile(Buffer.from('TABLE'), KEY);
      const asked = [['t.ibd'], ['*'], ['t.ibd.xbcrypt', '--decompress'], ['t.ibd', '--decrypt=NONE']];
      for (const words of sampled(asked, 2, turn)) {
        const result = await catOf(context, kind, file('t.ibd.xbcrypt', encrypted), '-', ...words);
        assertEnded(
          result,
          EXIT.undecodable,
          /t\.ibd\.xbcrypt is encrypted, and no key was given/,
          /--encrypt-key-file.*--raw/s,
        );
      }
    });

    test('a file that has the name itself comes, and not another that would have it decoded', async (context) => {
      const own = archive(file('t.ibd', 'OWN'), file('t.ibd.qp', qpressFile(Buffer.from('OTHER'))));
      assert.equal((await catOf(context, kind, own, '-', 't.ibd')).stdout, 'OWN');
      const behind = archive(file('t.ibd.qp', qpressFile(Buffer.from('OTHER'))), file('t.ibd', 'OWN'));
      const { code, stdout, stderr } = await catOf(context, kind, behind, '-', 't.ibd');
      if (kind === 'file') assert.deepEqual([code, stdout], [0, 'OWN']);
      else {
        assert.equal(code, EXIT.undecodable);
        assert.match(stderr, /the archive holds t\.ibd behind t\.ibd\.qp\n.*\n.*read the archive from a file/);
      }
    });

    test('ends quietly when nobody reads on', async (context) => {
      const bytes = file('a', noise(3_000_000), 100_000);
      const path = join(tempDir(context), 'archive');
      fs.writeFileSync(path, bytes);
      const { child, ended } = start(
        ['cat', kind === 'file' ? path : '-', 'a'],
        kind === 'pipe' ? { stdin: { kind, bytes } } : {},
      );
      child.stdout!.once('data', () => child.stdout!.destroy());
      const { code, stderr } = await ended;
      assert.deepEqual([code === EXIT.refused, stderr], [true, '']);
    });
  });
}

describe('cat', { concurrency: true }, () => {
  test('content in any order comes right from a file, and not at all from a pipe', async (context) => {
    const bytes = archive(payload('a', 3, 'def'), payload('a', 0, 'abc'), end('a'));
    assert.equal((await catOf(context, 'file', bytes, '-', 'a')).stdout, 'abcdef');
    assert.equal((await catOf(context, 'pipe', bytes, '-', 'a')).code, EXIT.undecodable);
  });

  test('by final names', async (context) => {
    const bytes = archive(file('old', 'O'), file('gone', 'x'), rename('old', 'new'), remove('gone'));
    assert.equal((await catOf(context, 'file', bytes, '-', 'new')).stdout, 'O');
    assert.equal((await catOf(context, 'file', bytes, '-', 'gone')).code, EXIT.refused);
    assert.equal((await catOf(context, 'pipe', bytes, '-', 'gone')).code, EXIT.undecodable);
  });

  test('from a pipe, a file that is empty now: as far as nothing of it was written', async (context) => {
    const emptied = [file('t', 'before'), end('t')];
    assert.equal((await catOf(context, 'file', archive(...emptied), '-', 't')).stdout, '');
    assertEnded(await catOf(context, 'pipe', archive(...emptied), '-', 't'), EXIT.undecodable, /taken back/);
    const waiting = archive(...emptied, file('a', 'first'), file('b', 'last'));
    const { code, stdout } = await catOf(context, 'pipe', waiting, '-', 'a', 't', 'b');
    assert.deepEqual([code, stdout], [0, 'firstlast']);
    assertEnded(await catOf(context, 'pipe', archive(end('e'), end('e')), '-', 'e'), EXIT.ok);
  });

  test('what mariadb-backup --compress tells of itself, by the names in its manual', async () => {
    const path = fixturePath('mariadb/tiny-full-compress-qp');
    const { code, stdout } = await run(['cat', path, 'xtrabackup_checkpoints']);
    assert.equal(code, 0);
    assert.match(stdout, /^backup_type = full-backuped$/m);
  });

  test('a file that got its name by a rename is decoded by the new one', async (context) => {
    const bytes = archive(file('t.new.qp', qpressFile(Buffer.from('TABLE'))), rename('t.new.qp', 't.ibd.qp'));
    assert.equal((await catOf(context, 'file', bytes, '-', 't.ibd')).stdout, 'TABLE');
  });

  test('nothing is written where the key of a later file is missing', async (context) => {
    const bytes = archive(file('a', 'A'), file('b.xbcrypt', xbcryptFile(Buffer.from('B'), KEY)));
    assertEnded(await catOf(context, 'file', bytes, '-', 'a', 'b'), EXIT.undecodable, /nothing was written/);
  });

  test('--raw and what asks for decoding', async () => {
    for (const words of [['--decompress'], ['-k', 'x'.repeat(32)], ['--decrypt=AES256']]) {
      assertEnded(await run(['cat', '--raw', ...words, '-', 'a']), EXIT.usage, /--raw and --\S+ exclude each other/);
    }
  });

  test('without a file to write', async () => {
    assert.equal((await run(['cat', '-'])).code, EXIT.usage);
  });
});

describe('info', { concurrency: true }, () => {
  const INFO = `uuid = 1-2
name = nightly
tool_name = xtrabackup
tool_command = --backup --compress=zstd uuid = evil
tool_version = 8.0.35-30
server_version = 8.0.36-28
start_time = 2026-01-02 03:04:05
end_time = 2026-01-02 03:05:06
binlog_pos = filename 'binlog.000003', position '157', GTID of the last change 'aaa:1-5,
bbb:1-2'
innodb_from_lsn = 19000
innodb_to_lsn = 20000
partial = N
incremental = Y
`;

  test('of an incremental backup of xtrabackup', async () => {
    const bytes = archive(
      file('shop/t.ibd.delta.zst', 'x'),
      file('xtrabackup_info', INFO),
      file('xtrabackup_checkpoints', 'backup_type = incremental\nfrom_lsn = 19000\nto_lsn = 20000\nlast_lsn = 20010\n'),
      file('xtrabackup_binlog_info', 'binlog.000004\t200\taaa:1-6,\nbbb:1-2\n'),
    );
    const json = await run(['info', '--json'], { stdin: { kind: 'pipe', bytes } });
    assert.equal(json.code, 0, json.stderr);
    const [info] = linesOf(json.stdout, 'info');
    const expected = {
      tool: 'xtrabackup',
      toolVersion: '8.0.35-30',
      serverVersion: '8.0.36-28',
      uuid: '1-2',
      kind: 'incremental',
      fromLsn: '19000',
      toLsn: '20000',
      lastLsn: '20010',
      binlogFile: 'binlog.000004',
      binlogPosition: '200',
      gtid: 'aaa:1-6,bbb:1-2',
      compression: ['zstd'],
      encrypted: false,
      files: 4,
    };
    for (const [key, value] of Object.entries(expected)) assert.deepEqual(info?.[key], value, key);
    const { stdout } = await run(['info'], { stdin: { kind: 'pipe', bytes } });
    assert.match(stdout, /xtrabackup --prepare --apply-log-only --target-dir=DIR/);
    assert.match(stdout, /ends at LSN 19000/);
    assert.match(stdout, /--decompress/);
  });

  test('of MariaDB, old names and new, from a file', async (context) => {
    const old = fixture('mariadb/tiny-full').bytes;
    const path = join(tempDir(context), 'archive');
    fs.writeFileSync(path, old);
    const { stdout } = await run(['info', path]);
    assert.match(stdout, /made by: +mariadb-backup 10\.11/);
    assert.match(stdout, /mariadb-backup --prepare --target-dir=DIR/);
    const bytes = archive(
      file('mariadb_backup_info', 'tool_name = mariadb-backup\n'),
      file('mariadb_backup_checkpoints', 'backup_type = full-backuped\n'),
    );
    const [info] = linesOf((await run(['info', '--json'], { stdin: { kind: 'pipe', bytes } })).stdout, 'info');
    assert.deepEqual([info?.['tool'], info?.['kind']], ['mariadb-backup', 'full']);
  });

  test('of backup_metadata.json', async () => {
    const text = JSON.stringify({
      version: 1,
      backup: { tool_name: 'xtrabackup', serverVersion: '9.7.0', from_lsn: 0, to_lsn: 7 },
    });
    const bytes = file('backup_metadata.json', text);
    const [info] = linesOf((await run(['info', '--json'], { stdin: { kind: 'pipe', bytes } })).stdout, 'info');
    assert.deepEqual([info?.['serverVersion'], info?.['toLsn']], ['9.7.0', '7']);
  });

  test('of an encrypted backup, with and without its key', async () => {
    const stdin = { kind: 'pipe', bytes: fixture('percona/base-zstd-AES256').bytes } as const;
    const without = await run(['info'], { stdin });
    assert.match(without.stdout, /not read: +xtrabackup_info\.zst\.xbcrypt: it is encrypted/);
    const key = fixturePath('percona/key.AES256').replace(/\.xbs$/, '');
    const { stdout } = await run(['info', '--decrypt=AES256', '-f', key], { stdin });
    assert.match(stdout, /made by: +xtrabackup 8\.0\.35/);
  });

  test('hostile files: too large, not text, escape sequences', async () => {
    const bytes = archive(
      file('xtrabackup_info', Buffer.alloc(2_000_000, 0x61)),
      file('xtrabackup_checkpoints', 'backup_type = \u001b[31mred\n'),
      file('backup_metadata.json', '['.repeat(100_000)),
    );
    const { code, stdout } = await run(['info'], { stdin: { kind: 'pipe', bytes } });
    assert.equal(code, 0);
    assert.match(stdout, /xtrabackup_info: it is too large/);
    assert.ok(!stdout.includes('\u001b'));
  });
});

describe('cat says that a file may not be whole', { concurrency: true }, () => {
  for (const [title, bytes, shown] of [
    ['all of it has a damaged name', archive(payload('\0', 0, 'precious'), end('a'), file('c', 'c')), ''],
    ['its end has a damaged name', archive(payload('a', 0, 'abc'), payload('\0', 3, 'the rest'), end('a')), ''],
    [
      'something else stands before its end',
      archive(file('q', 'q'), Buffer.alloc(64, 'x'), end('a'), file('z', 'z')),
      '',
    ],
  ] as const) {
    test(title, async (context) => {
      for (const kind of inTurn(['file', 'pipe'] as const)) {
        const { code, stdout, stderr } = await catOf(context, kind, bytes, '-', 'a');
        assert.equal(code, EXIT.damaged, stderr);
        if (kind === 'file') assert.equal(stdout, shown);
      }
    });
  }
});

describe('a file whose new name tells of other layers than its old one', { concurrency: true }, () => {
  const bytes = archive(file('a.qp', qpressFile(Buffer.from('content'))), rename('a.qp', 'a'), file('b', 'B'));
  for (const [verb, ...words] of [['extract'], ['tar'], ['cat', 'a']] as const) {
    for (const kind of inTurn(['file', 'pipe'] as const)) {
      test(`is not decoded by halves: ${verb} from a ${kind}`, async (context) => {
        const path = join(tempDir(context), 'archive');
        fs.writeFileSync(path, bytes);
        const output = { extract: ['-C', tempDir(context)], tar: ['-o', join(tempDir(context), 't')], cat: [] }[verb];
        const all = [verb, '--decompress', kind === 'file' ? path : '-', ...words, ...output];
        const { code, stdout, stderr } = await run(all, kind === 'pipe' ? { stdin: { kind, bytes } } : {});
        assert.equal(code, EXIT.undecodable, stderr);
        assert.equal(stdout, '');
      });
    }
  }
});

test('what a few bytes decode to is not kept', { timeout: 300_000 }, async (context) => {
  if (!hasProgram(context, 'zstd', 'zstd') || !hasProgram(context, 'lz4', 'lz4')) return;
  const zeros = Buffer.alloc(10 * 2 ** 20);
  for (const [suffix, command, frames] of [
    ['zst', 'zstd', SOAK ? 80 : 26],
    ['lz4', 'lz4', SOAK ? 80 : 26],
  ] as const) {
    const frame = execFileSync(command, ['-qc'], { input: zeros });
    const path = join(tempDir(context), 'archive');
    const content = Buffer.concat(Array.from({ length: frames }, () => frame));
    fs.writeFileSync(path, file(`undo.${suffix}`, content));
    const calls = [
      ['cat', '--decompress', path, 'undo'],
      ['cat', '--decompress', '-', 'undo'],
      ['tar', '--decompress', path],
    ];
    for (const words of sampled(calls, 3, suffix === 'zst' ? 0 : 1)) {
      const { child, ended } = start(words, { stdin: { kind: 'file', path }, measureMemory: true });
      let bytes = 0;
      child.stdout!.removeAllListeners('data').on('data', (piece: Buffer) => (bytes += piece.length));
      const { code, peakBytes, stderr } = await ended;
      assert.equal(code, EXIT.ok, stderr);
      assert.ok(bytes >= frames * zeros.length, `${words.join(' ')}: ${bytes} bytes`);
      assert.ok(peakBytes <= 250_000_000, `${words.join(' ')}: ${peakBytes}`);
    }
  }
});

test('many files that wait behind a pattern take no longer each than few', async (context) => {
  const waiting = Array.from({ length: 60_000 }, (_, index) => file(`b${index}`, '.'));
  const { code, stdout, stderr } = await catOf(context, 'pipe', archive(...waiting, file('a', 'a')), '-', 'a', 'b*');
  assert.deepEqual([code, stderr, stdout.length, stdout.slice(0, 3)], [EXIT.ok, '', 60_001, 'a..']);
});
