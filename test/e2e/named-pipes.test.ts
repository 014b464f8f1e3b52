/** `--fifo-streams`: an archive that comes through several named pipes. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { archive, end, file, noise, payload } from '../helpers/archive-bytes.js';
import { run, start, type Running } from '../helpers/cli.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { hasProgram, sampled } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { namesIn, readTree, treeOf, writeTree } from '../helpers/tree.js';
import { SOON_MS, untilExists, untilOpen } from '../helpers/wait.js';

const KEY = '0123456789abcdef0123456789ABCDEF';

function makePipes(context: TestContext, count: number): { directory: string; paths: string[] } {
  const directory = tempDir(context);
  const paths = Array.from({ length: count }, (_, index) => join(directory, `thread_${index}`));
  execFileSync('mkfifo', paths);
  return { directory, paths };
}

function unpack(directory: string, count: number, target: string, ...more: string[]): Running {
  return start(['-x', `--fifo-streams=${count}`, `--fifo-dir=${directory}`, '-C', target, ...more]);
}

/** Writes pieces of these sizes at a time, and then closes the pipe. That the reader goes away is no matter. */
async function write(path: string, bytes: Buffer, sizes: readonly number[] = [bytes.length]): Promise<void> {
  const pipe = await fs.promises.open(path, 'w');
  try {
    for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
      const size = sizes[turn % sizes.length]!;
      await pipe.write(bytes, at, Math.min(size, bytes.length - at));
      at += size;
    }
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'EPIPE');
  } finally {
    await pipe.close();
  }
}

