/**
 * Loaded by the program before its own modules, in each of its threads (`--import`): has one call of the system by one
 * thread stall, as a disk does that does not answer. Plain JavaScript, since no loader is there.
 *
 * STALL_THREAD: the end of the path of the thread's module; STALL_CALL: the call; STALL_AT: which one of its calls;
 * STALL_THEN: `go on`, or `die`, or `gate`: it is stuck in the system until somebody opens the named pipe `gate` for writing;
 * STALL_SIGNS: a directory for what tests and threads have to know:
 * `begun` (the thread can be given work), `stalled`, `waited` (a byte for each time that a wait for it was over its time).
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread, parentPort } from 'node:worker_threads';

const { STALL_THREAD, STALL_CALL, STALL_AT, STALL_THEN, STALL_SIGNS } = process.env;
/** A wait over its time is only worth so many milliseconds: what would be done after minutes is done at once. */
const FAST_MS = 20;
/** So often may a wait be over its time until the call goes on: whoever takes "not yet" for "done" has done it by then. */
const WAITS = 25;
const MOST_MS = 20_000;

const { wait, store } = Atomics;
const nap = new Int32Array(new SharedArrayBuffer(4));
const sign = (name) => `${STALL_SIGNS}/${name}`;
const sizeOf = (name) => fs.statSync(sign(name), { throwIfNoEntry: false })?.size ?? 0;
const fileOf = (fd) => {
  try {
    return fs.readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined;
  }
};

function stall(fd) {
  const file = fileOf(fd);
  fs.writeFileSync(sign('stalled'), 'x');
  if (STALL_THEN === 'gate') return fs.closeSync(fs.openSync(sign('gate'), 'r'));
  for (let ms = 0; ms < MOST_MS && sizeOf('waited') < WAITS; ms += 5) {
    const now = fileOf(fd);
    // The number is another file's by now.
    if (now !== undefined && now !== file) break;
    wait(nap, 0, 0, 5);
  }
  if (STALL_THEN === 'die') process.exit(7);
}

if (!isMainThread && process.argv[1]?.endsWith(STALL_THREAD) === true) {
  const call = fs[STALL_CALL];
  let count = 0;
  fs[STALL_CALL] = (...words) => {
    count += 1;
    if (count === Number(STALL_AT)) stall(words[0]);
    return call(...words);
  };
  syncBuiltinESMExports();
  const begun = () => fs.writeFileSync(sign('begun'), 'x');
  // The threads say in one of these ways that they are there.
  const { on } = parentPort;
  parentPort.on = function (...words) {
    begun();
    return on.apply(this, words);
  };
  Atomics.store = (...words) => {
    begun();
    return store(...words);
  };
} else {
  Atomics.wait = (ints, at, value, ms = Infinity) => {
    const outcome = wait(ints, at, value, ms === Infinity ? ms : Math.min(ms, FAST_MS));
    if (outcome === 'timed-out' && sizeOf('stalled') > 0) fs.appendFileSync(sign('waited'), 'x');
    return outcome;
  };
}
