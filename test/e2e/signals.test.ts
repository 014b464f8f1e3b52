/** A signal ends it within a second, and no unfinished file has its final name. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { archive, end, file, noise, payload } from '../helpers/archive-bytes.js';
import { start } from '../helpers/cli.js';
import { openPipe, openTcp } from '../helpers/pipes.js';
import { tempDir } from '../helpers/temp.js';
import { namesIn, readTree, treeOf } from '../helpers/tree.js';
import { untilExists, untilOpen } from '../helpers/wait.js';

/** What the promise says, and what a busy machine may add to it. */
const MOST_MILLISECONDS = 1000 + 500;

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
      assert.ok(performance.now() - sent < MOST_MILLISECONDS);
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
      assert.ok(performance.now() - sent < MOST_MILLISECONDS);
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
      assert.ok(performance.now() - sent < MOST_MILLISECONDS);
      assert.deepEqual([result.code, result.signal], [null, signal]);
      assert.equal(fs.existsSync(join(target, 'large')), false);
      const names = fs.readdirSync(target).sort();
      assert.deepEqual(names, ['.large.partial', '.never.partial', 'small']);
      assert.equal(fs.readdirSync(join(target, 'small')).length, 2000);
    });
  });
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
