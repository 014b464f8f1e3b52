import assert from 'node:assert/strict';
import { test } from 'node:test';
import { XbstreamError } from '../../dist/errors.js';
import type { DecodeJob, JobOutput, JobRunner } from '../../dist/codec/codec.js';
import { DecodeBudget } from '../../dist/codec/decode-budget.js';
import { DecodeChain } from '../../dist/codec/decode-chain.js';
import { runJob } from '../../dist/codec/run-job.js';
import { decode, FIXTURE_KEYS, laterRunner } from '../helpers/decode.js';
import { qpressFile, xbcryptFile } from '../helpers/layer-writers.js';

const KEY = FIXTURE_KEYS['AES256']!;
const CONTENT = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * i) >>> 11));
const FILE = qpressFile(CONTENT);

/** A runner whose jobs are done when the test says so. */
class HeldRunner {
  readonly held: { job: DecodeJob; finish: (failure?: Error) => void }[] = [];
  released = 0;

  readonly run: JobRunner = (job) =>
    new Promise<JobOutput>((resolve, reject) => {
      const finish = (failure?: Error) => {
        if (failure) {
          reject(failure);
          return;
        }
        const pieces: Buffer[] = [];
        void runJob(job, (piece) => pieces.push(Buffer.from(piece)));
        resolve({ pieces, release: () => this.released++ });
      };
      this.held.push({ job, finish });
    });
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('layers that are done in this thread need no promise at all', () => {
  const pieces: Buffer[] = [];
  const chain = new DecodeChain({
    layers: ['xbcrypt', 'qpress'],
    key: KEY,
    output: (piece) => pieces.push(Buffer.from(piece)),
  });
  const file = xbcryptFile(FILE, KEY);
  for (let at = 0; at < file.length; at += 100_000) {
    chain.push(file.subarray(at, at + 100_000));
    assert.equal(chain.ready(), undefined);
  }
  assert.equal(chain.end(), undefined);
  assert.ok(Buffer.concat(pieces).equals(CONTENT));
});

test('output comes in order, whichever job is done first', async () => {
  const runner = new HeldRunner();
  const pieces: Buffer[] = [];
  const chain = new DecodeChain({
    layers: ['qpress'],
    run: runner.run,
    budget: new DecodeBudget(10, 1 << 30),
    output: (piece) => pieces.push(Buffer.from(piece)),
  });
  chain.push(FILE);
  assert.equal(chain.ready(), undefined);
  const end = chain.end();
  assert.equal(runner.held.length, 3);
  runner.held[2]!.finish();
  runner.held[1]!.finish();
  await turn();
  assert.equal(pieces.length, 0);
  runner.held[0]!.finish();
  await end;
  assert.ok(Buffer.concat(pieces).equals(CONTENT));
  assert.equal(runner.released, 3);
});

test('no more jobs are under way than the budget allows, also when chains share it', async () => {
  const budget = new DecodeBudget(3, 1 << 30);
  const later = laterRunner();
  let underWay = 0;
  let most = 0;
  const run: JobRunner = async (job, sink, isNext) => {
    most = Math.max(most, ++underWay);
    const output = await later(job, sink, isNext)!;
    underWay--;
    return output;
  };
  const file = xbcryptFile(FILE, KEY);
  const contents = await Promise.all(
    [file, file, file, file].map((bytes) =>
      decode(['xbcrypt', 'qpress'], bytes, { key: KEY, run, budget, pieceBytes: 200_000 }),
    ),
  );
  for (const content of contents) assert.ok(content.equals(CONTENT));
  assert.equal(most, 3);
  assert.ok(budget.take(1 << 30), 'all of it was given back');
});

test('a budget of few bytes lets one job at a time through', async () => {
  const later = laterRunner();
  let underWay = 0;
  const run: JobRunner = async (job, sink, isNext) => {
    assert.equal(++underWay, 1);
    const output = await later(job, sink, isNext)!;
    underWay--;
    return output;
  };
  assert.ok((await decode(['qpress'], FILE, { run, budget: new DecodeBudget(8, 1000) })).equals(CONTENT));
});

test('the caller is asked to wait while jobs wait, and no longer', async () => {
  const runner = new HeldRunner();
  const chain = new DecodeChain({
    layers: ['qpress'],
    run: runner.run,
    budget: new DecodeBudget(1, 1 << 30),
    output: () => undefined,
  });
  chain.push(FILE.subarray(0, FILE.length - 100));
  assert.equal(runner.held.length, 1);
  let isReady = false;
  const ready = chain.ready()?.then(() => (isReady = true));
  await turn();
  assert.ok(!isReady);
  runner.held[0]!.finish();
  await turn();
  await ready;
  assert.equal(runner.held.length, 2);
  chain.close();
});

test('an error comes up once, in whichever call is next or waiting', async () => {
  const failure = new XbstreamError('XB_BAD_LAYER', 'damage');
  const start = () => {
    const runner = new HeldRunner();
    const chain = new DecodeChain({
      layers: ['qpress'],
      run: runner.run,
      budget: new DecodeBudget(4, 1 << 30),
      output: () => undefined,
    });
    chain.push(FILE.subarray(0, FILE.length - 100));
    return { runner, chain };
  };
  for (const call of ['push', 'ready', 'end'] as const) {
    const { runner, chain } = start();
    runner.held[0]!.finish(failure);
    await turn();
    assert.throws(() => (call === 'push' ? chain.push(FILE) : chain[call]()), failure);
    chain.push(FILE);
    assert.equal(chain.ready(), undefined);
    assert.equal(chain.end(), undefined);
  }
  const { runner, chain } = start();
  chain.push(FILE.subarray(FILE.length - 100));
  const end = chain.end();
  runner.held[0]!.finish(failure);
  await assert.rejects(async () => end, failure);
  assert.equal(chain.end(), undefined);
});

test('of two errors the one that comes first in the data is told', async () => {
  const runner = new HeldRunner();
  const chain = new DecodeChain({
    layers: ['qpress'],
    run: runner.run,
    budget: new DecodeBudget(4, 1 << 30),
    output: () => undefined,
  });
  chain.push(FILE.subarray(0, FILE.length - 100));
  chain.push(Buffer.alloc(1000));
  const end = chain.end();
  const first = new XbstreamError('XB_BAD_LAYER', 'the first block');
  for (const { finish } of runner.held.slice(1)) finish(new Error('a later one'));
  runner.held[0]!.finish(first);
  await assert.rejects(async () => end, first);

  const whole = new HeldRunner();
  const other = new DecodeChain({
    layers: ['qpress'],
    run: whole.run,
    budget: new DecodeBudget(4, 1 << 30),
    output: () => undefined,
  });
  other.push(Buffer.concat([FILE, Buffer.alloc(5)]));
  const otherEnd = other.end();
  for (const { finish } of whole.held) finish();
  await assert.rejects(async () => otherEnd, { message: /data behind the end/ });
});

test('what the output throws comes back to the caller, and all the budget with it', async () => {
  const full = new Error('no space left');
  for (const run of [undefined, laterRunner()]) {
    const budget = new DecodeBudget(2, 1 << 30);
    const chain = new DecodeChain({
      layers: ['xbcrypt', 'qpress'],
      key: KEY,
      run,
      budget,
      output: () => {
        throw full;
      },
    });
    await assert.rejects(async () => {
      chain.push(xbcryptFile(FILE, KEY));
      await chain.ready();
      await chain.end();
    }, full);
    for (let i = 0; i < 20; i++) await turn();
    assert.ok(budget.take(1 << 30));
  }
});

test('a chain that is closed gives no more output, releases it and lets waiters go', async () => {
  const runner = new HeldRunner();
  const budget = new DecodeBudget(3, 1 << 30);
  let out = 0;
  const chain = new DecodeChain({ layers: ['qpress'], run: runner.run, budget, output: () => out++ });
  chain.push(FILE);
  const end = chain.end();
  runner.held[1]!.finish();
  await turn();
  chain.close();
  await end;
  runner.held[0]!.finish();
  runner.held[2]!.finish();
  await turn();
  assert.equal(out, 0);
  assert.equal(runner.released, 3);
  assert.ok(budget.take(1 << 30));
  chain.push(FILE);
  assert.equal(chain.ready(), undefined);
});

test('jobs that own their bytes can be moved to another thread', () => {
  const { port1 } = new MessageChannel();
  const run: JobRunner = (job) => {
    assert.equal(job.bytes.buffer.byteLength >= job.bytes.length, true);
    port1.postMessage(job, [job.bytes.buffer as ArrayBuffer]);
    return Promise.resolve({ pieces: [] });
  };
  const chain = new DecodeChain({
    layers: ['qpress'],
    run,
    budget: new DecodeBudget(99, 1 << 30),
    output: () => undefined,
  });
  for (let at = 0; at < FILE.length; at += 7777) chain.push(FILE.subarray(at, at + 7777));
  void chain.end();
  port1.close();
});