describe('named pipes', { concurrency: true }, () => {
  test('what mbstream writes through each becomes one directory', async (context) => {
    if (!hasProgram(context, 'mbstream', 'mariadb-backup')) return;
    const from = tempDir(context);
    const files = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`f${index}`, noise(index * 20_011, index)] as const),
    );
    writeTree(from, files);
    const { directory, paths } = makePipes(context, 3);
    const target = tempDir(context);
    const { ended } = unpack(directory, 3, target);
    const names = Object.keys(files);
    const writers = paths.map((path, index) => {
      const own = names.filter((_, at) => at % 3 === index).map((name) => `'${name}'`);
      return once(spawn('sh', ['-c', `mbstream -c ${own.join(' ')} > ${path}`], { cwd: from }), 'close');
    });
    assertEnded(await ended, EXIT.ok);
    assert.deepEqual(
      (await Promise.all(writers)).map(([code]) => code as number),
      [0, 0, 0],
    );
    assert.deepEqual(readTree(target), treeOf(files));
  });

  test('chunks that come in pieces, from all of them at the same time', async (context) => {
    const contents = [noise(900_000, 1), noise(700_000, 2), noise(500_000, 3), noise(300_000, 4)];
    const { directory, paths } = makePipes(context, contents.length);
    const target = tempDir(context);
    const { ended } = unpack(directory, contents.length, target);
    const sizes = [[1, 7, 50_000], [65_536], [13, 100_001], [40_000, 3]];
    await Promise.all(
      paths.map((path, index) => {
        const bytes = archive(file(`d/${index}`, contents[index]!, 70_000), file(`small/${index}`, `${index}`));
        return write(path, bytes, sizes[index]);
      }),
    );
    assertEnded(await ended, EXIT.ok);
    const whole = Object.fromEntries<Buffer | string>([
      ...contents.map((content, index) => [`d/${index}`, content] as const),
      ...contents.map((_, index) => [`small/${index}`, `${index}`] as const),
    ]);
    assert.deepEqual(readTree(target), treeOf(whole));
  });

  test('layers are undone', async (context) => {
    const { directory, paths } = makePipes(context, 2);
    const target = tempDir(context);
    const { ended } = unpack(directory, 2, target, '--decompress', '--decrypt=AES256', `--encrypt-key=${KEY}`);
    const [first, second] = paths;
    await Promise.all([
      write(first!, fs.readFileSync('samples/percona-zstd-aes256.xbstream'), [10_000]),
      write(second!, archive(file('plain', 'x'))),
    ]);
    assertEnded(await ended, EXIT.ok);
    const alone = tempDir(context);
    const words = ['--decompress', '--decrypt=AES256', `--encrypt-key=${KEY}`];
    const stdin = { kind: 'file', path: 'samples/percona-zstd-aes256.xbstream' } as const;
    assertEnded(await run(['-x', '-C', alone, ...words], { stdin }), EXIT.ok);
    assert.deepEqual(readTree(target), { ...readTree(alone), ...treeOf({ plain: 'x' }) });
  });

  test('pipes that are made later, and opened one after the other by who waits for us', async (context) => {
    const directory = tempDir(context);
    const target = tempDir(context);
    const { ended } = unpack(directory, 2, target);
    await sleep(300);
    const paths = [join(directory, 'thread_0'), join(directory, 'thread_1')];
    const writers: fs.promises.FileHandle[] = [];
    for (const path of paths) {
      execFileSync('mkfifo', [path]);
      writers.push(await fs.promises.open(path, 'w'));
    }
    for (const [index, writer] of writers.entries()) {
      await writer.write(archive(file(`f${index}`, 'x')));
      await writer.close();
    }
    assertEnded(await ended, EXIT.ok);
    assert.deepEqual(readTree(target), treeOf({ f0: 'x', f1: 'x' }));
  });

  test('one that ends inside a chunk is named, and no file of it has its name', async (context) => {
    const { directory, paths } = makePipes(context, 2);
    const target = tempDir(context);
    const { ended } = unpack(directory, 2, target);
    const cut = archive(file('a', noise(100_000))).subarray(0, 60_000);
    await Promise.all([write(paths[0]!, cut), write(paths[1]!, archive(file('b', 'x')))]);
    const said = [
      /is cut short inside a$/m,
      /thread_0 has ended after 60000 bytes; \d+ bytes of this chunk are missing/,
    ];
    assertEnded(await ended, EXIT.incomplete, ...said);
    assert.ok(!namesIn(target).includes('a'));
  });

  test('one that ends inside a header, or without an end chunk', async (context) => {
    const cuts = [
      [archive(file('a', 'x'), payload('b', 0, 'x').subarray(0, 20)), /a pipe ends inside the header of a chunk/],
      [archive(payload('a', 0, 'x')), /ends before a is complete/],
    ] as const;
    for (const [bytes, said] of sampled(cuts, 2)) {
      const { directory, paths } = makePipes(context, 2);
      const target = tempDir(context);
      const { ended } = unpack(directory, 2, target);
      await Promise.all([write(paths[0]!, bytes), write(paths[1]!, archive(file('c', 'x')))]);
      assertEnded(await ended, EXIT.incomplete, said);
    }
  });

  test('damage is told with the pipe it came through', async (context) => {
    const damages = [
      [archive(payload('a', 0, 'content', { crc: 1 }), end('a')), /checksum/],
      [Buffer.from('this is a message of some program\n'), /begins with text|no chunk/],
    ] as const;
    for (const [bytes, said] of sampled(damages, 2)) {
      const { directory, paths } = makePipes(context, 2);
      const { ended } = unpack(directory, 2, tempDir(context));
      await Promise.all([write(paths[0]!, archive(file('b', 'x'))), write(paths[1]!, bytes)]);
      assertEnded(await ended, EXIT.damaged, said, /it came through .*thread_1; archive bytes are those of all pipes/);
    }
  });

  test('nothing through one of them is no success, unless it may be', async (context) => {
    for (const [words, code] of [
      [[], EXIT.incomplete],
      [['--allow-empty'], EXIT.ok],
    ] as const) {
      const { directory, paths } = makePipes(context, 2);
      const target = tempDir(context);
      const { ended } = unpack(directory, 2, target, ...words);
      const silent = await fs.promises.open(paths[1]!, 'w');
      await write(paths[0]!, archive(file('a', 'x')));
      await untilExists(join(target, 'a'));
      await silent.close();
      assertEnded(await ended, code, ...(code === EXIT.ok ? [] : [/nothing has come through .*thread_1/]));
      assert.deepEqual(readTree(target), treeOf({ a: 'x' }));
    }
  });

  test('nobody who writes', async (context) => {
    const { directory, paths } = makePipes(context, 2);
    const words = ['--fifo-timeout=1'];
    const hint = /waited 1 s; 2 of 2 pipes have no writer/;
    assertEnded(
      await unpack(directory, 2, tempDir(context), ...words).ended,
      EXIT.refused,
      /nobody writes to .*_0/,
      hint,
    );
    fs.unlinkSync(paths[0]!);
    assertEnded(await unpack(directory, 2, tempDir(context), ...words).ended, EXIT.refused, /there is no .*_0/, hint);
    fs.writeFileSync(paths[0]!, archive(file('a', 'x')));
    assertEnded(await unpack(directory, 2, tempDir(context)).ended, EXIT.refused, /thread_0 is no named pipe/);
  });

  test('one stream is stdin', async (context) => {
    const target = tempDir(context);
    const stdin = { kind: 'pipe', bytes: archive(file('a', 'x')) } as const;
    assertEnded(await run(['-x', '--fifo-streams=1', '--fifo-dir=/none', '-C', target], { stdin }), EXIT.ok);
    assert.deepEqual(readTree(target), treeOf({ a: 'x' }));
  });

  for (const isWriting of [false, true]) {
    test(`a signal ${isWriting ? 'while they are silent' : 'while nobody writes'}`, async (context) => {
      const { directory, paths } = makePipes(context, 2);
      const target = tempDir(context);
      const { child, ended } = unpack(directory, 2, target);
      const writers: fs.promises.FileHandle[] = [];
      if (isWriting) {
        for (const path of paths) writers.push(await fs.promises.open(path, 'w'));
        await writers[0]!.write(archive(payload('a', 0, 'x')));
        await untilExists(join(target, '.a.partial'));
      } else {
        await untilOpen(child.pid!, target);
      }
      const sent = performance.now();
      child.kill('SIGTERM');
      const { code, signal, stderr } = await ended;
      assert.ok(performance.now() - sent < SOON_MS);
      assert.match(stderr, /interrupted by SIGTERM/);
      assert.deepEqual([code, signal], [null, 'SIGTERM']);
      assert.deepEqual(namesIn(target), isWriting ? ['.a.partial'] : []);
      for (const writer of writers) await writer.close();
    });
  }
});
