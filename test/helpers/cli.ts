/** Runs the program as a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { feed, openPipe } from './pipes.js';

export const PROGRAM = fileURLToPath(new URL('../../bin/tsxbstream.js', import.meta.url));
/** What is run: the build, or the executable that this variable names. */
const EXECUTABLE = process.env['TSXBSTREAM_EXECUTABLE'];
const COMMAND = EXECUTABLE === undefined ? [process.execPath, PROGRAM] : [EXECUTABLE];

/**
 * Has a process tell how much memory it had at most, in KiB, on its descriptor 3. (What getrusage says of a new process
 * includes the one that it was forked from.)
 */
const MEMORY_MODULE = `
import { readFileSync, writeSync } from 'node:fs';
process.on('exit', () => writeSync(3, /VmHWM:[^0-9]*([0-9]+)/.exec(readFileSync('/proc/self/status', 'latin1'))[1] + '\\n'));
`;
const TELL_MEMORY = `--import=data:text/javascript;base64,${Buffer.from(MEMORY_MODULE).toString('base64')}`;

/** What the program reads. */
export type Stdin =
  | { kind: 'file'; path: string; from?: number }
  | { kind: 'pipe' | 'non-blocking-pipe' | 'socket'; bytes: Buffer }
  | { kind: 'open'; stdio: number | Socket };

export interface RunOptions {
  stdin?: Stdin;
  /** A descriptor that it writes to, instead of what is collected; the caller's. */
  stdout?: number;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Words before `node`: a wrapper such as `sh -c 'umask 077; exec "$@"' sh`. */
  wrapper?: readonly string[];
  measureMemory?: boolean;
}

export interface RunResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stdoutBytes: Buffer;
  stderr: string;
  /** Peak RSS, where it was measured. */
  peakBytes: number;
}

export interface Running {
  child: ChildProcess;
  /** Resolves when the process has ended and all it wrote has come. */
  ended: Promise<RunResult>;
}

const MOST_MILLISECONDS = 120_000;

/** Starts `tsxbstream` with these words. */
export function start(args: readonly string[], options: RunOptions = {}): Running {
  const { stdin, stdout: out = 'pipe', cwd, env, wrapper = [], measureMemory = false } = options;
  const [command, ...words] = [...wrapper, ...COMMAND, ...args];
  const opened = openStdin(stdin);
  const child = spawn(command!, words, {
    cwd,
    env: { ...process.env, NO_COLOR: '1', ...(measureMemory ? { NODE_OPTIONS: TELL_MEMORY } : {}), ...env },
    stdio: [opened.stdio, out, 'pipe', measureMemory ? 'pipe' : 'ignore'],
    timeout: MOST_MILLISECONDS,
    killSignal: 'SIGKILL',
  });
  opened.started(child);
  const outputs = [1, 2, 3].map((fd) => collect(child, fd));
  const ended = new Promise<RunResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const [stdout, stderr, memory] = outputs.map((output) => output());
      const peakBytes = Math.max(0, ...memory!.toString().split('\n').map(Number)) * 1024;
      resolve({
        code,
        signal,
        stdout: stdout!.toString(),
        stdoutBytes: stdout!,
        stderr: stderr!.toString(),
        peakBytes,
      });
    });
  });
  return { child, ended };
}

/** Runs `tsxbstream` with these words to its end. */
export function run(args: readonly string[], options?: RunOptions): Promise<RunResult> {
  return start(args, options).ended;
}

function collect(child: ChildProcess, fd: number): () => Buffer {
  const parts: Buffer[] = [];
  child.stdio[fd]?.on('data', (part: Buffer) => parts.push(part));
  return () => Buffer.concat(parts);
}

function openStdin(stdin: Stdin | undefined): {
  stdio: number | Socket | 'pipe' | 'ignore';
  started: (child: ChildProcess) => void;
} {
  const nothing = (): void => undefined;
  switch (stdin?.kind) {
    case undefined:
      return { stdio: 'ignore', started: nothing };
    case 'open':
      return { stdio: stdin.stdio, started: nothing };
    case 'socket':
      return {
        stdio: 'pipe',
        started: (child) => {
          child.stdin!.on('error', nothing); // the program may go away before it has read all
          child.stdin!.end(stdin.bytes);
        },
      };
    case 'file': {
      const fd = fs.openSync(stdin.path, 'r');
      if (stdin.from !== undefined) fs.readSync(fd, Buffer.alloc(stdin.from), 0, stdin.from, null);
      return { stdio: fd, started: () => fs.closeSync(fd) };
    }
    case 'pipe':
    case 'non-blocking-pipe': {
      const { readFd, writeFd } = openPipe(stdin.kind === 'non-blocking-pipe');
      return {
        stdio: readFd,
        started: () => {
          fs.closeSync(readFd);
          void feed(writeFd, stdin.bytes);
        },
      };
    }
  }
}
