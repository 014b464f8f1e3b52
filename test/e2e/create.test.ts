/** `-c` and `create`: what the C tools write, and what they and we unpack again. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { archive, end, file, noise } from '../helpers/archive-bytes.js';
import { PROGRAM, run, start } from '../helpers/cli.js';
import { EXIT } from '../helpers/outcome.js';
import { openPipe } from '../helpers/pipes.js';
import { hasProgram, sampled, SOAK } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { readTree, writeTree, type Tree } from '../helpers/tree.js';
import { SOON_MS, until } from '../helpers/wait.js';

const MIB = 2 ** 20;

type Files = Readonly<Record<string, Buffer | string>>;

function folderOf(context: TestContext, files: Files): string {
  const folder = tempDir(context);
  writeTree(folder, files);
  return folder;
}

/** What a program writes on stdout; the words go by a shell, since Node would make UTF-8 of them. */
function outputOf(context: TestContext, folder: string, program: readonly string[], words: readonly string[]): Buffer {
  const list = join(tempDir(context), 'words');
  fs.writeFileSync(list, words.map((word) => `${word}\0`).join(''), 'latin1');
  const command = 'list=$1; shift; xargs -0 -x -a "$list" "$@"';
  return execFileSync('sh', ['-c', command, 'sh', list, ...program], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 1 << 30,
  });
}

const OURS = [process.execPath, PROGRAM, '-c'];

async function unpacked(context: TestContext, path: string, ...words: string[]): Promise<Tree> {
  const target = tempDir(context);
  const result = await run(['-x', '-C', target, ...words], { stdin: { kind: 'file', path } });
  assert.equal(result.code, EXIT.ok, result.stderr);
  return readTree(target);
}

function unpackedByMbstream(context: TestContext, path: string): Tree {
  const target = tempDir(context);
  const stdin = fs.openSync(path, 'r');
  const { status, stderr } = spawnSync('mbstream', ['-x', '-C', target], { stdio: [stdin, 'ignore', 'pipe'] });
  fs.closeSync(stdin);
  assert.equal(status, 0, stderr.toString());
  return readTree(target);
}

const SIZES = [0, 1, 4095, 65_536, 10 * MIB - 1, 10 * MIB, 10 * MIB + 1, ...(SOAK ? [20 * MIB] : []), 21 * MIB];

describe('-c writes what mbstream -c writes', () => {
  for (const [name, files] of [
    [
      'sizes around its chunks',
      Object.fromEntries(SIZES.map((size, index) => [`size-${size}`, noise(size, index + 1)])),
    ],
    ['a single empty file', { empty: '' }],
    ['many small files', Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`f${index}`, `${index}`]))],
    ['files in directories', { 'db1/t1.ibd': noise(50_000), './db1//t1.frm': 'x', 'db2/t@002d.MYD': '' }],
    ['names that are no UTF-8', { 'caf\xe9': 'x', '\xff': 'y', ' ': 'z', 'h\xc3\xa9': '' }],
    ['a file of many chunks', { large: Buffer.alloc((SOAK ? 51 : 31) * MIB + 3, noise(MIB + 7)), small: 'x' }],
  ] as const) {
    test(name, (context) => {
      if (!hasProgram(context, 'mbstream', 'mariadb-backup')) return;
      const folder = folderOf(context, files);
      const words = Object.keys(files);
      const theirs = outputOf(context, folder, ['mbstream', '-c'], words);
      assert.ok(outputOf(context, folder, OURS, words).equals(theirs));
    });
  }

  test('with -C and -v', async (context) => {
    const folder = folderOf(context, { 'd/a': 'x' });
    const result = await run(['-cv', '-C', folder, 'd/a']);
    assert.deepEqual([result.code, result.stderr], [EXIT.ok, 'd/a\n']);
    assert.equal(result.stdout, file('d/a', 'x').toString('utf8'));
  });
});

