import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { test } from 'node:test';
import { Turnstile } from '../../dist/engine/turnstile.js';

test('no more than allowed are under way at a time, and all come in their order', async () => {
  const turnstile = new Turnstile(2);
  let running = 0;
  let most = 0;
  const begun: number[] = [];
  const work = (number: number) =>
    turnstile.pass(async () => {
      begun.push(number);
      most = Math.max(most, ++running);
      await setTimeout(number % 3);
      running -= 1;
      if (number === 4) throw new Error('that one failed');
      return number;
    });
  const results = await Promise.allSettled(Array.from({ length: 10 }, (_, number) => work(number)));
  assert.equal(most, 2);
  assert.deepEqual(begun, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(
    results.map(({ status }) => status === 'rejected'),
    begun.map((number) => number === 4),
  );
  assert.equal(await work(11), 11);
});
