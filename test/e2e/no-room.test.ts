/** A file system that takes no more: of what, and how to go on. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { archive, file, noise } from '../helpers/archive-bytes.js';
import { run } from '../helpers/cli.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { hasProgram, isRoot, sampled } from '../helpers/programs.js';
import { tempDir, type Cleanup } from '../helpers/temp.js';
import { readTree } from '../helpers/tree.js';

/** A file system in memory that is as small as is asked for. */
function smallDisk(context: Cleanup, options: string): string {
  const place = mkdtempSync(join(tmpdir(), 'tsxbstream-test-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'none', place]);
  context.after(() => {
    execFileSync('umount', [place]);
    rmdirSync(place);
  });
  return place;
}

describe('a file system that takes no more', { concurrency: true }, () => {
  test('no space: names --skip-existing, and with it the run goes on', async (context) => {
    if (!isRoot(context)) return;
    const target = smallDisk(context, 'size=400k');
    const bytes = archive(file('a', noise(200_000)), file('b', noise(300_000, 2)), file('c', 'c'));
    const stdin = { kind: 'pipe', bytes } as const;
    const result = await run(['-x', '-C', target], { stdin });
    assertEnded(result, EXIT.refused, /no space left on the device \(ENOSPC\)/, /make room/, /--skip-existing/);
    assert.doesNotMatch(result.stderr, /inode/);
    execFileSync('mount', ['-o', 'remount,size=2m', target]);
    assertEnded(await run(['-x', '-C', target, '--skip-existing'], { stdin }), EXIT.ok);
    assert.deepEqual(Object.keys(readTree(target)).sort(), ['a', 'b', 'c']);
  });

  test('no inodes is not "no space"', async (context) => {
    if (!isRoot(context)) return;
    for (const stored of sampled(['f', 'd/e/g/f', 'large'], 2)) {
      const target = smallDisk(context, 'size=4m,nr_inodes=4');
      const content = stored === 'large' ? noise(600_000) : 'x';
      const names = [0, 1, 2, 3, 4, 5].map((index) => `${stored}${index}`);
      const bytes = archive(...names.map((name) => file(name, content)));
      const result = await run(['extract', '-q', '-', '-C', target], { stdin: { kind: 'pipe', bytes } });
      assertEnded(result, EXIT.refused, /no free inodes/, /ENOSPC/, /--skip-existing/);
      assert.doesNotMatch(result.stderr, /no space left/);
      const dry = await run(['extract', '-q', '-', '-C', join(target, 'new'), '--dry-run'], {
        stdin: { kind: 'pipe', bytes },
      });
      assertEnded(dry, EXIT.refused, /too few free inodes/);
    }
  });
});

describe('no room for a tar of many small files', { concurrency: true }, () => {
  const bytes = archive(...Array.from({ length: 3000 }, (_, index) => file(`f${index}`, noise(600, index))));
  const stdin = { kind: 'pipe', bytes } as const;

  test('on stdout: the reason is told', async () => {
    const wrapper = ['sh', '-c', 'exec "$@" > /dev/full', 'sh'];
    const result = await run(['tar'], { stdin, wrapper });
    assertEnded(result, EXIT.refused, /cannot write to standard output: no space left on the device \(ENOSPC\)/);
  });

  test('in a file: the reason is told, and nothing is left of it', async (context) => {
    const target = tempDir(context);
    const wrapper = ['bash', '-c', 'trap "" XFSZ; ulimit -f 1024; exec "$@"', 'bash'];
    const result = await run(['tar', '-o', join(target, 'out.tar')], { stdin, wrapper });
    assertEnded(result, EXIT.refused, /cannot write to .*out\.tar: the file is larger than the file system allows/);
    assert.deepEqual(readdirSync(target), []);
  });
});

describe('a call that the system answers with an error', { concurrency: true }, () => {
  const bytes = archive(file('d/a', noise(200_000)), file('d/b', noise(3_000_000, 2)), file('e/c', 'c'));

  /** Has the system refuse a call of the program that concerns this file or directory in the target. */
  const refusing = (call: string, error: string, path: string): string[] => [
    ...['strace', '-f', '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${call}:error=${error}`, '-P', path],
  ];

  const REFUSED_CALLS = [
    { call: 'pwrite64', path: 'd/.b.partial', doing: /cannot write d\/b: / },
    { call: 'openat', path: 'd/.a.partial', doing: /cannot create d\/a: / },
    { call: 'mkdir', path: 'e', doing: /cannot make the directory e\/ in the target: / },
    { call: 'link', path: 'd/b', doing: /cannot give its final name to d\/b: / },
  ];

  for (const { call, path, doing } of sampled(REFUSED_CALLS, 2)) {
    test(`a quota that is used up is told as such, and how to go on: ${call}`, async (context) => {
      if (!hasProgram(context, 'strace', 'strace')) return;
      const target = tempDir(context);
      const stdin = { kind: 'pipe', bytes } as const;
      const result = await run(['-x', '-C', target], { stdin, wrapper: refusing(call, 'EDQUOT', join(target, path)) });
      const said = [doing, /the disk quota is used up \(EDQUOT\)/, /make room/, /--skip-existing/];
      assertEnded(result, EXIT.refused, ...said);
      assert.doesNotMatch(result.stderr, /no space|inode|[Uu]nknown/);
      assertEnded(await run(['-x', '-C', target, '--skip-existing'], { stdin }), EXIT.ok);
      assert.deepEqual(
        ['d/a', 'd/b', 'e/c'].map((name) => existsSync(join(target, name))),
        [true, true, true],
      );
    });
  }

  test('what Node has no name for is told in words, too', async (context) => {
    if (!hasProgram(context, 'strace', 'strace')) return;
    const errors = [
      ['ESTALE', /the file server does not know the file any more \(ESTALE\)/],
      ['EUCLEAN', /the file system is damaged, and has to be repaired \(EUCLEAN\)/],
    ] as const;
    for (const [error, reason] of sampled(errors, 2)) {
      const target = tempDir(context);
      const stdin = { kind: 'pipe', bytes } as const;
      const result = await run(['-x', '-C', target], {
        stdin,
        wrapper: refusing('pwrite64', error, join(target, 'd/.a.partial')),
      });
      assertEnded(result, EXIT.refused, reason);
    }
  });
});
