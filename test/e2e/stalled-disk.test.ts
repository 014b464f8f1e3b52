/**
 * A call of the system that does not return for minutes (a disk, an NFS server) delays the work and changes nothing else:
 * what was lent to the thread that is in that call is not taken back before.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { archive, end, file, noise, payload } from '../helpers/archive-bytes.js';
import { start, type RunResult } from '../helpers/cli.js';
import { qpressBlock, qpressHeader, QPRESS_TRAILER } from '../helpers/layer-writers.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { feed, openPipe } from '../helpers/pipes.js';
import { sampled } from '../helpers/programs.js';
import { storeQuickLz } from '../helpers/quicklz-encoder.js';
import { tempDir } from '../helpers/temp.js';
import { namesIn, readTree, treeOf } from '../helpers/tree.js';
import { untilExists, untilListening } from '../helpers/wait.js';

const MIB = 2 ** 20;
const BLOCK_BYTES = 65_536;
const DYING = fileURLToPath(new URL('../helpers/dying-thread.js', import.meta.url));
const STALLING = fileURLToPath(new URL('../helpers/stalling-call.js', import.meta.url));

interface Stall {
  thread: string;
  call: string;
  at: number;
  then?: 'go on' | 'die' | 'gate';
}

/** Has a call of one of the program's threads stall. */
class StalledRun {
  readonly signs: string;
  readonly env: NodeJS.ProcessEnv;

  constructor(context: TestContext, { thread, call, at, then = 'go on' }: Stall) {
    this.signs = tempDir(context);
    this.env = {
      NODE_OPTIONS: `--import=${STALLING}`,
      STALL_THREAD: thread,
      STALL_CALL: call,
      STALL_AT: String(at),
      STALL_THEN: then,
      STALL_SIGNS: this.signs,
    };
  }

  /** Gives the program `first`, and `rest` when the thread is there that is to stall. */
  async extract(
    words: readonly string[],
    first: Buffer,
    rest: Buffer,
    wrapper?: readonly string[],
  ): Promise<RunResult> {
    const { readFd, writeFd } = openPipe();
    const options = { stdin: { kind: 'open', stdio: readFd }, env: this.env } as const;
    const { ended } = start(words, wrapper === undefined ? options : { ...options, wrapper });
    fs.closeSync(readFd);
    const fed = new Promise<void>((resolve) => {
      fs.write(writeFd, first, () => resolve());
    });
    await Promise.race([fed, ended]);
    await Promise.race([untilExists(join(this.signs, 'begun')), ended]);
    await Promise.race([feed(writeFd, rest), ended]);
    return ended;
  }

  /** It has come to what is to be tested: somebody has waited for the call, and for longer than any limit that he has. */
  assertWaited(): void {
    assert.ok(fs.existsSync(join(this.signs, 'stalled')), 'the call was not made');
    assert.ok(fs.existsSync(join(this.signs, 'waited')), 'nobody has waited for it');
  }
}

/** A thread that dies is nothing that can be foreseen: it counts that the run ends, and says so. */
function assertFailed({ code, stderr }: RunResult, text: RegExp): void {
  assert.equal(code, EXIT.refused, stderr);
  assert.match(stderr, text);
}

/** Stored as it is: what counts here is who writes it. */
function qpress(content: Buffer): Buffer {
  const parts = [qpressHeader(BLOCK_BYTES)];
  for (let at = 0; at < content.length; at += BLOCK_BYTES) {
    parts.push(qpressBlock(storeQuickLz(content.subarray(at, at + BLOCK_BYTES)), at));
  }
  return Buffer.concat([...parts, QPRESS_TRAILER]);
}

describe('many files that are decoded at a time, and few descriptors', () => {
  const FILES = 40;
  const content = Array.from({ length: FILES }, (_, index) => noise(0.6 * MIB, index));
  const stored = content.map(qpress);
  const ROUND_BYTES = Math.floor(0.15 * MIB);
  const rounds = Array.from({ length: 5 }, (_, round) =>
    stored.map((bytes, index) => {
      const at = round * ROUND_BYTES;
      return at < bytes.length ? payload(`f${index}.qp`, at, bytes.subarray(at, at + ROUND_BYTES)) : Buffer.alloc(0);
    }),
  );
  const bytes = archive(...rounds.flat(), ...content.map((_, index) => end(`f${index}.qp`)));
  const wrapper = ['sh', '-c', 'ulimit -n 48; exec "$@"', 'sh'];
  const extract = (target: string, env: NodeJS.ProcessEnv): Promise<RunResult> => {
    const words = ['-x', '-C', target, '--decompress', '--parallel=2'];
    return start(words, { stdin: { kind: 'pipe', bytes }, env, wrapper }).ended;
  };

  test('nothing is written by a thread that does not have the file: each gets its own content', async (context) => {
    const target = tempDir(context);
    assertEnded(await extract(target, {}), EXIT.ok);
    const right = treeOf(Object.fromEntries(content.map((own, index) => [`f${index}`, own])));
    assert.deepEqual(readTree(target), right);
  });

  for (const at of sampled([1, 30, 100], 3, 1)) {
    test(`if a thread that decodes dies at message ${at}, the run ends, and nothing has its final name`, async (context) => {
      const target = tempDir(context);
      const env = { NODE_OPTIONS: `--import=${DYING}`, DIES_THREAD: 'decode-helper-thread.js', DIES_AT: String(at) };
      const { code, stderr } = await extract(target, env);
      assert.equal(code, EXIT.refused, stderr);
      assert.match(stderr, /a thread that decodes has ended/);
      assert.deepEqual(
        namesIn(target).filter((name) => !name.endsWith('.partial')),
        [],
      );
    });
  }
});

