/**
 * Loaded by the program before its own modules, in each of its threads (`--import`): ends one of them when it gets
 * its DIES_AT-th message, in silence, or with DIES_OF=memory by running out of it. DIES_THREAD: the end of the path of the thread's module. Plain JavaScript, since no
 * loader is there.
 */
import { isMainThread, parentPort } from 'node:worker_threads';

const { DIES_THREAD, DIES_AT, DIES_OF } = process.env;

/** Ends the thread as V8 does when there is no more: with `--max-old-space-size` that is soon. */
function fillMemory() {
  const kept = [];
  for (;;) kept.push(new Array(1000).fill({ number: kept.length }));
}

if (!isMainThread && process.argv[1]?.endsWith(DIES_THREAD) === true) {
  let count = 0;
  const { on } = parentPort;
  parentPort.on = function (event, listener) {
    return on.call(this, event, (message) => {
      count += 1;
      if (count === Number(DIES_AT) && DIES_OF === 'memory') fillMemory();
      if (count === Number(DIES_AT)) process.exit(7);
      listener(message);
    });
  };
}
