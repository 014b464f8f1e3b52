/** What `convert-to-tar` writes, as GNU tar, bsdtar and Python read it. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, test, type TestContext } from 'node:test';
import { extract } from 'tsxbstream';
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
import { PROGRAM, run, start, type RunOptions, type RunResult } from '../helpers/cli.js';
import { FIXTURE_NAMES, fixture } from '../helpers/fixtures.js';
import { EXIT } from '../helpers/outcome.js';
import { openPipe } from '../helpers/pipes.js';
import { hasProgram, isRoot, sampled, SOAK } from '../helpers/programs.js';
import { readTar, TAR_PROGRAMS } from '../helpers/tars.js';
import { tempDir } from '../helpers/temp.js';
import { readTree, sorted, treeOf, type Tree } from '../helpers/tree.js';
import { until } from '../helpers/wait.js';

const MIB = 2 ** 20;

interface Made {
  result: RunResult;
  path: string;
  bytes: Buffer;
}

function archiveFile(context: TestContext, bytes: Buffer): string {
  const path = join(tempDir(context), 'archive.xbs');
  fs.writeFileSync(path, bytes);
  return path;
}

/** Runs `tsxbstream tar`, with its stdout going to a file. */
async function makeTar(context: TestContext, words: readonly string[], options: RunOptions = {}): Promise<Made> {
  const path = join(tempDir(context), 'out.tar');
  const wrapper = ['sh', '-c', 'out=$1; shift; exec "$@" > "$out"', 'sh', path];
  const result = await run(['tar', ...words], { ...options, wrapper });
  return { result, path, bytes: fs.readFileSync(path) };
}

async function good(context: TestContext, words: readonly string[], options?: RunOptions): Promise<Made> {
  const made = await makeTar(context, words, options);
  assert.deepEqual([made.result.code, made.result.signal, made.result.stderr], [EXIT.ok, null, '']);
  return made;
}

let turns = 0;

/** Of the programs a sample takes another one each time. */
function someProgram(): typeof TAR_PROGRAMS {
  turns += 1;
  return sampled(TAR_PROGRAMS, TAR_PROGRAMS.length, turns % TAR_PROGRAMS.length);
}

function assertReadable(context: TestContext, path: string, expected: Tree): void {
  for (const program of someProgram()) {
    if (!hasProgram(context, program.program, program.debianPackage)) continue;
    const { codes, said, tree } = readTar(context, program, path);
    assert.deepEqual({ codes, said, tree }, { codes: [0, 0], said: '', tree: expected }, program.name);
  }
}

function assertRefused(context: TestContext, path: string): void {
  for (const program of someProgram()) {
    if (!hasProgram(context, program.program, program.debianPackage)) continue;
    const { codes } = readTar(context, program, path);
    assert.ok(codes[0] !== 0 && codes[1] !== 0, `${program.name} takes it for whole: ${codes.join(', ')}`);
  }
}

async function unpacked(context: TestContext, path: string, ...words: string[]): Promise<Tree> {
  const target = tempDir(context);
  if (words.length === 0) {
    await extract(path, target);
  } else {
    const result = await run(['extract', '-q', path, '-C', target, ...words]);
    assert.equal(result.code, EXIT.ok, result.stderr);
  }
  return readTree(target);
}

describe('every real archive, from a file and from a pipe', { concurrency: 2 }, () => {
  for (const name of sampled(FIXTURE_NAMES, 26, 23)) {
    test(name, async (context) => {
      const { bytes, sha256 } = fixture(name);
      const fromFile = await good(context, [archiveFile(context, bytes)]);
      const fromPipe = await good(context, ['-'], { stdin: { kind: 'pipe', bytes } });
      assert.ok(fromFile.bytes.equals(fromPipe.bytes), 'from a file and from a pipe');
      const tree = await unpacked(context, archiveFile(context, bytes));
      const found = Object.entries(tree).map(([path, text]) => [path, text.replace(/^\d+ /, '')]);
      assert.deepEqual(Object.fromEntries(found), sorted(sha256));
      assertReadable(context, fromFile.path, tree);
    });
  }
});

