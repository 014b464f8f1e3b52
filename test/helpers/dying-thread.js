/**
 * Loaded by the program before its own modules, in each of its threads (`--import`): ends one of them, as running out of memory
 * does, when it gets its DIES_AT-th message. DIES_THREAD: the end of the path of the thread's module. Plain JavaScript, since no
 * loader is there.
 */
import { isMainThread, parentPort } from 'node:worker_threads';

const { DIES_THREAD, DIES_AT } = process.env;
if (!isMainThread && process.argv[1]?.endsWith(DIES_THREAD) === true) {
  let count = 0;
  const { on } = parentPort;
  parentPort.on = function (event, listener) {
    return on.call(this, event, (message) => {
      count += 1;
      if (count === Number(DIES_AT)) process.exit(7);
      listener(message);
    });
  };
}
