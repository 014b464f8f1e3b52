import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const MODULE = new URL('../../dist/threads/run-task.js', import.meta.url).href;
const WAITING =
  'data:text/javascript,import { parentPort } from "node:worker_threads"; parentPort.on("message", () => {});';

const ENDING = 'data:text/javascript,process.exit(7);';

/** Runs a script for modules of its own process: one that waits for ever would keep the tests. */
function runScript(script: string): { status: number | null; stdout: string; error?: Error | undefined } {
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', timeout: 60_000 });
}

test('a thread that cannot be told its task does not keep the program alive', () => {
  const { status, stdout, error } = runScript(`
    import { runTask } from ${JSON.stringify(MODULE)};
    const context = { signal: new AbortController().signal, progress: () => undefined };
    const task = { cannotBeCloned() {} };
    await runTask(new URL(${JSON.stringify(WAITING)}), task, [], context).catch(({ name }) => console.log(name));`);
  assert.equal(error, undefined);
  assert.deepEqual([status, stdout], [0, 'DataCloneError\n']);
});

test('a thread that was started early, and has ended before it was needed, is not waited for', () => {
  const { status, stdout, error } = runScript(`
    import { runTask, startThreadEarly } from ${JSON.stringify(MODULE)};
    const gone = new Promise((resolve) => process.once('worker', (worker) => worker.once('exit', resolve)));
    const module = new URL(${JSON.stringify(ENDING)});
    // The thread does not keep the program alive, as long as nobody needs it.
    const alive = setInterval(() => undefined, 1000);
    startThreadEarly(module);
    await gone;
    const context = { signal: new AbortController().signal, progress: () => undefined };
    await runTask(module, {}, [], context).catch(({ message }) => console.log(message));
    clearInterval(alive);`);
  assert.equal(error, undefined);
  assert.deepEqual([status, stdout], [0, 'a thread has ended without saying what became of its work\n']);
});