describe('every sample, from a file and from a pipe', () => {
  const names = fs.readdirSync('samples').filter((entry) => entry.includes('.xbstream'));
  for (const name of sampled(names.sort(), 4, 3)) {
    test(name, async (context) => {
      const stored = fs.readFileSync(join('samples', name));
      const bytes = name.endsWith('.gz') ? gunzipSync(stored) : stored;
      const path = archiveFile(context, bytes);
      for (const words of sampled([[], ['--sparse']], 2, 1)) {
        const fromFile = await good(context, [path, ...words]);
        const fromPipe = await good(context, ['-', ...words], { stdin: { kind: 'pipe', bytes } });
        assert.ok(fromFile.bytes.equals(fromPipe.bytes), 'from a file and from a pipe');
        assertReadable(context, fromFile.path, await unpacked(context, path));
      }
    });
  }
});

describe('decoded', () => {
  const cases = [
    ['percona/base-zstd-AES256', ['--decompress', '-d', 'AES256', '-f', 'test/fixtures/percona/key.AES256']],
    ['percona/base-lz4-NONE', ['--decompress']],
    ['percona/base-qp-NONE', ['--decompress']],
    ['percona/big-zstd-NONE', ['--decompress']],
    ['percona/base-none-AES256', ['-d', 'AES256', '-f', 'test/fixtures/percona/key.AES256']],
    ['mariadb/tiny-full-compress-qp', ['--decompress']],
  ] as const;
  const all = cases.flatMap(([name, words]) =>
    (name.includes('zstd') ? [[], ['--sparse']] : [[]]).map((more) => [name, words, more] as const),
  );
  for (const [name, words, more] of sampled(all, 6, 1)) {
    test(`${name} ${more.join('')}`, async (context) => {
      const { bytes } = fixture(name);
      const path = archiveFile(context, bytes);
      const expected = await unpacked(context, path, ...words);
      const fromFile = await good(context, [...words, ...more, path]);
      const fromPipe = await good(context, [...words, ...more], { stdin: { kind: 'pipe', bytes } });
      assert.ok(fromFile.bytes.equals(fromPipe.bytes), 'from a file and from a pipe');
      assertReadable(context, fromFile.path, expected);
    });
  }
});

const long = (count: number, letter = 'n'): string => letter.repeat(count);

describe('names', () => {
  const cases = [
    ['short and long ones', [long(100), long(101), `${long(155, 'd')}/${long(100)}`, `${long(156, 'd')}/${long(100)}`]],
    ['in many directories', [`${'d/'.repeat(120)}f`, `${long(60, 'd')}/${long(60, 'e')}/${long(60)}`]],
    ['not ASCII', ['h\xc3\xa9', `${long(120)}\xc3\xa9`, '\xe2\x82\xac/\xf0\x9f\x98\x80']],
    ['odd ones', [' ', 'a\nb', '-x', 'a\\b', "it's"]],
  ] as const;
  for (const [name, paths] of sampled(cases, 2)) {
    test(name, async (context) => {
      const files = Object.fromEntries(paths.map((path, index) => [path, noise(index * 700)]));
      const bytes = archive(...Object.entries(files).map(([path, content]) => file(path, content)));
      assertReadable(context, (await good(context, [archiveFile(context, bytes)])).path, treeOf(files));
    });
  }

  test('no UTF-8', async (context) => {
    const files = { 'caf\xe9': 'x', [`${long(150)}\xff`]: 'y', [`d\xfe/${long(90)}`]: 'z' };
    const bytes = archive(...Object.entries(files).map(([path, content]) => file(path, content)));
    const { path } = await good(context, [archiveFile(context, bytes)]);
    // Listing them is another matter: each program has its own way to show what is no text.
    for (const program of TAR_PROGRAMS) {
      if (!hasProgram(context, program.program, program.debianPackage)) continue;
      assert.deepEqual(readTar(context, program, path).tree, treeOf(files), program.name);
    }
  });

  test('absolute ones', async (context) => {
    const names = ['/short', `/${long(60, 'd')}/${long(90)}`, `/${long(200)}`];
    const bytes = archive(...names.map((name) => file(name, 'x')));
    assert.equal((await makeTar(context, [archiveFile(context, bytes)])).result.code, EXIT.damaged);
    const { path } = await good(context, ['-P', archiveFile(context, bytes)]);
    for (const program of ['tar', 'bsdtar']) {
      if (!hasProgram(context, program, program === 'tar' ? 'tar' : 'libarchive-tools')) continue;
      const { stdout, stderr } = spawnSync(program, ['-tPf', path], { encoding: 'utf8' });
      assert.deepEqual([stdout.trimEnd().split('\n'), stderr], [names, ''], program);
    }
  });

  test('that could not be unpacked are refused', async (context) => {
    const clashes = [archive(file('a', '1'), file('a/b', '2')), archive(file('a/b', '1'), file('a', '2'))];
    for (const bytes of sampled(clashes, 2)) {
      const { result, path } = await makeTar(context, [archiveFile(context, bytes)]);
      assert.equal(result.code, EXIT.damaged);
      assertRefused(context, path);
    }
  });
});

