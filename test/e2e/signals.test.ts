/** A signal ends it within a second, and no unfinished file has its final name. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { archive, end, file, noise, payload, sparse } from '../helpers/archive-bytes.js';
import { start } from '../helpers/cli.js';
import { openPipe, openTcp } from '../helpers/pipes.js';
import { sampled } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { namesIn, readTree, treeOf } from '../helpers/tree.js';
import { SOON_MS, until, untilExists, untilListening, untilOpen } from '../helpers/wait.js';

const begun = archive(file('whole', 'all of it'), payload('d/a', 0, 'the first half, '), end('empty'));

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  describe(signal, () => {
    test('while stdin is silent', async (context) => {
      const target = tempDir(context);
      const { readFd, writeFd } = openPipe();
      const { child, ended } = start(['-x', '-C', target], { stdin: { kind: 'open', stdio: readFd } });
      fs.closeSync(readFd);
      fs.writeSync(writeFd, begun);
      await untilExists(join(target, 'd/.a.partial'));
      const sent = performance.now();
      child.kill(signal);
      const result = await ended;
      assert.ok(performance.now() - sent < SOON_MS);
      fs.closeSync(writeFd);
      assert.deepEqual([result.code, result.signal, result.stdout], [null, signal, '']);
      assert.match(result.stderr, new RegExp(`interrupted by ${signal}`));
      assert.deepEqual(readTree(target), treeOf({ whole: 'all of it', 'd/.a.partial': 'the first half, ' }));
    });

    test('while nothing has come at all', async (context) => {
      const target = tempDir(context);
      const { near, far, close } = await openTcp();
      const { child, ended } = start(['-x', '-C', target], { stdin: { kind: 'open', stdio: far } });
      await untilOpen(child.pid!, target);
      const sent = performance.now();
      child.kill(signal);
      const result = await ended;
      assert.ok(performance.now() - sent < SOON_MS);
      near.end();
      close();
      assert.deepEqual([result.code, result.signal], [null, signal]);
      assert.match(result.stderr, new RegExp(`interrupted by ${signal}`));
      assert.deepEqual(namesIn(target), []);
    });

    test('while stdin is busy', async (context) => {
      const target = tempDir(context);
      const path = join(tempDir(context), 'archive');
      // A file that goes on for longer than anybody waits, and files before and beside it.
      const fd = fs.openSync(path, 'w');
      const content = noise(8 * 2 ** 20);
      const small = Array.from({ length: 2000 }, (_, index) => file(`small/${index}`, noise(2000, index)));
      fs.writeSync(fd, archive(...small, payload('large', 0, content), payload('never', 0, 'x')));
      fs.writeSync(fd, payload('large', content.length, '', { payloadBytes: 2 ** 42 }));
      fs.ftruncateSync(fd, 2 ** 42);
      fs.closeSync(fd);
      const { child, ended } = start(['-x', '-C', target], { stdin: { kind: 'file', path } });
      await untilExists(join(target, '.never.partial'));
      const sent = performance.now();
      child.kill(signal);
      const result = await ended;
      assert.ok(performance.now() - sent < SOON_MS);
      assert.deepEqual([result.code, result.signal], [null, signal]);
      assert.equal(fs.existsSync(join(target, 'large')), false);
      const names = fs.readdirSync(target).sort();
      assert.deepEqual(names, ['.large.partial', '.never.partial', 'small']);
      assert.equal(fs.readdirSync(join(target, 'small')).length, 2000);
    });
  });
}

test('cat hears it while content goes to a file, which never makes it wait', async (context) => {
  const path = join(tempDir(context), 'archive');
  // Zeros for longer than anybody waits, out of a few bytes.
  const holes = Array.from({ length: 10_000 }, () => [0xffff_0000, 1] as const);
  fs.writeFileSync(path, archive(sparse('large', 0, holes, Buffer.alloc(holes.length)), end('large')));
  const nowhere = fs.openSync('/dev/null', 'w');
  const { child, ended } = start(['cat', path, 'large'], { stdout: nowhere });
  fs.closeSync(nowhere);
  const writtenBytes = (): number =>
    Number(/^wchar: (\d+)$/m.exec(fs.readFileSync(`/proc/${child.pid}/io`, 'latin1'))?.[1]);
  await until('it writes', () => writtenBytes() > 2 ** 26);
  child.kill('SIGTERM');
  const { signal, stderr } = await ended;
  assert.equal(signal, 'SIGTERM', stderr);
});

/** A zstd frame (format.md, section 5) of so many blocks of 128 KiB, of four bytes each. */
function zerosFrame(blocks: number): Buffer {
  const frame = Buffer.alloc(6 + 4 * blocks);
  frame.writeUInt32LE(0xfd2fb528, 0);
  frame[5] = 0x58; // a window of 2 MiB
  for (let block = 0; block < blocks; block += 1) {
    // Of one byte, repeated.
    frame.writeUIntLE((block === blocks - 1 ? 1 : 0) | (1 << 1) | ((128 << 10) << 3), 6 + 4 * block, 3);
  }
  return frame;
}

