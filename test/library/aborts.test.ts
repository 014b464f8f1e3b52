/** An abort is heard at any moment: while an input is opened, and where nothing is ever waited for. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { cat, create, extract, info, list, makeIndex, readChunks, readEntries, verify, writeTar } from 'tsxbstream';
import { stopBy, type Source } from '../../dist/input/source.js';
import { archive, end, file, payload, seek } from '../helpers/archive-bytes.js';
import { drain } from '../helpers/streams.js';
import { tempDir } from '../helpers/temp.js';

/** A thread that does not hear that it is to stop is ended after so long, in milliseconds. */
const ENDED_MS = 700;
/** So often it is tried: a machine that is busy may start no thread in that time. */
const TRIES_MAX = 6;

describe('while a pipe is opened that stays silent', () => {
  const CALLS: Record<string, (pipe: string, folder: string, signal: AbortSignal) => Promise<unknown>> = {
    verify: (pipe, _folder, signal) => verify(pipe, { signal }),
    extract: (pipe, folder, signal) => extract(pipe, folder, { signal }),
    list: (pipe, _folder, signal) => list(pipe, { signal }),
    info: (pipe, _folder, signal) => info(pipe, { signal }),
    cat: (pipe, _folder, signal) => cat(pipe, 'a', { signal }).toArray(),
    writeTar: (pipe, folder, signal) => writeTar(pipe, join(folder, 'tar'), { signal }),
    makeIndex: (pipe, folder, signal) => makeIndex(pipe, join(folder, 'index'), { signal }),
    'create of a tar': (pipe, folder, signal) => create({ tar: pipe }, join(folder, 'made'), { signal }),
  };
  for (const [name, call] of Object.entries(CALLS)) {
    test(name, async (context) => {
      const folder = tempDir(context);
      const pipe = join(folder, 'pipe');
      execFileSync('mkfifo', [pipe]);
      const writer = fs.openSync(pipe, fs.constants.O_RDWR);
      let tookMs = Infinity;
      for (let tries = 0; tries < TRIES_MAX && tookMs >= ENDED_MS; tries += 1) {
        const began = performance.now();
        const aborting = new AbortController();
        const called = assert.rejects(call(pipe, folder, aborting.signal), { message: 'enough' });
        setImmediate(() => aborting.abort(new Error('enough')));
        await called;
        tookMs = performance.now() - began;
      }
      fs.closeSync(writer);
      assert.ok(tookMs < ENDED_MS, 'the thread had to be ended');
    });
  }
});

test('a source that was opened too late for the event stops at once', () => {
  let stops = 0;
  const source = { stop: () => (stops += 1) } as unknown as Source;
  stopBy(AbortSignal.abort(), source);
  assert.equal(stops, 1);
  const aborting = new AbortController();
  stopBy(aborting.signal, source);
  assert.equal(stops, 1);
  aborting.abort();
  assert.equal(stops, 2);
});

describe('on the event loop', () => {
  /** More than anything takes in which an abort is heard; not all there is, for it would take hours. */
  const MANY = 2_000_000;

  test('where a stream gives empty pieces only', async () => {
    for (const read of [readEntries, readChunks]) {
      function* empty(): Generator<Uint8Array> {
        for (let piece = 0; piece < MANY; piece += 1) yield new Uint8Array(0);
      }
      await assert.rejects(drain(read(empty(), { signal: AbortSignal.timeout(50) })), { name: 'TimeoutError' });
    }
  });

  test('in a hole that a few bytes stand for', async () => {
    const bytes = archive(payload('a', 0, 'x'), seek('a', 2n ** 50n), end('a'));
    const read = async (): Promise<void> => {
      let holeBytes = 0;
      for await (const entry of readEntries([bytes], { signal: AbortSignal.timeout(50) })) {
        if (entry.kind !== 'file') continue;
        for await (const { length } of entry.content()) if ((holeBytes += length) > 2 ** 39) break;
      }
    };
    await assert.rejects(read, { name: 'TimeoutError' });
  });

  const bytes = archive(file('a', 'A'), file('b', 'B'), file('c', 'C'));

  test('entries that wait are not given any more', async () => {
    const aborting = new AbortController();
    const entries = readEntries([bytes], { signal: aborting.signal });
    await entries.next();
    aborting.abort(new Error('enough'));
    await assert.rejects(entries.next(), { message: 'enough' });
  });

  test('nor is content that waits, also when all has been read', async () => {
    const aborting = new AbortController();
    const contents: AsyncIterable<Buffer>[] = [];
    for await (const entry of readEntries([bytes], { signal: aborting.signal })) {
      assert.ok(entry.kind === 'file');
      contents.push(entry.content());
    }
    assert.equal(contents.length, 3);
    await drain(contents[0]!);
    aborting.abort(new Error('enough'));
    await assert.rejects(drain(contents[1]!), { message: 'enough' });
  });

  test('nor is a chunk that was found already', async () => {
    const aborting = new AbortController();
    const chunks = readChunks([bytes], { signal: aborting.signal });
    const { value: first } = await chunks.next();
    assert.ok(first !== undefined);
    await drain(first.payload());
    await sleep(0);
    aborting.abort(new Error('enough'));
    await assert.rejects(chunks.next(), { message: 'enough' });
  });
});