describe('content', () => {
  const large = noise(3 * MIB + 1);
  const cases = [
    [
      'sizes around blocks',
      archive(...[0, 1, 511, 512, 513, 1024].map((size) => file(`f${size}`, noise(size)))),
      undefined,
    ],
    [
      'corrections',
      archive(
        file('a', '1'),
        file('b', '2'),
        file('c', '3'),
        remove('a'),
        rename('b', 'd'),
        rewriting('c', '4'),
        end('c'),
        file('a', '5'),
      ),
      { a: '5', c: '4', d: '2' },
    ],
    ['a file that takes the place of another', archive(file('a', '1'), file('b', '2'), rename('a', 'b')), { b: '1' }],
    [
      'files that interleave',
      archive(payload('a', 0, large), payload('b', 0, 'b'), payload('a', large.length, 'A'), end('b'), end('a')),
      { a: Buffer.concat([large, Buffer.from('A')]), b: 'b' },
    ],
    [
      'chunks in any order',
      archive(payload('a', 5, 'world'), payload('b', 0, 'x'), payload('a', 0, 'hello'), end('a'), end('b')),
      { a: 'helloworld', b: 'x' },
    ],
    [
      'holes',
      archive(
        sparse(
          'a',
          0,
          [
            [5000, 3],
            [10_000, 4],
            [70_000, 0],
          ],
          'abcdefg',
        ),
        end('a'),
        payload('b', 0, 'x'),
        seek('b', 300_000),
        end('b'),
        seek('c', 700_000),
        end('c'),
      ),
      undefined,
    ],
    ['no file at all', archive(file('a', '1'), remove('a')), {}],
  ] as const;
  const all = [[], ['--sparse']].flatMap((words) => cases.map((each) => [words, ...each] as const));
  for (const [words, name, bytes, files] of sampled(all, 5)) {
    test(`${name} ${words.join('')}`, async (context) => {
      const path = archiveFile(context, bytes);
      const expected = files === undefined ? await unpacked(context, path) : treeOf(files);
      const fromFile = await good(context, [...words, path]);
      const fromPipe = await good(context, words, { stdin: { kind: 'pipe', bytes } });
      assert.ok(fromFile.bytes.equals(fromPipe.bytes), 'from a file and from a pipe');
      assertReadable(context, fromFile.path, expected);
      if (name === 'holes') assert.equal(fromFile.bytes.length < 20_000, words.length > 0);
    });
  }

  test('more than the memory takes waits on the disk', async (context) => {
    const contents = Array.from({ length: 12 }, (_, index) => noise(MIB + index * 1000, index + 1));
    const cuts = contents.flatMap((content, index) => payload(`${index}`, 0, content.subarray(0, 700_000)));
    const rests = contents.map((content, index) => payload(`${index}`, 700_000, content.subarray(700_000)));
    const ends = contents.map((_, index) => end(`${index}`));
    const small = Array.from({ length: SOAK ? 500 : 250 }, (_, index) => file(`s/${index}`, noise(60_000, index)));
    const bytes = archive(...cuts, ...small, ...rests, ...ends, remove('3'), ...small.slice(0, 0));
    const fromFile = await good(context, [archiveFile(context, bytes)]);
    const fromPipe = await good(context, [], { stdin: { kind: 'pipe', bytes } });
    assert.ok(fromFile.bytes.equals(fromPipe.bytes));
    // As they become whole is another order, but the same files; and here a correction comes too late.
    const streamed = await makeTar(context, ['--stream'], { stdin: { kind: 'pipe', bytes } });
    assert.equal(streamed.result.code, EXIT.undecodable);
    assert.match(streamed.result.stderr, /is to be removed or replaced, but was written already/);
    assertRefused(context, streamed.path);
    const uncorrected = archive(...cuts, ...small, ...rests, ...ends);
    const whole = await good(context, ['--stream'], { stdin: { kind: 'pipe', bytes: uncorrected } });
    assertReadable(context, whole.path, await unpacked(context, archiveFile(context, uncorrected)));
  });

  describe('a file of 10 GB', () => {
    const holes = sparse(
      'large',
      0,
      [
        [4_000_000_000, 1],
        [4_000_000_000, 1],
        [1_999_999_997, 1],
      ],
      'abc',
    );
    const bytes = archive(holes, end('large'));

    test('has its size in the header', (context) => {
      const path = archiveFile(context, bytes);
      const script = '"$@" | head -c 5000';
      const { stdout } = spawnSync('sh', ['-c', script, 'sh', process.execPath, PROGRAM, 'tar', path]);
      const cut = join(tempDir(context), 'cut.tar');
      fs.writeFileSync(cut, stdout);
      const python = 'import sys, tarfile\nprint(tarfile.open(sys.argv[1]).next().size)';
      for (const [program, debianPackage, args] of [
        ['tar', 'tar', ['-tvf', cut]],
        ['bsdtar', 'libarchive-tools', ['-tvf', cut]],
        ['python3', 'python3', ['-c', python, cut]],
      ] as const) {
        if (!hasProgram(context, program, debianPackage)) continue;
        assert.match(spawnSync(program, args, { encoding: 'utf8' }).stdout, /\b10000000000\b/, program);
      }
    });

    test('keeps its holes', async (context) => {
      const { path } = await good(context, [archiveFile(context, bytes), '--sparse']);
      assert.ok(fs.statSync(path).size < 50_000);
      const target = tempDir(context);
      assert.equal(spawnSync('tar', ['-xf', path, '-C', target]).status, 0);
      const fd = fs.openSync(join(target, 'large'), 'r');
      const byte = Buffer.alloc(1);
      for (const [fileOffset, letter] of [
        [4_000_000_000, 'a'],
        [8_000_000_001, 'b'],
        [9_999_999_999, 'c'],
      ] as const) {
        fs.readSync(fd, byte, 0, 1, fileOffset);
        assert.equal(byte.toString(), letter);
      }
      assert.equal(fs.fstatSync(fd).size, 10_000_000_000);
      fs.closeSync(fd);
    });
  });

  test('the files of a table, and what a prepare needs', async (context) => {
    const bytes = archive(file('shop/a.ibd', '1'), file('shop/b.ibd', '2'), file('ibdata1', '3'), file('x/a.ibd', '4'));
    const expected = treeOf({ 'shop/a.ibd': '1', ibdata1: '3' });
    const words = ['--tables', 'shop.a', '--backup=never'];
    assertReadable(context, (await good(context, [archiveFile(context, bytes), ...words])).path, expected);
    assertReadable(context, (await good(context, words, { stdin: { kind: 'pipe', bytes } })).path, expected);
  });

  test('only what was chosen', async (context) => {
    const bytes = archive(file('shop/a', '1'), file('shop/b', '2'), file('c', '3'), rename('c', 'shop/c'));
    const { path } = await good(context, [archiveFile(context, bytes), 'shop/*', '--exclude', 'b']);
    assertReadable(context, path, treeOf({ 'shop/a': '1', 'shop/c': '3' }));
    const none = await makeTar(context, [archiveFile(context, bytes), 'nothing']);
    assert.equal(none.result.code, EXIT.refused);
    assertRefused(context, none.path);
  });

  test('--mtime, and mode', async (context) => {
    const archivePath = archiveFile(context, file('a', '1'));
    const times = [
      [[], 0],
      [['--mtime', '@1700000000'], 1_700_000_000],
      [['--mtime=2026-01-31T12:00:00Z'], 1_769_860_800],
      [['--mtime=2100-01-01'], 4_102_444_800],
    ] as const;
    for (const [words, seconds] of sampled(times, 2, 1)) {
      const { path } = await good(context, [archivePath, ...words]);
      const target = tempDir(context);
      spawnSync('tar', ['-xpf', path, '-C', target]);
      const { mtimeMs, mode } = fs.statSync(join(target, 'a'));
      assert.deepEqual([mtimeMs / 1000, mode & 0o7777], [seconds, 0o640]);
    }
    assert.equal((await run(['tar', archivePath, '--mtime=soon'])).code, EXIT.usage);
  });
});

