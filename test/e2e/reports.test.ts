/** What an extraction says and leaves beside the files: names, JSON lines, digests, manifests, a dry run, --fsync. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  archive,
  end,
  file,
  noise,
  payload,
  remove,
  rename,
  rewriting,
  seek,
  sparse,
} from '../helpers/archive-bytes.js';
import { run, start } from '../helpers/cli.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { hasProgram, inTurn, sampled } from '../helpers/programs.js';
import { tempDir, type Cleanup } from '../helpers/temp.js';
import { namesIn, readTree, treeOf, writeTree } from '../helpers/tree.js';

const bytes = archive(
  file('d/a', noise(200_000), 90_000),
  end('e'),
  sparse(
    's',
    0,
    [
      [5000, 3],
      [9, 0],
    ],
    'abc',
  ),
  end('s'),
);

function runWith(context: Cleanup, args: readonly string[], input: Buffer = bytes, target = tempDir(context)) {
  const stdin = { kind: 'pipe', bytes: input } as const;
  return run([...args, '-C', target], { stdin }).then((result) => ({ ...result, target }));
}

/** JSON lines of a type. */
function linesOf(stdout: string, type: string): Record<string, unknown>[] {
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return lines.filter((line) => line['type'] === type);
}

describe('what is said', { concurrency: true }, () => {
  test('-x says nothing', async (context) => {
    const { code, stdout, stderr } = await runWith(context, ['-x']);
    assert.deepEqual([code, stdout, stderr], [0, '', '']);
  });

  test('-x -v names the files on stderr', async (context) => {
    const { code, stdout, stderr } = await runWith(context, ['-xv']);
    assert.deepEqual([code, stdout], [0, '']);
    for (const name of ['d/a', 'e', 's']) assert.match(stderr, new RegExp(`(^|\\W)${name}(\\W|$)`, 'm'));
  });

  test('extract says in the end what it did', async (context) => {
    const { code, stdout, stderr } = await runWith(context, ['extract', '-']);
    assert.equal(code, 0);
    assert.match(stdout + stderr, /3 files/);
  });

  test('--json: a line for each file, and a summary', async (context) => {
    const corrected = archive(bytes, file('x\xff', 'x'), rename('s', 't'));
    const { code, stdout, stderr } = await runWith(context, ['extract', '-', '--json'], corrected);
    assert.deepEqual([code, stderr], [0, '']);
    assert.deepEqual(linesOf(stdout, 'file'), [
      { type: 'file', path: 'd/a', bytes: 200_000 },
      { type: 'file', path: 's', bytes: 5012 },
      { type: 'file', path: 'x\ufffd', pathBase64: 'eP8=', bytes: 1 },
      { type: 'file', path: 'e', bytes: 0 },
    ]);
    const [{ elapsedSeconds, ...summary }, ...others] = linesOf(stdout, 'summary') as [Record<string, unknown>];
    assert.deepEqual([typeof elapsedSeconds, others], ['number', []]);
    const archiveBytes = corrected.length;
    assert.deepEqual(summary, { type: 'summary', ok: true, files: 4, bytes: 205_013, archiveBytes });
  });

  test('--json: errors, with what was left', async (context) => {
    const cut = archive(file('w', 'x'), payload('db1/t2.ibd', 0, 'y'), payload('a', 0, 'z'));
    const { code, stdout, stderr } = await runWith(context, ['extract', '-', '--json'], cut);
    assert.equal(code, EXIT.incomplete);
    assert.match(stderr, /db1\/t2\.ibd/);
    const told = linesOf(stdout, 'error').map(({ code: errorCode, path, partial }) => [errorCode, path, partial]);
    assert.deepEqual(told.sort(), [
      ['XB_MISSING_EOF', 'a', '.a.partial'],
      ['XB_MISSING_EOF', 'db1/t2.ibd', 'db1/.t2.ibd.partial'],
    ]);
    const lines = stdout.trimEnd().split('\n');
    const { elapsedSeconds, ...summary } = JSON.parse(lines.at(-1)!) as Record<string, unknown>;
    assert.equal(typeof elapsedSeconds, 'number');
    assert.deepEqual(summary, { type: 'summary', ok: false, files: 1, bytes: 1, archiveBytes: cut.length });
    assert.equal(linesOf(stdout, 'summary').length, 1);
  });

  for (const verb of sampled(['list', 'verify', 'create', 'tar'], 2, 1)) {
    test(`${verb} --json: the summary of a failure is the last line`, async (context) => {
      const cut = archive(file('w', 'x'), payload('a', 0, 'z'));
      const folder = tempDir(context);
      const words = verb === 'create' ? [join(folder, 'missing')] : [];
      const output = verb === 'create' || verb === 'tar' ? ['-o', join(folder, 'made')] : [];
      const { code, stdout } = await run([verb, ...words, ...output, '--json'], {
        stdin: { kind: 'pipe', bytes: cut },
      });
      assert.equal(code, verb === 'create' ? EXIT.refused : EXIT.incomplete);
      const types = stdout
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { type: string }).type);
      assert.deepEqual(types.slice(-2), [verb === 'verify' ? 'problem' : 'error', 'summary']);
    });
  }

  test('1,000 files without an end chunk: all are told, the exit code is one', async (context) => {
    const cut = archive(...Array.from({ length: 1000 }, (_, index) => payload(`f${index}`, 0, 'x')));
    const { code, stdout } = await runWith(context, ['extract', '-', '--json'], cut);
    assert.equal(code, EXIT.incomplete);
    assert.equal(linesOf(stdout, 'error').length, 1000);
  });
});

