/** A helping thread does what it is told, in order; who waits for it waits as long as it is there, and no longer. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Helper } from '../../dist/threads/helper.js';

type Task = string | Uint8Array;

function help(context: TestContext): Helper<string, Task, Task> {
  const module = new URL('./helper-module.js', import.meta.url);
  const helper = new Helper<string, Task, Task>(module, { name: 'the helper', data: 'done:', decodes: false });
  context.after(() => helper.terminate());
  return helper;
}

test('answers come in the order of the tasks, to who blocks', (context) => {
  const helper = help(context);
  for (const task of ['a', 'b', 'c']) helper.tell(task);
  assert.deepEqual(
    ['a', 'b', 'c'].map(() => helper.waitForAnswer()),
    ['done: a', 'done: b', 'done: c'],
  );
  assert.ok(helper.presence.hasBegun);
});

test('and by events', async (context) => {
  const helper = help(context);
  const answers: Task[] = [];
  await new Promise<void>((resolve, reject) => {
    helper.hear((answer) => {
      answers.push(answer);
      if (answers.length === 2) resolve();
    }, reject);
    helper.tell('a');
    helper.tell('b');
  });
  assert.deepEqual(answers, ['done: a', 'done: b']);
});

test('memory goes there and comes back without a copy', (context) => {
  const helper = help(context);
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(1000).fill(7).buffer);
  helper.tell(bytes, [bytes.buffer]);
  assert.equal(bytes.length, 0);
  const back = helper.waitForAnswer() as Uint8Array;
  assert.deepEqual([back.length, back[999]], [1000, 7]);
});

test('who blocks is told when it is gone, and what it has answered before is not lost', (context) => {
  const helper = help(context);
  helper.tell('a');
  helper.tell('end');
  helper.tell('b');
  assert.equal(helper.waitForAnswer(), 'done: a');
  assert.throws(() => helper.waitForAnswer(), /the helper has ended before its work was done/);
});

test('who hears events is told when it is gone, and why', async (context) => {
  const helper = help(context);
  helper.tell('fail');
  const why = await new Promise<Error>((resolve) => helper.hear(() => undefined, resolve));
  assert.match(why.message, /out of luck/);
});