describe('a tar that is not whole is refused by every reader', () => {
  const good = [file('a', noise(5000)), file('b', noise(700)), file('c', 'x')];
  const bad = Buffer.from(archive(...good));
  bad[5300]! ^= 1; // in the content of b
  const cases = [
    ['cut between chunks', archive(...good, payload('d', 0, 'half')), EXIT.incomplete],
    ['cut inside a chunk', archive(...good).subarray(0, -30), EXIT.incomplete],
    ['a bad checksum', bad, EXIT.damaged],
    ['a bad checksum in a file of one block', archive(payload('a', 0, noise(512), { crc: 1 }), end('a')), EXIT.damaged],
    [
      'a bad checksum in a file of a byte more',
      archive(payload('a', 0, noise(513), { crc: 1 }), end('a')),
      EXIT.damaged,
    ],
    ['a bad checksum in the last of many', archive(...good, payload('e', 0, 'x', { crc: 1 }), end('e')), EXIT.damaged],
    ['an empty input', Buffer.alloc(0), EXIT.incomplete],
    ['no archive', Buffer.from('something else, for sure'), EXIT.damaged],
    ['an unsafe name', archive(...good, file('../x', '')), EXIT.damaged],
  ] as const;
  for (const [name, bytes, code] of sampled(cases, 4)) {
    test(name, async (context) => {
      const fromFile = await makeTar(context, [archiveFile(context, bytes)]);
      assert.equal(fromFile.result.code, code, fromFile.result.stderr);
      assertRefused(context, fromFile.path);
      for (const words of name.startsWith('cut') ? [[], ['--stream']] : [[]]) {
        const fromPipe = await makeTar(context, words, { stdin: { kind: 'pipe', bytes } });
        assert.equal(fromPipe.result.code, code, fromPipe.result.stderr);
        assertRefused(context, fromPipe.path);
      }
      const folder = tempDir(context);
      const named = await run(['tar', archiveFile(context, bytes), '-o', join(folder, 'out.tar')]);
      assert.deepEqual([named.code, fs.readdirSync(folder)], [code, []]);
    });
  }

  test('a wrong key, and a damaged layer', async (context) => {
    const { bytes } = fixture('percona/base-none-AES256');
    const wrong = ['-d', 'AES256', '-k', 'x'.repeat(32)];
    const { result, path } = await makeTar(context, [...wrong, archiveFile(context, bytes)]);
    assert.equal(result.code, EXIT.undecodable, result.stderr);
    assertRefused(context, path);
    const damaged = await makeTar(context, ['--decompress', archiveFile(context, file('a.lz4', noise(100)))]);
    assert.equal(damaged.result.code, EXIT.damaged);
    assertRefused(context, damaged.path);
  });
});