describe('--digest', { concurrency: true }, () => {
  const sums = ['md5', 'sha1', 'sha256'].map((name) => createHash(name).update(bytes).digest('hex'));

  test('-x prints them on stderr as sha1sum does', async (context) => {
    const { code, stdout, stderr } = await runWith(context, ['-x', '--digest', 'md5,sha1', '--digest=sha256']);
    assert.deepEqual([code, stdout], [0, '']);
    for (const sum of sums) assert.match(stderr, new RegExp(`^${sum}  -$`, 'm'));
  });

  test('of a file, and of what is passed over too', async (context) => {
    const path = join(tempDir(context), 'archive');
    fs.writeFileSync(path, bytes);
    const { code, stdout } = await run(['extract', path, 'e', '--digest', 'sha1', '--json', '-C', tempDir(context)]);
    assert.equal(code, 0);
    assert.deepEqual(linesOf(stdout, 'summary')[0]?.['digests'], { sha1: sums[1] });
  });

  test('none of an archive that is not whole', async (context) => {
    const { code, stdout } = await runWith(
      context,
      ['extract', '-', '--digest=sha1', '--json'],
      bytes.subarray(0, 999),
    );
    assert.equal(code, EXIT.incomplete);
    assert.doesNotMatch(stdout, /digests/);
  });
});

describe('--manifest', { concurrency: true }, () => {
  test('sha256sum -c agrees, whatever the names', async (context) => {
    const manifest = join(tempDir(context), 'sums');
    const shuffled = archive(payload('o', 3, 'def'), payload('o', 0, 'abc'), end('o'));
    const names = ['plain', 'with space', 'new\nline', 'back\\slash', '\xff\xfe', 'carriage\rreturn', '*star', '-dash'];
    const many = archive(
      bytes,
      shuffled,
      ...names.map((name) => file(name, name)),
      archive(file('gone', 'x'), remove('gone'), file('r', 'x'), rename('r', 'renamed')),
      archive(file('w', 'old'), rewriting('w', 'new'), end('w')),
    );
    const { target, ...result } = await runWith(context, ['-x', '--manifest', manifest], many);
    assertEnded(result, EXIT.ok);
    assert.equal(fs.readFileSync(manifest, 'latin1').trimEnd().split('\n').length, namesIn(target).length);
    execFileSync('sha256sum', ['--strict', '--quiet', '-c', manifest], { cwd: target, stdio: 'pipe' });
  });

  test('of files that are kept', async (context) => {
    const manifest = join(tempDir(context), 'sums');
    const target = tempDir(context);
    writeTree(target, { a: 'x' });
    const args = ['-x', '--manifest', manifest, '--skip-existing'];
    assertEnded(await runWith(context, args, archive(file('a', 'x'), file('b', 'y')), target), EXIT.ok);
    execFileSync('sha256sum', ['--strict', '--quiet', '-c', manifest], { cwd: target, stdio: 'pipe' });
    assert.equal(fs.readFileSync(manifest, 'latin1').trimEnd().split('\n').length, 2);
  });

  test('that cannot be written is an error', async (context) => {
    const result = await runWith(context, ['-x', '--manifest', join(tempDir(context), 'no/such/folder')]);
    assertEnded(result, EXIT.refused, /cannot write .*folder/);
  });
});

