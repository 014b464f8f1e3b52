import * as fs from 'node:fs';

const TICK_MS = 5;

/** What a thread's CPU clock says, in milliseconds; undefined where the system does not tell. */
function threadCpuMs(): number | undefined {
  try {
    return Number(fs.readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[0]) / 1e6;
  } catch {
    return undefined;
  }
}

/**
 * For how long, in milliseconds, the event loop of this thread was kept from its timers at most while something was done.
 * Where the system tells, only the time counts in which this thread was at work: what other processes of a busy machine
 * take away does not.
 */
export async function longestHold(work: () => Promise<unknown>): Promise<number> {
  const now = threadCpuMs() === undefined ? () => performance.now() : () => threadCpuMs()!;
  let longest = 0;
  let last = now();
  const timer = setInterval(() => {
    const at = now();
    longest = Math.max(longest, at - last);
    last = at;
  }, TICK_MS);
  try {
    await work();
    longest = Math.max(longest, now() - last);
  } finally {
    clearInterval(timer);
  }
  return longest;
}