describe('while files wait', () => {
  const begun = archive(file('whole', noise(300_000)), payload('half', 0, noise(300_000)));

  for (const signal of sampled(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const, 2, 1)) {
    test(`${signal} leaves nothing behind`, async (context) => {
      const tmp = tempDir(context);
      const { readFd, writeFd } = openPipe();
      const { child, ended } = start(['tar', '--tmp-dir', tmp], { stdin: { kind: 'open', stdio: readFd } });
      fs.closeSync(readFd);
      fs.writeSync(writeFd, begun);
      // A descriptor of a file that has lost its name.
      await until('something waits', () =>
        fs.readdirSync(`/proc/${child.pid!}/fd`).some((fd) => {
          try {
            return fs.readlinkSync(`/proc/${child.pid!}/fd/${fd}`).startsWith(tmp);
          } catch {
            return false;
          }
        }),
      );
      child.kill(signal);
      const result = await ended;
      fs.closeSync(writeFd);
      assert.deepEqual([result.signal, fs.readdirSync(tmp)], [signal, []]);
    });
  }

  test('a full disk is told, and nothing is left', async (context) => {
    if (!isRoot(context) || !hasProgram(context, 'mount', 'mount')) return;
    const tmp = tempDir(context);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', tmp]);
    if (mounted.status !== 0) {
      context.skip('cannot mount a tmpfs here');
      return;
    }
    try {
      await checkFullDisk(context, tmp);
    } finally {
      spawnSync('umount', [tmp]);
    }
  });

  async function checkFullDisk(context: TestContext, tmp: string): Promise<void> {
    const bytes = file('a', noise(20 * MIB));
    const { result, path } = await makeTar(context, ['--tmp-dir', tmp], { stdin: { kind: 'pipe', bytes } });
    assert.equal(result.code, EXIT.refused);
    assert.match(result.stderr, /no space left.*\n(?:.*\n)*.*--tmp-dir/);
    assertRefused(context, path);
    assert.deepEqual(fs.readdirSync(tmp), []);
    const small = file('a', noise(3 * MIB));
    assert.equal(
      (await makeTar(context, ['--tmp-dir', tmp], { stdin: { kind: 'pipe', bytes: small } })).result.code,
      0,
    );
  }

  test('a place that is not there is told', async (context) => {
    const bytes = file('a', noise(MIB));
    const { result } = await makeTar(context, ['--tmp-dir', '/nowhere'], { stdin: { kind: 'pipe', bytes } });
    assert.equal(result.code, EXIT.refused);
    assert.match(result.stderr, /cannot make a file in \/nowhere/);
  });
});

