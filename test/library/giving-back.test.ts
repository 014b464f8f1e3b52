/** What a caller gave is left as it should be: streams that nobody reads any more, signals that are there for others, too. */
import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { create, readEntries, writeTar } from 'tsxbstream';
import { waitMs } from '../../dist/input/timed-source.js';
import { untilAborted } from '../../dist/library/caller/stream-writer.js';
import { archive, file } from '../helpers/archive-bytes.js';

test('the input is destroyed where the output takes nothing', async () => {
  for (const make of [writeTar, (input: PassThrough, output: PassThrough) => create({ tar: input }, output)]) {
    const output = new PassThrough();
    output.destroy();
    const input = new PassThrough();
    const closed = once(input, 'close');
    await assert.rejects(make(input, output), { code: 'XB_IO' });
    await closed;
  }
});

test('a signal keeps nothing of what was waited for', async () => {
  const { signal } = new AbortController();
  await untilAborted(Promise.resolve(), signal);
  await assert.rejects(untilAborted(Promise.reject(new Error('failed')), signal), /failed/);
  assert.deepEqual(getEventListeners(signal, 'abort'), []);
  const aborted: string[] = [];
  await untilAborted(new Promise(() => undefined), AbortSignal.abort(), () => {
    aborted.push('last');
    return Promise.resolve();
  });
  assert.deepEqual(aborted, ['last']);
});

test('a timeout that is longer than any timer of Node is waited for', async () => {
  assert.ok(waitMs(3_000_000) < 2 ** 31);
  const input = new PassThrough();
  setTimeout(() => input.end(archive(file('a', 'A'))), 100);
  const paths: string[] = [];
  for await (const { path } of readEntries(input, { timeout: 3_000_000 })) paths.push(path);
  assert.deepEqual(paths, ['a']);
});
