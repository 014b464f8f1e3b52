/** `verify` finds everything that is wrong, and nothing else. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { archive, file, noise, payload } from '../helpers/archive-bytes.js';
import { run, type RunResult } from '../helpers/cli.js';
import { FIXTURE_NAMES, fixture, fixturePath } from '../helpers/fixtures.js';
import { linesOf } from '../helpers/json-lines.js';
import { EXIT } from '../helpers/outcome.js';
import { walkChunks } from '../helpers/chunk-walk.js';
import { inTurn, sampled } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { tenDamages } from '../helpers/ten-damages.js';

/** The key of a fixture, by the name of its cipher. */
function keyWords(name: string): string[] {
  const cipher = /AES\d+/.exec(name)?.[0];
  if (cipher === undefined) return [];
  return ['--decrypt', cipher, '-f', fixturePath(`percona/key.${cipher}`).replace(/\.xbs$/, '')];
}

describe('no problem in any undamaged fixture', { concurrency: 4 }, () => {
  for (const name of sampled(FIXTURE_NAMES, 8)) {
    test(name, async (context) => {
      const { bytes, sha256 } = fixture(name);
      const manifest = join(tempDir(context), 'sums');
      const stdin = { kind: 'pipe', bytes } as const;
      const shallow = await run(['verify', '--json', '--digest', 'sha1', '--manifest', manifest], { stdin });
      assert.deepEqual([shallow.code, shallow.stderr], [0, '']);
      const [summary] = linesOf(shallow.stdout, 'summary');
      assert.deepEqual(
        [summary?.['ok'], summary?.['problems'], summary?.['digests']],
        [true, 0, { sha1: createHash('sha1').update(bytes).digest('hex') }],
      );
      const sums = fs.readFileSync(manifest, 'latin1').trimEnd().split('\n').sort();
      assert.deepEqual(
        sums,
        Object.entries(sha256)
          .map(([path, sum]) => `${sum}  ${path}`)
          .sort(),
      );
      const deep = await run(['verify', '--deep', ...keyWords(name)], { stdin });
      // The old formats warn that they cannot prove a key.
      assert.equal(deep.code, 0, deep.stderr + deep.stdout);
      assert.match(deep.stdout, /is whole/);
    });
  }
});