test('a reader of stdout that goes away ends it without a word', async (context) => {
  const path = archiveFile(context, file('a', noise(4 * MIB)));
  const tmp = tempDir(context);
  for (const [words, shell] of [
    [['tar', path], ''],
    [['tar', '--tmp-dir', tmp], `< ${path}`],
  ] as const) {
    const child = spawn(
      'sh',
      ['-c', `${shell === '' ? '' : 'cat "$0" | '}"$@"`, path, process.execPath, PROGRAM, ...words],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    child.stdout.once('data', () => child.stdout.destroy());
    let said = '';
    child.stderr.on('data', (part: Buffer) => (said += part.toString()));
    const code = await new Promise((resolve) => child.on('close', resolve));
    assert.deepEqual([code, said, fs.readdirSync(tmp)], [EXIT.refused, '', []]);
  }
});

test('-o gives the file its name when it is whole', async (context) => {
  const folder = tempDir(context);
  const result = await run(['tar', archiveFile(context, file('a', 'x')), '-o', join(folder, 'out.tar')]);
  assert.equal(result.code, EXIT.ok);
  assert.match(result.stdout, /^wrote 1 file \(1 B\) to .*out\.tar \(2\.0 KiB\) in /);
  assert.deepEqual(fs.readdirSync(folder), ['out.tar']);
  assertReadable(context, join(folder, 'out.tar'), treeOf({ a: 'x' }));
});
