import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const MODULE = new URL('../../dist/threads/run-task.js', import.meta.url).href;
const WAITING =
  'data:text/javascript,import { parentPort } from "node:worker_threads"; parentPort.on("message", () => {});';

test('a thread that cannot be told its task does not keep the program alive', () => {
  const script = `
    import { runTask } from ${JSON.stringify(MODULE)};
    const context = { signal: new AbortController().signal };
    const task = { cannotBeCloned() {} };
    await runTask(new URL(${JSON.stringify(WAITING)}), task, [], context).catch(({ name }) => console.log(name));`;
  const { status, stdout, error } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.equal(error, undefined);
  assert.deepEqual([status, stdout], [0, 'DataCloneError\n']);
});