describe('verify', { concurrency: true }, () => {
  for (const kind of inTurn(['file', 'pipe'] as const)) {
    test(`finds every one of twelve damages, from a ${kind}`, async (context) => {
      const { bytes, damages } = tenDamages();
      const path = join(tempDir(context), 'archive');
      fs.writeFileSync(path, bytes);
      const words = ['verify', '--json', kind === 'file' ? path : '-'];
      const { code, stdout } = await run(words, kind === 'pipe' ? { stdin: { kind, bytes } } : {});
      assert.equal(code, EXIT.damaged);
      const problems = linesOf(stdout, 'problem');
      for (const damage of damages) {
        const found = problems.filter(
          ({ path: named, details = [], archiveOffset }) =>
            (named === damage.path || (details as string[]).some((line) => line.includes(damage.path))) &&
            Number(archiveOffset) >= damage.from &&
            Number(archiveOffset) <= damage.to,
        );
        assert.ok(found.length > 0, damage.kind);
      }
      assert.equal(linesOf(stdout, 'summary')[0]?.['problems'], problems.length);
    });
  }

  test('text: by file, with positions', async () => {
    const bytes = archive(
      file('a', 'A'),
      payload('b', 0, 'B', { crc: 1 }),
      payload('c', 0, 'C'),
      payload('b', 1, 'B', { crc: 2 }),
    );
    const { code, stdout } = await run(['verify'], { stdin: { kind: 'pipe', bytes } });
    assert.equal(code, EXIT.damaged);
    assert.match(stdout, /^b\n {2}XB_BAD_CRC at archive byte 51: .*\n(?: {4}.*\n)+ {2}XB_BAD_CRC/m);
    assert.match(stdout, /^c\n {2}XB_MISSING_EOF/m);
    assert.match(stdout, /NOT whole: 4 problems/);
  });

  test('--deep finds damage inside of a compressed file, and only there', async () => {
    const good = fixture('percona/base-zstd-NONE').bytes;
    const bytes = archive(file('x.lz4', noise(3000)), good, file('y.zst', noise(100)));
    const shallow = await run(['verify'], { stdin: { kind: 'pipe', bytes } });
    assert.equal(shallow.code, 0);
    const { code, stdout } = await run(['verify', '--deep', '--json'], { stdin: { kind: 'pipe', bytes } });
    assert.equal(code, EXIT.damaged);
    assert.deepEqual(
      linesOf(stdout, 'problem').map(({ path }) => path),
      ['x.lz4', 'y.zst'],
    );
  });

  test('--deep without a key, or with a wrong one', async () => {
    const stdin = { kind: 'pipe', bytes: fixture('percona/base-zstd-AES256').bytes } as const;
    const without = await run(['verify', '--deep'], { stdin });
    assert.equal(without.code, EXIT.undecodable);
    assert.match(without.stdout, /XB_KEY_REQUIRED/);
    const wrong = await run(['verify', '--deep', '--decrypt=AES256', '-k', 'x'.repeat(32)], { stdin });
    assert.equal(wrong.code, EXIT.undecodable);
  });

  test('--format github: annotations, one line each, nothing slips in', async () => {
    const bytes = archive(payload('a,b:c\n::error::x', 0, 'B', { crc: 1 }));
    const { stdout } = await run(['verify', '--format', 'github'], { stdin: { kind: 'pipe', bytes } });
    const lines = stdout.trimEnd().split('\n');
    assert.equal(lines.filter((line) => line.startsWith('::error ')).length, 2);
    assert.match(lines[0]!, /^::error title=XB_BAD_CRC in a%2Cb%3Ac\\x0a%3A%3Aerror%3A%3Ax::checksum mismatch/);
    assert.equal(lines.length, 3);
  });

  test('--format github: the name of an archive is no command', async (context) => {
    const path = '::error::a ##[error]b';
    const cwd = tempDir(context);
    fs.writeFileSync(join(cwd, path), file('a', 'A').subarray(0, 30));
    const { stdout } = await run(['verify', '--format', 'github', '--digest', 'md5', path], { cwd });
    const others = stdout.trimEnd().split('\n').slice(1);
    assert.equal(others.length, 2, stdout);
    for (const line of others) assert.doesNotMatch(line, /^\s*::|##\[/);
  });

  test(
    'a verdict that stdout does not take is a failure, also of what is damaged',
    { skip: process.platform !== 'linux' && '/dev/full is of Linux' },
    async () => {
      const full = fs.openSync('/dev/full', 'w');
      const bytes = file('a', 'A').subarray(0, 30);
      const { code, stderr } = await run(['verify'], { stdin: { kind: 'pipe', bytes }, stdout: full });
      fs.closeSync(full);
      assert.equal(code, EXIT.refused);
      assert.equal(stderr, 'tsxbstream: cannot write to standard output: no space left on the device (ENOSPC)\n');
    },
  );

  test('--format junit: a report', async () => {
    const bytes = archive(file('a', 'A'), payload('<b&"\u0001>', 0, 'B', { crc: 1 }));
    const { code, stdout } = await run(['verify', '--format=junit'], { stdin: { kind: 'pipe', bytes } });
    assert.equal(code, EXIT.damaged);
    assert.match(stdout, /^<\?xml version="1.0" encoding="UTF-8"\?>\n<testsuites tests="2" failures="2"/);
    assert.match(stdout, /name="&lt;b&amp;&quot;\\x01&gt;"/);
    const whole = await run(['verify', '--format=junit'], { stdin: { kind: 'pipe', bytes: file('a', 'A') } });
    assert.match(whole.stdout, /tests="1" failures="0"/);
  });

  test('a backup that was cut between two files: a problem, and with --backup so is any other archive', async () => {
    const { bytes } = fixture('percona/base-zstd-AES256');
    const last = walkChunks(bytes).findIndex(({ path }) => path.startsWith('xtrabackup_info'));
    const cut = archive(bytes.subarray(0, walkChunks(bytes)[last]!.start), file('backup-my.cnf.zst.xbcrypt', 'x'));
    const whole = await run(['verify', '--backup'], { stdin: { kind: 'pipe', bytes } });
    assert.deepEqual([whole.code, whole.stderr], [0, '']);
    const named = await run(['verify'], { stdin: { kind: 'pipe', bytes: cut } });
    assert.equal(named.code, EXIT.incomplete);
    assert.match(named.stdout, /this looks like a backup whose end is missing/);
    const failed = await run(['verify', '--backup', '--json'], { stdin: { kind: 'pipe', bytes: cut } });
    assert.equal(failed.code, EXIT.incomplete);
    assert.deepEqual(
      linesOf(failed.stdout, 'problem').map(({ code }) => code),
      ['XB_UNFINISHED_BACKUP'],
    );
    const other = await run(['verify', '--backup'], { stdin: { kind: 'pipe', bytes: file('a', 'A') } });
    assert.equal(other.code, EXIT.incomplete);
    assert.equal((await run(['verify'], { stdin: { kind: 'pipe', bytes: file('a', 'A') } })).stderr, '');
  });

  test('usage', async () => {
    const said = async (...words: string[]): Promise<RunResult> => run(['verify', ...words]);
    assert.equal((await said('a', 'b')).code, EXIT.usage);
    assert.equal((await said('--json', '--format=junit', '-')).code, EXIT.usage);
    assert.equal((await said('--decrypt=AES256', '-k', 'x'.repeat(32), '-')).code, EXIT.usage);
    assert.equal((await said('/nowhere/at/all')).code, EXIT.refused);
  });
});
