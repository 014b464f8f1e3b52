/** Who waits for another thread waits until it has done something, or is gone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { ThreadPresence } from '../../dist/threads/presence.js';

/** Wakes whoever waits, twice, and changes the number only the second time: the first is late, for a change before. */
const WAKES_TWICE = `
const { workerData } = require('node:worker_threads');
const ints = new Int32Array(workerData);
const sleep = new Int32Array(new SharedArrayBuffer(4));
while (Atomics.notify(ints, 0) === 0) Atomics.wait(sleep, 0, 0, 1);
Atomics.wait(sleep, 0, 0, 20);
Atomics.store(ints, 0, 1);
Atomics.notify(ints, 0);
`;

test('a wake-up that comes late, for what was seen before, is not taken for the end of the thread', async () => {
  const ints = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(WAKES_TWICE, { eval: true, workerData: ints.buffer });
  assert.equal(new ThreadPresence(ints, 1).waitWhile(ints, 0, 0), true);
  await worker.terminate();
});

test('a thread that never begins is not waited for without end', () => {
  const ints = new Int32Array(new SharedArrayBuffer(8));
  assert.equal(new ThreadPresence(ints, 1, 600).waitWhile(ints, 0, 0), false);
  const begun = new ThreadPresence(ints, 1, 0);
  begun.announce();
  let asked = 0;
  // It is there: only who is told to stop ends the wait.
  assert.equal(
    begun.waitWhile(ints, 0, 0, () => (asked += 1) === 3),
    false,
  );
  assert.equal(asked, 3);
});
