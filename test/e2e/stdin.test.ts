/** Whatever stdin may be. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { archive, file, noise, payload } from '../helpers/archive-bytes.js';
import { PROGRAM, run, start } from '../helpers/cli.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { openPipe, openTcp } from '../helpers/pipes.js';
import { hasProgram, sampled } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { untilExists } from '../helpers/wait.js';
import { namesIn, readTree, treeOf } from '../helpers/tree.js';

const content = noise(3_000_000);
const bytes = archive(file('a', content, 700_000), file('d/b', 'x'));
const tree = treeOf({ a: content, 'd/b': 'x' });

describe('stdin', { concurrency: true }, () => {
  for (const kind of ['pipe', 'non-blocking-pipe', 'socket'] as const) {
    test(kind, async (context) => {
      const target = tempDir(context);
      assertEnded(await run(['-x', '-C', target], { stdin: { kind, bytes } }), EXIT.ok);
      assert.deepEqual(readTree(target), tree);
    });
  }

  test('a regular file', async (context) => {
    const path = join(tempDir(context), 'archive');
    fs.writeFileSync(path, bytes);
    const target = tempDir(context);
    assertEnded(await run(['-x', '-C', target], { stdin: { kind: 'file', path } }), EXIT.ok);
    assert.deepEqual(readTree(target), tree);
  });

  test('a regular file, from where it stands', async (context) => {
    const path = join(tempDir(context), 'archive');
    fs.writeFileSync(path, Buffer.concat([Buffer.alloc(12_345, 'something else'), bytes]));
    const target = tempDir(context);
    assertEnded(await run(['-x', '-C', target], { stdin: { kind: 'file', path, from: 12_345 } }), EXIT.ok);
    assert.deepEqual(readTree(target), tree);
    const other = tempDir(context);
    const args = ['extract', '-q', '-', 'd/b', '-C', other];
    assertEnded(await run(args, { stdin: { kind: 'file', path, from: 12_345 } }), EXIT.ok);
    assert.deepEqual(readTree(other), treeOf({ 'd/b': 'x' }));
  });

  test('a regular file that stands at its end', async (context) => {
    const path = join(tempDir(context), 'archive');
    fs.writeFileSync(path, bytes);
    const result = await run(['-x', '-C', tempDir(context)], { stdin: { kind: 'file', path, from: bytes.length } });
    assertEnded(result, EXIT.incomplete, /empty/);
  });

  test('a TCP connection', async (context) => {
    const target = tempDir(context);
    const { near, far, close } = await openTcp();
    const { ended } = start(['-x', '-C', target], { stdin: { kind: 'open', stdio: far } });
    near.end(bytes);
    assertEnded(await ended, EXIT.ok);
    close();
    assert.deepEqual(readTree(target), tree);
  });

  test('a TCP connection that is reset while it is read', async (context) => {
    const target = tempDir(context);
    const { near, far, close } = await openTcp();
    const { ended } = start(['-x', '-C', target], { stdin: { kind: 'open', stdio: far } });
    near.write(archive(file('whole', 'x'), payload('a', 0, 'x')));
    await untilExists(join(target, '.a.partial'));
    near.resetAndDestroy();
    const result = await ended;
    close();
    assertEnded(result, EXIT.refused, /cannot read stdin.*ECONNRESET/);
    assert.deepEqual(namesIn(target), ['.a.partial', 'whole']);
  });

  test('a TCP connection that is reset before it is read: no success, though what has come is whole', async (context) => {
    const target = tempDir(context);
    const { near, far, close } = await openTcp();
    await new Promise<void>((resolve) => near.write(file('whole', 'x'), () => resolve()));
    await sleep(50);
    near.resetAndDestroy();
    await sleep(50);
    const result = await run(['-x', '-C', target], { stdin: { kind: 'open', stdio: far } });
    close();
    assertEnded(result, EXIT.refused, /cannot read stdin.*ECONNRESET/);
  });

  test('/dev/null', async (context) => {
    const stdin = { kind: 'file', path: '/dev/null' } as const;
    assertEnded(await run(['-x', '-C', tempDir(context)], { stdin }), EXIT.incomplete, /empty/);
  });

  test('/dev/zero', async (context) => {
    const stdin = { kind: 'file', path: '/dev/zero' } as const;
    assertEnded(await run(['-x', '-C', tempDir(context)], { stdin }), EXIT.damaged, /no xbstream archive/);
  });

  test('a named pipe by its path', async (context) => {
    const path = join(tempDir(context), 'pipe');
    execFileSync('mkfifo', [path]);
    const target = tempDir(context);
    const { ended } = start(['extract', '-q', path, '-C', target]);
    fs.createWriteStream(path).end(bytes);
    assertEnded(await ended, EXIT.ok);
    assert.deepEqual(readTree(target), tree);
  });

  test('a terminal is refused with a hint', async (context) => {
    if (!hasProgram(context, 'script', 'bsdutils')) return;
    const target = tempDir(context);
    for (const words of sampled([['-x'], ['extract']], 2)) {
      const command = [process.execPath, PROGRAM, ...words, '-C', target].map((word) => `'${word}'`).join(' ');
      const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
      let shown = '';
      child.stdout.on('data', (part: Buffer) => (shown += part.toString()));
      const [code] = (await once(child, 'close')) as [number];
      assert.match(shown, /stdin is a terminal/);
      assert.match(shown, /< ARCHIVE|extract ARCHIVE/);
      assert.equal(code, EXIT.usage);
    }
    assert.deepEqual(namesIn(target), []);
  });

  test('that the program does not read to its end is told by its exit code, not by a hang', async (context) => {
    const { readFd, writeFd } = openPipe();
    const { ended } = start(['-x', '-C', tempDir(context)], { stdin: { kind: 'open', stdio: readFd } });
    fs.closeSync(readFd);
    fs.writeSync(writeFd, 'this is a message of some program, and it does not close its pipe\n');
    assertEnded(await ended, EXIT.damaged, /begins with text/);
    fs.closeSync(writeFd);
  });
});

describe('what begins with something else is named', { concurrency: true }, () => {
  const others = [
    ['tar', `${'name\0'.padEnd(257, '\0')}ustar\0${'\0'.repeat(250)}`, /tar archive/],
    ['openssl', 'Salted__12345678', /openssl/],
    ['a message', 'mariabackup: Error: cannot connect to the server\n', /text/],
    ['zeros', '\0'.repeat(600), /zeros/],
    ['noise', '\x01\x80\xfe\x02\x03\x80\xff\x04\x05', /no xbstream archive/],
  ] as const;
  for (const [name, start, said] of sampled(others, 2)) {
    test(name, async (context) => {
      const stdin = { kind: 'pipe', bytes: Buffer.from(start, 'latin1') } as const;
      assertEnded(await run(['-x', '-C', tempDir(context)], { stdin }), EXIT.damaged, said);
    });
  }
});
