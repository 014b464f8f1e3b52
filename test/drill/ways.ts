/** The ways in which an archive becomes a directory. */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { PROGRAM } from '../helpers/cli.js';

export interface Way {
  name: string;
  /** It is a way for compressed files alone. */
  isOfCompressed?: true;
  /** @param decompress its files are compressed by themselves @returns the exit code, and what was said */
  unpack(archive: string, target: string, decompress: boolean): Promise<Ended>;
}

export interface Ended {
  code: number | null;
  stderr: string;
}

/** Runs programs that hand on to each other, as a shell does; the code is that of the first that failed. */
export async function pipeline(commands: readonly (readonly string[])[], input?: string): Promise<Ended> {
  const first = input === undefined ? 'ignore' : fs.openSync(input, 'r');
  const children = commands.map(([program, ...words], at) =>
    spawn(program!, words, {
      stdio: [at === 0 ? first : 'pipe', at === commands.length - 1 ? 'ignore' : 'pipe', 'pipe'],
    }),
  );
  if (typeof first === 'number') fs.closeSync(first);
  children.forEach((child, at) => {
    const next = children[at + 1];
    if (next?.stdin) child.stdout!.pipe(next.stdin).on('error', () => child.stdout!.destroy());
  });
  let stderr = '';
  const codes = children.map(
    (child) =>
      new Promise<number | null>((resolve, reject) => {
        child.stderr!.on('data', (text: Buffer) => (stderr += text.toString()));
        child.on('error', reject);
        child.on('close', resolve);
      }),
  );
  const ended = await Promise.all(codes);
  return { code: ended.find((code) => code !== 0) ?? 0, stderr };
}

const ours = (...words: readonly string[]): string[] => [process.execPath, PROGRAM, ...words];
const decompressing = (decompress: boolean): string[] => (decompress ? ['--decompress'] : []);

export const WAYS: readonly Way[] = [
  {
    name: '-x, from a pipe',
    unpack: (archive, target, decompress) => {
      fs.mkdirSync(target);
      return pipeline([['cat', archive], ours('-x', '-C', target, '--parallel=2', ...decompressing(decompress))]);
    },
  },
  {
    name: 'extract',
    unpack: (archive, target, decompress) =>
      pipeline([ours('extract', '-q', archive, '-C', target, ...decompressing(decompress))]),
  },
  {
    name: 'tar',
    unpack: (archive, target, decompress) => {
      fs.mkdirSync(target);
      return pipeline([ours('tar', archive, ...decompressing(decompress)), ['tar', '-x', '-C', target]]);
    },
  },
  {
    name: '-x, and decode',
    isOfCompressed: true,
    unpack: async (archive, target) => {
      fs.mkdirSync(target);
      const unpacked = await pipeline([ours('-x', '-C', target)], archive);
      return unpacked.code === 0 ? pipeline([ours('decode', '-q', target)]) : unpacked;
    },
  },
];
