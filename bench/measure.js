/**
 * Runs one command and says what the whole process cost: start, work and end.
 *
 *   node bench/measure.js [--stdin FILE | --pipe FILE] -- COMMAND...
 *
 * Node cannot ask the kernel for the usage of one child, so bash's `time` gives wall and CPU time (in milliseconds) and
 * GNU time the peak memory. Both are part of the figures, about one millisecond, the same for everyone who is measured.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** @typedef {{ wallSeconds: number, cpuSeconds: number, peakRssBytes: number }} Figures */
/** @typedef {{ kind: 'file' | 'pipe', path: string }} Input */

const GNU_TIME = '/usr/bin/time';
const STDERR_KEPT_BYTES = 2000;

/**
 * $1 is where the times go, $2 where the peak memory goes, $3 the file that `cat` writes into a pipe (or nothing), the
 * rest the command. `time` stands on the reading side of the pipe only: the writer's CPU time is not the command's.
 */
const SCRIPT = `
TIMEFORMAT='%3R %3U %3S'
times=$1 rss=$2 piped=$3
shift 3
measured() { { time ${GNU_TIME} -q -o "$rss" -f %M -- "$@" 2>&3 3>&-; } 3>&2 2>"$times"; }
if [ -n "$piped" ]; then cat -- "$piped" | measured "$@"; else measured "$@"; fi
`;

/** Throws when a program that measuring needs is missing. */
export function checkMeasuringTools() {
  if (!existsSync(GNU_TIME)) {
    throw new Error(`${GNU_TIME} is missing, which measures the peak memory: apt-get install time`);
  }
}

/**
 * Runs a command to its end. Its stdout goes nowhere.
 *
 * @param {string[]} command
 * @param {object} [options]
 * @param {Input} [options.input] stdin: the file itself, or a pipe into which `cat` writes it; else /dev/null
 * @param {AbortSignal} [options.signal] kills it
 * @returns {Promise<Figures>}
 * @throws Error when it fails, with the end of what it said on stderr
 */
export async function measure(command, { input, signal } = {}) {
  const folder = mkdtempSync(path.join(tmpdir(), 'tsxbstream-measure-'));
  const times = path.join(folder, 'times');
  const rss = path.join(folder, 'rss');
  const stdin = input?.kind === 'file' ? openSync(input.path, 'r') : 'ignore';
  try {
    const piped = input?.kind === 'pipe' ? input.path : '';
    await runToEnd(['bash', '-c', SCRIPT, 'bash', times, rss, piped, ...command], command, stdin, signal);
    const [wall = NaN, user = NaN, system = NaN] = readFileSync(times, 'utf8').trim().split(' ').map(Number);
    return {
      wallSeconds: wall,
      cpuSeconds: Math.round((user + system) * 1000) / 1000,
      peakRssBytes: Number(readFileSync(rss, 'utf8')) * 1024,
    };
  } finally {
    if (typeof stdin === 'number') closeSync(stdin);
    rmSync(folder, { recursive: true });
  }
}

/**
 * @param {string[]} argv
 * @param {string[]} command what to name in an error
 * @param {number | 'ignore'} stdin
 * @param {AbortSignal | undefined} signal
 */
async function runToEnd([program = '', ...rest], command, stdin, signal) {
  signal?.throwIfAborted();
  // LC_ALL: "1.234", never "1,234". NODE_EXTRA_CA_CERTS, where it is set, has Node parse certificates at each start, for
  // longer than all else of its start takes: that is not what is measured.
  const env = { ...process.env, LC_ALL: 'C' };
  delete env['NODE_EXTRA_CA_CERTS'];
  // A group of its own, so that all of it can be killed, the writer of the pipe too.
  const child = spawn(program, rest, {
    stdio: [stdin, 'ignore', 'pipe'],
    detached: true,
    env,
  });
  let said = Buffer.alloc(0);
  child.stderr?.on('data', (bytes) => (said = Buffer.concat([said, bytes]).subarray(-STDERR_KEPT_BYTES)));
  const kill = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // it has just ended by itself
    }
  };
  signal?.addEventListener('abort', kill);
  try {
    // 'close' comes when the last process of the group has let go of stderr: nothing writes any more after it.
    const status = await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, killedBy) => resolve(code ?? killedBy));
    });
    signal?.throwIfAborted();
    if (status !== 0) throw new Error(`${command.join(' ')}: exit ${status}\n${said.toString().trim()}`);
  } finally {
    signal?.removeEventListener('abort', kill);
  }
}

async function main() {
  checkMeasuringTools();
  const { values, positionals } = parseArgs({
    options: { stdin: { type: 'string' }, pipe: { type: 'string' } },
    allowPositionals: true,
  });
  if (positionals.length === 0) throw new Error('usage: node bench/measure.js [--stdin FILE | --pipe FILE] -- COMMAND');
  /** @type {Input | undefined} */
  let input;
  if (values.stdin !== undefined) input = { kind: 'file', path: values.stdin };
  if (values.pipe !== undefined) input = { kind: 'pipe', path: values.pipe };
  console.log(JSON.stringify(await measure(positionals, { ...(input && { input }) })));
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