test('--remove-partial takes away what a signal leaves', async (context) => {
  const target = tempDir(context);
  const { readFd, writeFd } = openPipe();
  const args = ['extract', '-q', '-', '-C', target, '--remove-partial'];
  const { child, ended } = start(args, { stdin: { kind: 'open', stdio: readFd } });
  fs.closeSync(readFd);
  fs.writeSync(writeFd, begun);
  await untilExists(join(target, 'd/.a.partial'));
  child.kill('SIGTERM');
  const result = await ended;
  fs.closeSync(writeFd);
  assert.deepEqual(
    [result.signal, readTree(target)],
    ['SIGTERM', { ...treeOf({ whole: 'all of it' }), 'd/': 'empty directory' }],
  );
});

test('what is left after a signal is named', async (context) => {
  const target = tempDir(context);
  const { readFd, writeFd } = openPipe();
  const { child, ended } = start(['extract', '-', '-C', target], { stdin: { kind: 'open', stdio: readFd } });
  fs.closeSync(readFd);
  fs.writeSync(writeFd, begun);
  await untilExists(join(target, 'd/.a.partial'));
  child.kill('SIGINT');
  const { stderr, signal } = await ended;
  fs.closeSync(writeFd);
  assert.match(stderr, /d\/\.a\.partial/);
  assert.equal(signal, 'SIGINT');
});