describe('--dry-run', { concurrency: true }, () => {
  test('writes nothing and tells the free space', async (context) => {
    const target = join(tempDir(context), 'not/there/yet');
    const { code, stdout } = await runWith(context, ['extract', '-', '--dry-run', '--json'], bytes, target);
    assert.equal(code, 0);
    assert.equal(fs.existsSync(target), false);
    assert.deepEqual(linesOf(stdout, 'file').length, 3);
    const summary = linesOf(stdout, 'summary')[0]!;
    assert.deepEqual([summary['dryRun'], summary['bytes']], [true, 205_012]);
    assert.ok(Number(summary['freeBytes']) > 0);
  });

  test('tells what would be in the way', async (context) => {
    const target = tempDir(context);
    writeTree(target, { 'd/a': 'old' });
    assertEnded(
      await runWith(context, ['extract', '-q', '-', '--dry-run'], bytes, target),
      EXIT.refused,
      /d\/a exists/,
    );
    assert.deepEqual(readTree(target), treeOf({ 'd/a': 'old' }));
  });

  test('sees damage', async (context) => {
    const bad = archive(payload('a', 0, 'x', { crc: 1 }), end('a'));
    const { code, target } = await runWith(context, ['extract', '-q', '-', '--dry-run'], bad);
    assert.deepEqual([code, namesIn(target)], [EXIT.damaged, []]);
  });

  test('counts no holes as needed', async (context) => {
    const hole = archive(payload('a', 0, 'x'), seek('a', 2n ** 50n), end('a'));
    const result = await runWith(context, ['extract', '-q', '-', '--dry-run'], hole);
    assertEnded(result, EXIT.ok);
  });

  test('follows corrections', async (context) => {
    const corrected = archive(
      file('a', '1'),
      file('b', '2'),
      rename('a', 'b'),
      remove('b'),
      rewriting('c', 'x'),
      end('c'),
    );
    const { code, stdout, target } = await runWith(context, ['extract', '-', '--dry-run', '--json'], corrected);
    assert.deepEqual([code, namesIn(target)], [0, []]);
    assert.equal(linesOf(stdout, 'summary')[0]?.['files'], 1);
  });
});

