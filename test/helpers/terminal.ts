/** A terminal that a program runs on, and somebody who types: by script(1). */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { PROGRAM } from './cli.js';
import type { Cleanup } from './temp.js';
import { until } from './wait.js';

export class Terminal {
  /** All that was shown, escape sequences with it. */
  shown = '';
  readonly #script: ChildProcessWithoutNullStreams;

  /** @param command for a shell */
  constructor(context: Cleanup, command: string, { cwd, env = {} }: { cwd: string; env?: NodeJS.ProcessEnv }) {
    this.#script = spawn('script', ['-qfec', command, '/dev/null'], {
      cwd,
      env: { ...process.env, TERM: 'xterm', LC_ALL: 'C.UTF-8', ...env },
    });
    this.#script.stdout.on('data', (part: Buffer) => (this.shown += part.toString()));
    this.#script.stdin.on('error', () => undefined);
    context.after(() => this.#script.kill('SIGKILL'));
  }

  type(keys: string): void {
    this.#script.stdin.write(keys);
  }

  /** Waits until it shows something that it has not shown at the last such wait. */
  async shows(expected: RegExp, read: (shown: string) => string = (shown) => shown): Promise<string> {
    try {
      await until(String(expected), () => expected.test(read(this.shown)));
    } catch (error) {
      throw new Error(`it shows ${JSON.stringify(this.shown)}`, { cause: error });
    }
    const { shown } = this;
    this.shown = '';
    return shown;
  }
}

/** A folder in which the program has its name, for PATH. */
export function pathWithProgram(folder: string): string {
  const bin = join(folder, 'bin');
  fs.mkdirSync(bin, { recursive: true });
  if (!fs.existsSync(join(bin, 'tsxbstream'))) fs.symlinkSync(PROGRAM, join(bin, 'tsxbstream'));
  return `${bin}:${dirname(process.execPath)}:${process.env['PATH']!}`;
}