describe('a write of the writing thread', () => {
  const [first, second] = [noise(12 * MIB, 1), noise(24 * MIB, 2)];
  const words = ['--parallel=3'];

  test('what is written meanwhile and afterwards is right', async (context) => {
    const target = tempDir(context);
    const run = new StalledRun(context, { thread: 'write-thread.js', call: 'writeSync', at: 3 });
    const stored = archive(file('second', second, 3 * MIB), file('third', 'x'));
    const result = await run.extract(['-x', '-C', target, ...words], file('first', first, MIB), stored);
    assertEnded(result, EXIT.ok);
    run.assertWaited();
    assert.deepEqual(readTree(target), treeOf({ first, second, third: 'x' }));
  });

  test('if the thread dies instead, the run ends, and what is not written has no final name', async (context) => {
    const target = tempDir(context);
    const run = new StalledRun(context, { thread: 'write-thread.js', call: 'writeSync', at: 3, then: 'die' });
    const stored = file('second', second, 3 * MIB);
    const result = await run.extract(['-x', '-C', target, ...words], file('first', first, MIB), stored);
    assertFailed(result, /writing thread has ended/);
    // On a busy machine it may be the first one that the thread was at work on.
    const whole = namesIn(target).filter((name) => !name.endsWith('.partial'));
    assert.ok(!whole.includes('second'));
    for (const name of whole) assert.equal(readTree(target)[name], treeOf({ first })[name]);
  });
});

test('an aborted extract of the library has ended only when its thread uses no descriptor any more', (context) => {
  const directory = tempDir(context);
  const path = join(directory, 'archive');
  fs.writeFileSync(path, file('f', noise(MIB, 1)));
  const run = new StalledRun(context, { thread: 'unpack.js', call: 'writeSync', at: 1, then: 'gate' });
  const gate = join(run.signs, 'gate');
  execFileSync('mkfifo', [gate]);
  const script = `
    import * as fs from 'node:fs';
    import { setTimeout as sleep } from 'node:timers/promises';
    import { extract } from ${JSON.stringify(import.meta.resolve('tsxbstream'))};
    const stop = new AbortController();
    const fd = fs.openSync(${JSON.stringify(path)}, 'r');
    let ended = 'not yet';
    const done = extract(fd, ${JSON.stringify(join(directory, 'target'))}, { signal: stop.signal }).catch((error) => {
      ended = error.name;
    });
    while (!fs.existsSync(${JSON.stringify(join(run.signs, 'stalled'))})) await sleep(10);
    stop.abort();
    // Longer than a thread is given that is told to stop.
    await sleep(1200);
    const before = ended;
    fs.closeSync(fs.openSync(${JSON.stringify(gate)}, 'w'));
    await done;
    console.log(before, ended);
  `;
  const words = ['--input-type=module', '-e', script];
  const { stdout, stderr } = spawnSync(process.execPath, words, {
    env: { ...process.env, ...run.env },
    encoding: 'utf8',
  });
  assert.deepEqual([stdout, stderr], ['not yet AbortError\n', '']);
});

test('a verb that waits for the other end of a named pipe can be stopped', async (context) => {
  const directory = tempDir(context);
  execFileSync('mkfifo', [join(directory, 'pipe')]);
  fs.writeFileSync(join(directory, 'archive'), file('f', 'x'));
  for (const words of ['list pipe', 'extract pipe -C target', 'create archive -o pipe', 'tar archive -o pipe']) {
    const said: string[] = [];
    // On a busy machine it may not have got as far as to wait for the other end: then another run has to show it.
    while (said.length < 5 && said.at(-1) !== 'tsxbstream: interrupted by SIGINT\n') {
      const { child, ended } = start(words.split(' '), { cwd: directory });
      await untilListening(child.pid!);
      child.kill('SIGINT');
      const { signal, stderr } = await ended;
      assert.equal(signal, 'SIGINT', words);
      said.push(stderr);
    }
    assert.equal(said.at(-1), 'tsxbstream: interrupted by SIGINT\n', words);
  }
});

test('SIGQUIT while a disk does not answer: the file, and that it may be left unfinished', async (context) => {
  const directory = tempDir(context);
  const path = join(directory, 'archive');
  fs.writeFileSync(path, archive(file('whole', 'x'), file('d/large', noise(MIB, 1))));
  const run = new StalledRun(context, { thread: 'unpack.js', call: 'writeSync', at: 2, then: 'gate' });
  execFileSync('mkfifo', [join(run.signs, 'gate')]);
  const wrapper = ['sh', '-c', 'ulimit -c 0; exec "$@"', 'sh'];
  const { child, ended } = start(['extract', path, '-C', directory], { env: run.env, wrapper });
  await untilExists(join(run.signs, 'stalled'));
  child.kill('SIGUSR1');
  child.kill('SIGQUIT');
  const { signal, stderr } = await ended;
  assert.equal(signal, 'SIGQUIT');
  assert.match(
    stderr,
    /interrupted by SIGQUIT\n {2}it was at work on d\/large\n {2}it did not stop in time: unfinished/,
  );
});
