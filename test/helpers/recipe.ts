/** What `info --json` says is to be done with a backup, done word by word. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { PROGRAM, run } from './cli.js';
import { linesOf } from './json-lines.js';
import type { Mariadb } from './mariadb.js';

export interface Step {
  purpose: string;
  command: string;
  argv: string[];
  each?: string;
}

export interface Info {
  kind: string;
  fromLsn: string;
  toLsn: string;
  missing: string[];
  keyPlugin?: { name: string };
  serverSettings: string[];
  elsewhere: string[];
  next: Step[];
  placeholders: Record<string, string>;
  replication: { purpose: string; statements: string[] }[];
}

/** What a placeholder stands for; several things where a step is done for each of them. */
export type Values = Readonly<Record<string, string | readonly string[]>>;

/** What is told of a good backup. */
export async function infoOf(path: string): Promise<Info> {
  const { code, stdout, stderr } = await run(['info', '--json', path]);
  assert.equal(code, 0, stderr);
  return linesOf(stdout, 'info')[0] as unknown as Info;
}

/** Does a step as it is printed, with what its placeholders stand for. */
export function doStep({ argv, each }: Step, values: Values, server?: Mariadb): void {
  const turns = each === undefined ? [undefined] : [values[each] ?? []].flat();
  for (const turn of turns) {
    const words = argv.map((word) =>
      word.replace(/\{(\w+)\}/g, (_, name: string) => {
        const value = name === each ? turn : values[name];
        assert.equal(typeof value, 'string', `nothing for ${name}`);
        return value as string;
      }),
    );
    const [program, ...rest] = words;
    if (program === 'tsxbstream') execFileSync(process.execPath, [PROGRAM, ...rest], { stdio: 'pipe' });
    else if (program === 'mariadb') execFileSync('mariadb', [...server!.clientWords, ...rest], { stdio: 'pipe' });
    else execFileSync(program!, rest, { stdio: 'pipe' });
  }
}