describe('names', () => {
  test('lose what stands before the last ".." and leading slashes, and it is said', async (context) => {
    const folder = folderOf(context, { 'd/e/a': 'x', b: '' });
    const words = ['-c', '-C', join(folder, 'd'), 'e/../../b', join(folder, 'd/e/a')];
    const result = await run(words);
    assert.equal(result.code, EXIT.ok);
    assert.equal(result.stdout, archive(end('b'), file(`${folder.slice(1)}/d/e/a`, 'x')).toString());
    assert.match(result.stderr, /Removing leading `e\/\.\.\/\.\.\/' from member names/);
    assert.match(result.stderr, /Removing leading `\/' from member names/);
  });

  test('stay as they are with -P', async (context) => {
    const folder = folderOf(context, { b: '' });
    const result = await run(['-c', '-P', join(folder, 'b')]);
    assert.deepEqual([result.code, result.stdout], [EXIT.ok, end(`${folder}/b`).toString()]);
  });

  test('that two files would get are refused', async (context) => {
    const folder = folderOf(context, { b: '' });
    const result = await run(['-c', '-C', folder, 'b', './b']);
    assert.equal(result.code, EXIT.refused);
    assert.match(result.stderr, /two files would get the name b/);
  });

  test('that are too long for the format are refused', async (context) => {
    const folder = folderOf(context, { [`${'d'.repeat(250)}/${'e'.repeat(250)}/${'f'.repeat(20)}`]: '' });
    const result = await run(['create', '-C', folder, '.']);
    assert.equal(result.code, EXIT.refused);
    assert.match(result.stderr, /name is too long/);
  });
});

describe('create', () => {
  const files = { 'a-b': '1', 'a/c': '2', 'a/b/d': noise(100_000), a0: '', 'z\xff': noise(5) };

  test('takes directories with all that is in them, in the order of the bytes', async (context) => {
    const folder = folderOf(context, files);
    const path = join(tempDir(context), 'archive');
    const result = await run(['create', '-C', folder, '.', '-o', path, '-v']);
    assert.equal(result.code, EXIT.ok, result.stderr);
    assert.deepEqual(result.stdout.split('\n').slice(0, 5), ['a-b', 'a/b/d', 'a/c', 'a0', 'z\\xff']);
    assert.match(result.stdout, /wrote 5 files/);
    assert.deepEqual(await unpacked(context, path), readTree(folder));
    // mbstream makes no directories in directories.
    fs.rmSync(join(folder, 'a/b'), { recursive: true });
    assert.equal((await run(['create', '-q', '-C', folder, '.', '-o', path, '--overwrite'])).code, EXIT.ok);
    if (hasProgram(context, 'mbstream', 'mariadb-backup')) {
      assert.deepEqual(unpackedByMbstream(context, path), readTree(folder));
    }
    assert.deepEqual(fs.readdirSync(join(path, '..')), ['archive']);
  });

  for (const [separator, words] of [
    ['\n', []],
    ['\0', ['-0']],
  ] as const) {
    test(`--files-from - ${words.join('')}`, async (context) => {
      const folder = folderOf(context, files);
      const bytes = Buffer.from(['a0', 'z\xff', 'a'].join(separator), 'latin1');
      const path = join(tempDir(context), 'archive');
      const args = ['create', '-q', '-C', folder, 'a-b', '--files-from', '-', ...words, '-o', path];
      const result = await run(args, { stdin: { kind: 'pipe', bytes } });
      assert.deepEqual([result.code, result.stderr], [EXIT.ok, '']);
      const expected = archive(
        file('a-b', '1'),
        end('a0'),
        file('z\xff', files['z\xff']),
        file('a/b/d', files['a/b/d']),
        file('a/c', '2'),
      );
      assert.ok(fs.readFileSync(path).equals(expected));
    });
  }

  test('--sparse leaves holes, which we unpack', async (context) => {
    const holes = Buffer.concat([noise(8192), Buffer.alloc(25 * MIB), noise(10), Buffer.alloc(9000)]);
    const folder = folderOf(context, { holes, zeros: Buffer.alloc(50_000), data: noise(20_000) });
    const path = join(tempDir(context), 'archive');
    assert.equal((await run(['create', '-q', '--sparse', '-C', folder, '.', '-o', path])).code, EXIT.ok);
    assert.ok(fs.statSync(path).size < 50_000);
    assert.deepEqual(await unpacked(context, path), readTree(folder));
  });

  test('--chunk-size', async (context) => {
    const folder = folderOf(context, { a: noise(300_000) });
    const path = join(tempDir(context), 'archive');
    assert.equal((await run(['create', '-q', '--chunk-size=64K', '-C', folder, 'a', '-o', path])).code, EXIT.ok);
    assert.equal(fs.readFileSync(path, 'latin1').split('XBSTCK01\0P').length - 1, 5);
    assert.deepEqual(await unpacked(context, path), readTree(folder));
  });

  test('says what it cannot store', async (context) => {
    const folder = folderOf(context, { a: '' });
    fs.symlinkSync('a', join(folder, 'link'));
    const result = await run(['create', '-C', folder, '.', '-o', join(folder, 'archive')]);
    assert.equal(result.code, EXIT.refused);
    assert.match(result.stderr, /link is a symbolic link/);
    fs.rmSync(join(folder, 'link'));
    fs.writeFileSync(join(folder, '.b.partial'), 'half');
    fs.mkdirSync(join(folder, 'empty'));
    const server = createServer().listen(join(folder, 'socket'));
    await until('the socket comes', () => fs.existsSync(join(folder, 'socket')));
    const again = await run(['create', '-C', folder, '.', '-o', join(folder, 'archive')]);
    server.close();
    assert.equal(again.code, EXIT.ok);
    assert.match(again.stderr, /empty directory .*empty is not stored/);
    assert.match(again.stderr, /socket .*socket is not stored/);
    assert.match(again.stderr, /\.b\.partial is stored, though by its name an extraction has left it unfinished/);
  });
});

describe('an archive is whole or it is not there', () => {
  test('of a file that vanishes', async (context) => {
    const folder = folderOf(context, { a: 'x' });
    const path = join(folder, 'archive');
    const result = await run(['create', '-C', folder, 'a', 'gone', '-o', path]);
    assert.equal(result.code, EXIT.refused);
    assert.deepEqual(fs.readdirSync(folder), ['a']);
  });

  // A reader that takes its time makes the writer wait in the middle of the file.
  const changes = [
    ['grows', (path: string) => fs.appendFileSync(path, 'x')],
    ['shrinks', (path: string) => fs.truncateSync(path, 20 * MIB)],
    ['is written to', (path: string) => fs.writeFileSync(path, 'x', { flag: 'r+' })],
    ['is removed', (path: string) => fs.rmSync(path)],
    ['is replaced', (path: string) => fs.renameSync(`${path}.new`, path)],
  ] as const;
  for (const [name, change] of sampled(changes, 3, 1)) {
    test(`of a file that ${name} while it is read`, async (context) => {
      const folder = folderOf(context, { a: Buffer.alloc(40 * MIB, 'a'), 'a.new': 'new' });
      const path = join(folder, 'a');
      const { child, ended } = start(['-c', '-C', folder, 'a']);
      child.stdout!.pause();
      await until('it has begun to read', () => {
        try {
          return Number(/rchar: (\d+)/.exec(fs.readFileSync(`/proc/${child.pid!}/io`, 'latin1'))![1]) > 8 * MIB;
        } catch {
          return false;
        }
      });
      change(path);
      const parts: Buffer[] = [];
      child.stdout!.on('data', (part: Buffer) => parts.push(part));
      child.stdout!.resume();
      const result = await ended;
      assert.equal(result.code, EXIT.refused);
      assert.match(result.stderr, /a changed while it was read/);
      // Every reader must refuse what came.
      const broken = join(folder, 'broken');
      fs.writeFileSync(broken, Buffer.concat(parts));
      const reading = await run(['-x', '-C', tempDir(context)], { stdin: { kind: 'file', path: broken } });
      assert.equal(reading.code, EXIT.incomplete);
      if (!hasProgram(context, 'mbstream', 'mariadb-backup')) return;
      const stdin = fs.openSync(broken, 'r');
      assert.equal(
        spawnSync('mbstream', ['-x', '-C', tempDir(context)], { stdio: [stdin, 'ignore', 'ignore'] }).status,
        1,
      );
      fs.closeSync(stdin);
    });
  }

  test('and no older one is lost', async (context) => {
    const folder = folderOf(context, { a: 'x', archive: 'older' });
    const path = join(folder, 'archive');
    const refused = await run(['create', '-C', folder, 'a', '-o', path]);
    assert.equal(refused.code, EXIT.refused);
    assert.match(refused.stderr, /archive exists/);
    assert.equal((await run(['create', '-C', folder, 'gone', '-o', path, '--overwrite'])).code, EXIT.refused);
    assert.equal(fs.readFileSync(path, 'latin1'), 'older');
    assert.equal((await run(['create', '-C', folder, 'a', '-o', path, '--overwrite'])).code, EXIT.ok);
    assert.ok(fs.readFileSync(path).equals(file('a', 'x')));
    assert.deepEqual(fs.readdirSync(folder).sort(), ['a', 'archive']);
  });

  for (const signal of sampled(['SIGINT', 'SIGTERM', 'SIGHUP'] as const, 3)) {
    test(`after ${signal}`, async (context) => {
      const folder = tempDir(context);
      fs.closeSync(fs.openSync(join(folder, 'endless'), 'w'));
      fs.truncateSync(join(folder, 'endless'), 2 ** 42);
      // Holes all the way: it reads for longer than anybody waits, and writes next to nothing.
      const { child, ended } = start(['create', '--sparse', '-C', folder, 'endless', '-o', join(folder, 'archive')]);
      await until('it has begun', () => fs.existsSync(join(folder, '.archive.partial')));
      child.kill(signal);
      const result = await ended;
      assert.equal(result.signal, signal);
      assert.deepEqual(fs.readdirSync(folder), ['endless']);
    });
  }

  test('SIGTERM while the reader of stdout is silent', async (context) => {
    const folder = folderOf(context, { a: noise(MIB) });
    const { readFd, writeFd } = openPipe();
    const { child, ended } = start(['-c', '-C', folder, 'a'], {
      wrapper: ['sh', '-c', `exec "$@" > /proc/${process.pid}/fd/${writeFd}`, 'sh'],
    });
    fs.readSync(readFd, Buffer.alloc(1));
    child.kill('SIGTERM');
    const sent = performance.now();
    const result = await ended;
    assert.ok(performance.now() - sent < SOON_MS);
    assert.equal(result.signal, 'SIGTERM');
    fs.closeSync(readFd);
    fs.closeSync(writeFd);
  });

  test('a reader of stdout that goes away ends it without a word', async (context) => {
    const folder = folderOf(context, { a: noise(4 * MIB) });
    const { child, ended } = start(['-c', '-C', folder, 'a']);
    child.stdout!.once('data', () => child.stdout!.destroy());
    const result = await ended;
    assert.deepEqual([result.code, result.signal, result.stderr], [EXIT.refused, null, '']);
  });

  test('on a full disk', async (context) => {
    const folder = folderOf(context, { a: noise(MIB) });
    const result = await run(['create', '-C', folder, 'a', '-o', '/dev/full']);
    assert.equal(result.code, EXIT.refused);
    assert.match(result.stderr, /no space left/);
  });
});

test('a terminal is refused, and so are command lines that mean nothing', async (context) => {
  const folder = folderOf(context, { a: '' });
  const script = `${process.execPath} ${PROGRAM} create -C ${folder} a`;
  if (hasProgram(context, 'script', 'bsdutils')) {
    const { status, stdout } = spawnSync('script', ['-qec', script, '/dev/null'], { encoding: 'utf8' });
    assert.equal(status, EXIT.usage);
    assert.match(stdout, /stdout is a terminal/);
  }
  const meaningless = [
    ['-c'],
    ['create'],
    ['create', '-0', 'a'],
    ['create', '--json', 'a'],
    ['create', '--chunk-size=0', 'a'],
    ['create', '--chunk-size=2G', 'a'],
    ['-cx', 'a'],
  ];
  for (const words of sampled(meaningless, 3)) {
    assert.equal((await run(words, { cwd: folder })).code, EXIT.usage, words.join(' '));
  }
});

test('--json', async (context) => {
  const folder = folderOf(context, { a: 'xyz' });
  const result = await run(['create', '--json', '-C', folder, 'a', '-o', join(folder, 'archive')]);
  const outputBytes = file('a', 'xyz').length;
  const [line, summaryLine, ...others] = result.stdout.trimEnd().split('\n');
  assert.deepEqual([JSON.parse(line!), others], [{ type: 'file', path: 'a', bytes: 3 }, []]);
  const { elapsedSeconds, ...summary } = JSON.parse(summaryLine!) as Record<string, unknown>;
  assert.equal(typeof elapsedSeconds, 'number');
  const archiveBytes = outputBytes;
  assert.deepEqual(summary, { type: 'summary', ok: true, files: 1, bytes: 3, outputBytes, archiveBytes });
});

describe('create without files', { concurrency: true }, () => {
  test('is an error, unless that is expected', async (context) => {
    const directory = tempDir(context);
    fs.mkdirSync(join(directory, 'nothing'));
    const made = join(directory, 'made');
    const sources = [['nothing'], ['--files-from', '/dev/null'], ['--from-tar', 'none.tar']];
    for (const words of sampled(sources, 2)) {
      fs.writeFileSync(join(directory, 'none.tar'), Buffer.alloc(10_240));
      const called = ['create', '-q', ...words, '-o', made];
      const refused = await run(called, { cwd: directory });
      assert.equal(refused.code, EXIT.incomplete, refused.stderr);
      assert.match(refused.stderr, /there is no file to put into the archive/);
      assert.equal(fs.existsSync(made), false);
      assert.equal((await run([...called, '--allow-empty'], { cwd: directory })).code, EXIT.ok);
      assert.equal(fs.statSync(made).size, 0);
      fs.rmSync(made);
    }
  });

  test('a list that is none is not read for ever', async () => {
    const { code, stderr } = await run(['create', '-q', '--files-from', '/dev/zero', '-o', '/dev/null']);
    assert.equal(code, EXIT.refused);
    assert.match(stderr, /this is no list of names/);
  });

  test('a list whose names end in NUL bytes, and that is not said', async () => {
    const stdin = { kind: 'pipe', bytes: Buffer.from('a\0b\0') } as const;
    const { code, stderr } = await run(['create', '-q', '-T', '-', '-o', '/dev/null'], { stdin });
    assert.equal(code, EXIT.refused);
    assert.match(stderr, /this is no list of names\n.*NUL byte.*\n.*add -0/);
  });
});
