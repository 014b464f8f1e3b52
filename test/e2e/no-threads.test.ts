/** A thread that cannot be started, or ends before its work, for want of memory or threads: told as that, and not as a bug. */
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import workerThreads from 'node:worker_threads';
import { canStreamZstd } from '../../dist/codec/zstd/zstd-stream.js';
import { decode } from '../../dist/index.js';
import { archive, file, noise } from '../helpers/archive-bytes.js';
import { run } from '../helpers/cli.js';
import { encode } from '../helpers/encoded-tree.js';
import { qpressFile } from '../helpers/layer-writers.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { hasProgram, isRoot } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { namesIn } from '../helpers/tree.js';

const helper = (name: string): string => fileURLToPath(new URL(`../helpers/${name}`, import.meta.url));
const DYING = `--import=${helper('dying-thread.js')}`;
const NO_MORE_THREADS = `--import=${helper('no-more-threads.js')}`;
/** Root has no such limit; what belongs to root must be there to be read all the same. */
const AS_SOMEBODY = [
  ...['setpriv', '--reuid=12345', '--regid=12345', '--clear-groups'],
  ...['--inh-caps=+dac_override', '--ambient-caps=+dac_override'],
];

const PARTS = [1, 2, 3, 4].map((number) => file(`d/f${number}.qp`, qpressFile(noise(300_000, number))));
const COMPRESSED = archive(...PARTS);

describe('the system allows no more threads (ulimit -u, a container)', { concurrency: true }, () => {
  for (const call of ['-x', 'extract -', 'verify -', 'create f -o made', 'tar - -o made']) {
    test(call, async (context) => {
      if (!isRoot(context) || !hasProgram(context, 'setpriv', 'util-linux')) return;
      const cwd = tempDir(context);
      writeFileSync(join(cwd, 'f'), 'x');
      chmodSync(cwd, 0o777);
      const options = { cwd, wrapper: AS_SOMEBODY, env: { NODE_OPTIONS: NO_MORE_THREADS } };
      const result = await run(call.split(' '), { ...options, stdin: { kind: 'pipe', bytes: COMPRESSED } });
      assertFailed(result, /^tsxbstream: the system allows no more threads\n/, /"ulimit -u"/);
      assert.deepEqual(namesIn(cwd), ['f']);
    });
  }
});

// With eight threads Node ends at once: "Fatal process OOM in Failed to reserve virtual memory".
test('where addresses are limited (ulimit -v) no more threads are started than there is room for', async (context) => {
  const cwd = tempDir(context);
  const contents = [1, 2, 3, 4, 5, 6, 7, 8].map((number) => noise(300_000, number));
  const bytes = archive(...contents.map((content, index) => file(`f${index}.qp`, qpressFile(content))));
  writeFileSync(join(cwd, 'archive'), bytes);
  const wrapper = ['sh', '-c', 'ulimit -c 0; ulimit -v 3000000; exec "$@"', 'sh'];
  const words = ['extract', '-q', 'archive', '-C', 'd', '--decompress', '--parallel=8'];
  assertEnded(await run(words, { cwd, wrapper }), EXIT.ok);
  assert.equal(namesIn(join(cwd, 'd')).length, contents.length);
});

describe('a thread of the program runs out of memory', { concurrency: true }, () => {
  for (const [thread, at] of [
    ['decode-helper-thread.js', '1'],
    ['decode-helper-thread.js', '3'],
  ] as const) {
    test(`${thread}, at message ${at}`, async (context) => {
      const target = tempDir(context);
      const env = {
        NODE_OPTIONS: `--max-old-space-size=60 ${DYING}`,
        ...{ DIES_THREAD: thread, DIES_AT: at, DIES_OF: 'memory' },
      };
      const stdin = { kind: 'pipe', bytes: COMPRESSED } as const;
      const result = await run(['-x', '--decompress', '--parallel=2', '-C', target], { stdin, env });
      assertFailed(result, /^tsxbstream: there is not enough memory\n/, /"ulimit -v"/);
    });
  }

  test('one that ends without a word', async (context) => {
    const env = { NODE_OPTIONS: DYING, DIES_THREAD: 'decode-helper-thread.js', DIES_AT: '1' };
    const stdin = { kind: 'pipe', bytes: COMPRESSED } as const;
    const result = await run(['-x', '--decompress', '--parallel=2', '-C', tempDir(context)], { stdin, env });
    assertFailed(
      result,
      /a thread of the program was ended before its work/,
      /a thread that decodes has ended/,
      /report/,
    );
  });
});

test('the thread that decodes zstd ends without a word: what is wrong with the file is told all the same', async (context) => {
  if (canStreamZstd()) {
    context.skip('this Node decodes zstd without a thread');
    return;
  }
  const env = { NODE_OPTIONS: DYING, DIES_THREAD: 'zstd-thread.js', DIES_AT: '1' };
  const damaged = Buffer.concat([encode('zstd', [noise(1000)])[0]!, Buffer.alloc(100, 'garbage')]);
  const stdin = { kind: 'pipe', bytes: archive(file('f.zst', damaged)) } as const;
  const result = await run(['-x', '--decompress', '--parallel=1', '-C', tempDir(context)], { stdin, env });
  assertEnded(result, EXIT.damaged, /no zstd frame where one should begin/);
});

function assertFailed(result: Awaited<ReturnType<typeof run>>, ...said: readonly RegExp[]): void {
  // V8 says on stderr, too, what it has run out of.
  const stderr = result.stderr.slice(Math.max(0, result.stderr.indexOf('tsxbstream: ')));
  assertEnded({ ...result, stderr }, EXIT.refused, ...said);
}

test('decode(), and no second thread: the first one is at no file any more when that is told', async (context) => {
  const directory = tempDir(context);
  const content = noise(3_000_000);
  for (const name of ['a', 'b', 'c', 'd']) writeFileSync(join(directory, `${name}.qp`), qpressFile(content));
  const { Worker } = workerThreads;
  const ends: Promise<unknown>[] = [];
  context.after(() => {
    workerThreads.Worker = Worker;
    syncBuiltinESMExports();
  });
  workerThreads.Worker = class extends Worker {
    constructor(...words: ConstructorParameters<typeof Worker>) {
      if (ends.length === 1) throw new Error('no more threads');
      super(...words);
      ends.push(once(this, 'exit'));
    }
  };
  syncBuiltinESMExports();
  await assert.rejects(decode(directory, { parallel: 2 }), { message: 'no more threads' });
  const told = namesIn(directory);
  await Promise.all(ends);
  assert.deepEqual(namesIn(directory), told);
});
