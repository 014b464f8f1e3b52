/** How many threads may run: by cores, by cgroups, by limits of the process. */
import { readFileSync } from 'node:fs';
import * as os from 'node:os';
import { dirname, join } from 'node:path';

/** More threads than this only help where they are asked for. */
const DEFAULT_THREADS_MAX = 8;
/** More are never started, whatever is asked for. */
const THREADS_MAX = 64;

/**
 * How much address space the process takes before any thread of ours, and each thread, zstd's being the greediest: mostly space that V8
 * reserves and never uses. Where it does not get it Node ends at once (measured with Node 20, `ulimit -v`).
 */
const [PROCESS_BYTES, THREAD_BYTES] = [1.1e9, 1.35e9];

/**
 * How many threads to use.
 *
 * @param asked at most so many, if somebody has said so
 * @param cores how many can run side by side
 */
export function threadCount(asked: number | undefined, cores = availableCores()): number {
  const count = asked === undefined ? Math.min(cores, DEFAULT_THREADS_MAX) : Math.min(asked, THREADS_MAX);
  return Math.max(1, Math.min(count, threadsWithRoom()));
}

/**
 * For how many threads there are addresses (`ulimit -v`); Infinity where they are not limited.
 *
 * @param limits what the system says of this process's limits
 */
export function threadsWithRoom(limits = '/proc/self/limits'): number {
  const [, bytes] = /^Max address space +(\d+) /m.exec(textOf(limits)) ?? [];
  return bytes === undefined ? Infinity : Math.floor((Number(bytes) - PROCESS_BYTES) / THREAD_BYTES);
}

/** How many threads can run side by side. Node knows of a cgroup's quota (`docker run --cpus`) only from version 23 on. */
export function availableCores(): number {
  return Math.max(1, Math.min(os.availableParallelism(), Math.floor(cgroupCores())));
}

/**
 * How many cores the cgroups of this process may use; Infinity where none limits it. A quota of a cgroup holds for all
 * below it.
 *
 * @param self what the system says of this process's cgroups
 * @param mount where cgroups are
 */
export function cgroupCores(self = '/proc/self/cgroup', mount = '/sys/fs/cgroup'): number {
  let cores = Infinity;
  for (const line of textOf(self).split('\n')) {
    // number ":" controllers, none of version 2 ":" path
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    const isSecond = controllers === '';
    if (!isSecond && !controllers.split(',').includes('cpu')) continue;
    for (let group = path; ; group = dirname(group)) {
      const directory = isSecond ? join(mount, group) : join(mount, controllers, group);
      cores = Math.min(cores, isSecond ? quotaOf2(directory) : quotaOf1(directory));
      if (group === '/' || group === '.') break;
    }
  }
  return cores;
}

/** Version 2: the quota and the period, in microseconds; "max" is none. */
function quotaOf2(directory: string): number {
  const [quota, period] = textOf(join(directory, 'cpu.max')).split(/\s/);
  return ratio(Number(quota), Number(period));
}

/** Version 1: -1 is none. */
function quotaOf1(directory: string): number {
  const [quota, period] = ['quota', 'period'].map((name) => Number(textOf(join(directory, `cpu.cfs_${name}_us`))));
  return ratio(quota!, period!);
}

function ratio(quota: number, period: number): number {
  return quota > 0 && period > 0 ? quota / period : Infinity;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