describe('--fsync', { concurrency: true }, () => {
  test('has a file on the disk before it gets its final name', async (context) => {
    if (!hasProgram(context, 'strace', 'strace')) return;
    const log = join(tempDir(context), 'log');
    const target = tempDir(context);
    const wrapper = [
      'strace',
      '-f',
      '-y',
      '-o',
      log,
      '-e',
      'trace=fsync,fdatasync,rename,renameat2,link,linkat,unlink',
    ];
    const stdin = { kind: 'pipe', bytes: archive(file('d/a', 'x'), file('b', 'y')) } as const;
    assertEnded(await run(['-x', '-C', target, '--fsync'], { stdin, wrapper }), EXIT.ok);
    const calls = fs
      .readFileSync(log, 'latin1')
      .split('\n')
      .filter((line) => line.includes(target) || /rename|link/.test(line));
    const position = (pattern: RegExp): number => calls.findIndex((line) => pattern.test(line));
    const synced = position(/fsync\(\d+<.*\.a\.partial>/);
    const named = position(/(rename|link)\w*\(.*\.a\.partial/);
    assert.ok(synced >= 0 && named > synced, calls.join('\n'));
    // And the names themselves, at the end.
    assert.ok(position(/fsync\(\d+<[^>]*\/d>/) > named, calls.join('\n'));
    assert.ok(calls.some((line) => line.includes(`<${target}>`) && line.includes('fsync')));
  });

  test('has a target that it has made on the disk', async (context) => {
    if (!hasProgram(context, 'strace', 'strace')) return;
    const folder = tempDir(context);
    const log = join(folder, 'log');
    const wrapper = ['strace', '-f', '-y', '-o', log, '-e', 'trace=fsync'];
    const stdin = { kind: 'pipe', bytes: file('a', 'x') } as const;
    assertEnded(await run(['extract', '-q', '-C', join(folder, 'new/target'), '--fsync'], { stdin, wrapper }), EXIT.ok);
    const calls = fs.readFileSync(log, 'latin1');
    for (const path of [folder, join(folder, 'new'), join(folder, 'new/target')]) {
      assert.ok(calls.includes(`<${path}>`), `${path}\n${calls}`);
    }
  });

  test('changes nothing else', async (context) => {
    const { target, ...result } = await runWith(context, ['-x', '--fsync']);
    assertEnded(result, EXIT.ok);
    assert.deepEqual(namesIn(target), ['d/a', 'e', 's']);
  });
});

describe('--manifest replaces nothing', { concurrency: true }, () => {
  for (const verb of ['verify', 'extract'] as const) {
    test(`${verb}: not even the archive`, async (context) => {
      const path = join(tempDir(context), 'archive');
      fs.writeFileSync(path, bytes);
      const where = (): string[] => (verb === 'extract' ? ['-C', tempDir(context)] : []);
      for (const archiveName of inTurn([path, '-'])) {
        const result = await run([verb, '-q', archiveName, '--manifest', path, ...where()]);
        assertEnded(
          result,
          EXIT.refused,
          archiveName === '-' ? /archive exists/ : /archive is the archive that is read/,
        );
        assert.deepEqual(fs.readFileSync(path), bytes);
      }
      const sums = join(tempDir(context), 'sums');
      fs.writeFileSync(sums, 'old');
      const words = [verb, '-q', path, '--manifest', sums];
      assertEnded(await run([...words, ...where()]), EXIT.refused, /sums exists/, /--overwrite/);
      assertEnded(await run([...words, '--overwrite', ...where()]), EXIT.ok);
      assert.match(fs.readFileSync(sums, 'latin1'), /^[0-9a-f]{64} {2}/);
    });
  }

  test('there is none of an extraction that has failed', async (context) => {
    const folder = tempDir(context);
    const words = ['extract', '-q', '-', '--manifest', join(folder, 'sums'), '-C', tempDir(context)];
    const stdin = { kind: 'pipe', bytes: bytes.subarray(0, bytes.length - 20) } as const;
    assert.equal((await run(words, { stdin })).code, EXIT.incomplete);
    assert.deepEqual(fs.readdirSync(folder), []);
  });
});

describe('stderr that nobody reads', { concurrency: true }, () => {
  test('does not stop a restore', { skip: process.platform !== 'linux' }, async (context) => {
    const wrapper = ['sh', '-c', 'exec "$@" 2>/dev/full', 'sh'];
    for (const args of sampled([['-x', '-v'], ['-x']], 2)) {
      const target = tempDir(context);
      const result = await run([...args, '-C', target], { stdin: { kind: 'pipe', bytes }, wrapper });
      assert.equal(result.code, EXIT.ok);
      assert.equal(namesIn(target).length, 3);
    }
  });
});

test('a restore that is broken off since nobody reads stdout says so', async (context) => {
  const path = join(tempDir(context), 'archive');
  const many = Array.from({ length: 3000 }, (_, index) => file(`${'n'.repeat(200)}${index}`, 'x'));
  // It goes on for longer than anybody waits.
  fs.writeFileSync(path, archive(...many, payload('large', 0, '', { payloadBytes: 2 ** 42 })));
  fs.truncateSync(path, 2 ** 42);
  const words = ['extract', path, '-v', '-C', tempDir(context)];
  const { child, ended } = start(words);
  child.stdout!.destroy();
  const { code, stderr } = await ended;
  assert.equal(code, EXIT.refused);
  assert.match(stderr, /broken off: nobody takes what goes to standard output/);
});

test('what to type next, where two archives are named, one that begins with -, or one as of tar', async (context) => {
  const cwd = tempDir(context);
  for (const name of ['one.xb', 'two.xb', '-x.xb']) fs.writeFileSync(join(cwd, name), bytes);
  for (const [verb, ...others] of [['extract'], ['list'], ['tar', '-o', 'tar']] as const) {
    const { code, stderr } = await run([verb, 'one.xb', 'two.xb', ...others], { cwd });
    assert.equal(code, EXIT.refused);
    assert.match(stderr, /two\.xb is a file here: a call reads one archive, and several parts of one with --parts/);
    assert.doesNotMatch(stderr, /-C two/);
  }
  const dashed = await run(['list', '-x.xb'], { cwd });
  assertEnded(dashed, EXIT.usage, /unknown option -x\n {2}the file of that name: \.\/-x\.xb/);
  assert.equal((await run(['list', './-x.xb'], { cwd })).code, EXIT.ok);
  fs.writeFileSync(join(cwd, 'large.xb'), archive(file('large', 'x'.repeat(10_000))));
  const asOfTar = await run(['-xf', 'large.xb'], { cwd });
  assertEnded(asOfTar, EXIT.undecodable, /-f names the file of a key; an archive: tsxbstream -x < ARCHIVE/);
});

test('what to type next, where a word was left out', async (context) => {
  const path = join(tempDir(context), 'archive');
  fs.writeFileSync(path, bytes);
  const pattern = await run(['extract', path, 'restored'], { cwd: tempDir(context) });
  assertEnded(pattern, EXIT.refused, /to unpack into a directory: -C restored/);
  const empty = await run(['-x', path], { stdin: { kind: 'pipe', bytes: Buffer.alloc(0) }, cwd: tempDir(context) });
  assertEnded(empty, EXIT.incomplete, /from a file: tsxbstream -x < ARCHIVE, or: tsxbstream VERB ARCHIVE/);
  const folder = tempDir(context);
  fs.writeFileSync(join(folder, 'a'), 'a');
  const wrapper = ['sh', '-c', 'exec "$@" > out.xbs', 'sh'];
  const itself = await run(['create', '.'], { cwd: folder, wrapper });
  assertEnded(itself, EXIT.refused, /out\.xbs is the archive itself\n.*by -o ARCHIVE/);
});

test('a directory that cannot be made is no endless search', { skip: process.platform !== 'linux' }, async () => {
  const stdin = { kind: 'pipe', bytes } as const;
  assertEnded(await run(['extract', '-q', '-', '-C', '/proc/none/such'], { stdin }), EXIT.refused, /cannot make/);
});
