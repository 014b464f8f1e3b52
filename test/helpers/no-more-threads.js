/**
 * Loaded by the program before its own modules (`--import`): from here on the system allows it no more threads, as `ulimit -u`
 * and a container's limits do. Root is exempt from that. Plain JavaScript, since no loader is there.
 */
import { execFileSync } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  // Has Node make the threads that it cannot do without.
  await Promise.all(Array.from({ length: 8 }, () => stat('/')));
  execFileSync('prlimit', [`--pid=${process.pid}`, '--nproc=1']);
}
