/** From a tar to an archive, and both ways round: every byte and every name is kept. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { extract } from 'tsxbstream';
import { archive, end, file, noise, sparse } from '../helpers/archive-bytes.js';
import { run, type RunResult } from '../helpers/cli.js';
import { FIXTURE_NAMES, fixture } from '../helpers/fixtures.js';
import { EXIT } from '../helpers/outcome.js';
import { hasProgram, sampled } from '../helpers/programs.js';
import { member, pax, TAR_END } from '../helpers/tar-bytes.js';
import { tempDir } from '../helpers/temp.js';
import { readTree, writeTree, type Tree } from '../helpers/tree.js';

const MIB = 2 ** 20;

async function made(
  context: TestContext,
  words: readonly string[],
  options: Parameters<typeof run>[1] = {},
): Promise<string> {
  const path = join(tempDir(context), 'made');
  const result = await run([...words, '-q', '-o', path], options);
  assert.deepEqual([result.code, result.stderr], [EXIT.ok, '']);
  return path;
}

async function unpacked(context: TestContext, path: string): Promise<Tree> {
  const target = tempDir(context);
  await extract(path, target);
  return readTree(target);
}

function saved(context: TestContext, bytes: Buffer): string {
  const path = join(tempDir(context), 'saved');
  fs.writeFileSync(path, bytes);
  return path;
}

describe('archive to tar to archive to tar', { concurrency: 2 }, () => {
  for (const name of [...sampled(FIXTURE_NAMES, 26, 24), 'names', 'holes']) {
    test(name, async (context) => {
      const bytes =
        name === 'names'
          ? archive(
              ...['caf\xe9', `${'n'.repeat(200)}\xff`, 'h\xc3\xa9', 'a\nb', `${'d/'.repeat(200)}f`].map((path) =>
                file(path, path),
              ),
              end('empty'),
            )
          : name === 'holes'
            ? archive(
                sparse(
                  'a',
                  0,
                  [
                    [50_000, 3],
                    [100_000, 9000],
                    [700_000, 0],
                  ],
                  noise(9003),
                ),
                end('a'),
                file('b', noise(3 * MIB)),
              )
            : fixture(name).bytes;
      const first = saved(context, bytes);
      for (const words of name === 'holes' ? sampled([[], ['--sparse']], 2, 1) : [[]]) {
        const tar = await made(context, ['tar', first, ...words]);
        const second = await made(context, ['create', '--from-tar', tar, ...words]);
        assert.deepEqual(await unpacked(context, second), await unpacked(context, first));
        const again = await made(context, ['tar', ...words], {
          stdin: { kind: 'pipe', bytes: fs.readFileSync(second) },
        });
        assert.ok(fs.readFileSync(again).equals(fs.readFileSync(tar)));
      }
    });
  }
});

describe('what other programs write', () => {
  const files = {
    a: noise(10 * MIB + 7),
    'd/e/f': 'x',
    empty: '',
    ['l'.repeat(120)]: noise(513),
    'h\xc3\xa9': noise(1024),
    'caf\xe9': 'y',
  };
  const writers = [
    ['GNU tar', 'tar', 'tar', ['--format=gnu']],
    ['GNU tar, pax', 'tar', 'tar', ['--format=posix']],
    ['GNU tar, ustar', 'tar', 'tar', ['--format=ustar', '--exclude=lll*']],
    ['bsdtar', 'bsdtar', 'libarchive-tools', ['--format=pax']],
    ['Python', 'python3', 'python3', []],
  ] as const;
  for (const [name, program, debianPackage, words] of sampled(writers, 2)) {
    test(name, async (context) => {
      if (!hasProgram(context, program, debianPackage)) return;
      const folder = tempDir(context);
      writeTree(folder, files);
      const tar = join(tempDir(context), 'tar');
      const python = 'import sys, tarfile\nwith tarfile.open(sys.argv[1], "w") as tar: tar.add(".")';
      const args = program === 'python3' ? ['-c', python, tar] : [...words, '-cf', tar, '.'];
      const env = { ...process.env, LC_ALL: 'C.UTF-8' };
      const { status } = spawnSync(program, args, { cwd: folder, env });
      assert.equal(status, 0);
      if (words.some((word) => word.startsWith('--exclude'))) fs.rmSync(join(folder, 'l'.repeat(120)));
      const fromPipe = await made(context, ['create', '--from-tar'], {
        stdin: { kind: 'pipe', bytes: fs.readFileSync(tar) },
      });
      assert.deepEqual(await unpacked(context, fromPipe), readTree(folder));
      assert.ok(
        fs.readFileSync(await made(context, ['create', `--from-tar=${tar}`])).equals(fs.readFileSync(fromPipe)),
      );
    });
  }

  for (const format of ['posix', 'gnu', 'oldgnu']) {
    test(`GNU tar --sparse --format=${format}`, async (context) => {
      const folder = tempDir(context);
      const place = join(folder, 'a');
      fs.writeFileSync(place, noise(5000));
      // More parts than a header has room for.
      for (let part = 1; part <= 30; part += 1) {
        fs.truncateSync(place, part * 100_000);
        fs.appendFileSync(place, noise(777, part));
      }
      fs.truncateSync(place, 5 * MIB + 1);
      const tar = join(tempDir(context), 'tar');
      spawnSync('tar', [`--format=${format}`, '--sparse', '-cf', tar, '-C', folder, 'a']);
      assert.ok(fs.statSync(tar).size < MIB);
      assert.deepEqual(await unpacked(context, await made(context, ['create', '--from-tar', tar])), readTree(folder));
    });
  }
});

describe('a tar that cannot be taken as it is', () => {
  async function refused(context: TestContext, tar: Buffer): Promise<RunResult> {
    const folder = tempDir(context);
    const result = await run(['create', '--from-tar', saved(context, tar), '-o', join(folder, 'archive')]);
    assert.deepEqual(fs.readdirSync(folder), []);
    return result;
  }

  function tarOf(context: TestContext, prepare: (folder: string) => void): Buffer {
    const folder = tempDir(context);
    writeTree(folder, { a: noise(3000), b: 'x' });
    prepare(folder);
    return spawnSync('tar', ['--sort=name', '-cf', '-', '-C', folder, '.'], { maxBuffer: 1 << 26 }).stdout;
  }

  test('cut short', async (context) => {
    const tar = tarOf(context, () => undefined);
    for (const bytes of sampled([100, 512, 1024, 2000, 4608, 5120], 3)) {
      const { code, stderr } = await refused(context, tar.subarray(0, bytes));
      assert.equal(code, EXIT.incomplete, `${bytes}: ${stderr}`);
    }
  });

  test('damaged, or none', async (context) => {
    const tar = tarOf(context, () => undefined);
    const damaged = Buffer.from(tar);
    damaged[512 + 20]! ^= 1;
    assert.equal((await refused(context, damaged)).code, EXIT.damaged);
    assert.equal((await refused(context, noise(2000))).code, EXIT.damaged);
    assert.equal((await refused(context, Buffer.concat([tar, tar]))).code, EXIT.damaged);
    assert.equal((await refused(context, Buffer.alloc(0))).code, EXIT.incomplete);
  });

  test('with names that no program could unpack', async (context) => {
    for (const [tar, said] of [
      [Buffer.concat([member('a', '1'), member('a/b', '2'), TAR_END]), /a\/b would lie in a directory that is a file/],
      [Buffer.concat([member('a/b', '1'), member('a', '2'), TAR_END]), /a would be a file and a directory/],
      [Buffer.concat([pax({ path: 'x\0y' }), member('x', '1'), TAR_END]), /a name with a NUL byte/],
    ] as const) {
      const { code, stderr } = await refused(context, tar);
      assert.equal(code, EXIT.refused);
      assert.match(stderr, said);
    }
  });

  test('with what an archive cannot hold', async (context) => {
    const linked = tarOf(context, (folder) => fs.symlinkSync('a', join(folder, 'link')));
    const { code, stderr } = await refused(context, linked);
    assert.equal(code, EXIT.undecodable);
    assert.match(stderr, /link is a symbolic link in the tar/);
  });
});