describe('SIGUSR1: how far is it', () => {
  const ENDLESS = 2 ** 42;
  const whole = archive(begun, payload('d/a', 16, 'and the second'), end('d/a'));

  /** Resolves with the next line of status. */
  function statusOf(child: ChildProcess): Promise<string> {
    let told = '';
    return new Promise((resolve) => {
      child.stderr!.on('data', (bytes: Buffer) => {
        told += bytes.toString();
        const line = /^tsxbstream: .* elapsed.*\n/m.exec(told);
        if (line !== null) resolve(line[0]);
      });
    });
  }

  /** Asks until a line says what is expected of it: what was read may be told a moment later. */
  async function untilTold(child: ChildProcess, text: RegExp): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      const status = statusOf(child);
      child.kill('SIGUSR1');
      const line = await status;
      if (text.test(line)) return;
      assert.ok(tries < 100, line);
      await sleep(50);
    }
  }

  const verbs = [
    ['-x -C TARGET', /^tsxbstream: 1 file, \d+ B read, [\d.]+ B\/s, \d+:\d\d elapsed, at work on (empty|d\/a)$/m],
    ['extract - -q --json -C TARGET', / 1 file, .* at work on /],
    ['extract - -C TARGET --progress=always', / 1 file, .* at work on /],
    ['verify -', / 1 file, .* at work on /],
    ['tar -', / 0 files, .* at work on /],
    ['list -', / \d files, .* at work on /],
    ['info -', / \d files, .* at work on /],
    ['cat - whole', / 1 file, .* at work on /],
  ] as const;
  for (const [words, text] of sampled(verbs, 2)) {
    test(words, async (context) => {
      const target = tempDir(context);
      const { readFd, writeFd } = openPipe();
      const args = words.replace('TARGET', target).split(' ');
      const { child, ended } = start(args, { stdin: { kind: 'open', stdio: readFd } });
      fs.closeSync(readFd);
      fs.writeSync(writeFd, begun);
      await untilListening(child.pid!);
      await untilTold(child, text);
      fs.writeSync(writeFd, whole.subarray(begun.length));
      fs.closeSync(writeFd);
      const { code, signal, stderr } = await ended;
      assert.deepEqual([code, signal], [0, null], stderr);
      assert.doesNotMatch(stderr, /Debugger/);
    });
  }

  test('while the thread that works is busy', async (context) => {
    const path = join(tempDir(context), 'archive');
    const fd = fs.openSync(path, 'w');
    const head = archive(file('whole', 'x'), payload('large', 0, '', { payloadBytes: ENDLESS }));
    fs.writeSync(fd, head);
    fs.writeSync(fd, end('large'), 0, undefined, head.length + ENDLESS);
    fs.closeSync(fd);
    const calls = [
      ['verify', path],
      ['verify', path, '--deep'],
      ['-x', '-C', tempDir(context)],
      ['tar', path, '-o', '/dev/null'],
      ['create', path, '-o', '/dev/null'],
    ];
    for (const words of sampled(calls, 2)) {
      const { child, ended } = start(words, { stdin: { kind: 'file', path } });
      await untilListening(child.pid!);
      await untilTold(child, / [MGT]iB (of .* )?read, .* at work on /);
      child.kill('SIGTERM');
      const { signal, stderr } = await ended;
      assert.equal(signal, 'SIGTERM', stderr);
    }
  });

  test('while a small archive is looked into that holds far more than it has bytes', async (context) => {
    const path = join(tempDir(context), 'archive');
    fs.writeFileSync(path, file('zeros.zst', Buffer.concat(new Array<Buffer>(900).fill(zerosFrame(500)))));
    const { child, ended } = start(['verify', '--deep', path]);
    await untilListening(child.pid!);
    await untilTold(child, / at work on /);
    const sent = performance.now();
    child.kill('SIGINT');
    const { signal, stderr } = await ended;
    assert.ok(performance.now() - sent < SOON_MS);
    assert.equal(signal, 'SIGINT', stderr);
  });

  test('before there is anything to tell it does no harm', async (context) => {
    const { readFd, writeFd } = openPipe();
    const args = ['-x', '-C', tempDir(context)];
    const { child, ended } = start(args, { stdin: { kind: 'open', stdio: readFd } });
    fs.closeSync(readFd);
    await untilListening(child.pid!);
    child.kill('SIGUSR1');
    child.kill('SIGUSR1');
    fs.writeSync(writeFd, whole);
    fs.closeSync(writeFd);
    const { code, stderr } = await ended;
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /Debugger/);
  });
});

test('SIGQUIT: where it was, and what is left', async (context) => {
  for (const words of ['-x', 'extract -q -']) {
    const target = tempDir(context);
    const { readFd, writeFd } = openPipe();
    const noCore = ['sh', '-c', 'ulimit -c 0; exec "$@"', 'sh'];
    const args = [...words.split(' '), '-C', target];
    const { child, ended } = start(args, { stdin: { kind: 'open', stdio: readFd }, wrapper: noCore });
    fs.closeSync(readFd);
    fs.writeSync(writeFd, begun);
    await untilExists(join(target, 'd/.a.partial'));
    child.kill('SIGQUIT');
    const { signal, stderr } = await ended;
    fs.closeSync(writeFd);
    assert.equal(signal, 'SIGQUIT');
    assert.match(stderr, /^tsxbstream: .* read, .* elapsed/m);
    assert.match(stderr, /unfinished files were left: d\/\.a\.partial/);
    assert.match(stderr, /^tsxbstream: interrupted by SIGQUIT$/m);
  }
});
