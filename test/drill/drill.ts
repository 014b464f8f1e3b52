/**
 * The drill: real backups of a real server with tables of every kind, restored by the commands that `info --json` gives, and
 * held against the server. `npm run drill` runs all of it, `npm run drill -- --short` what CI does, `--only WORD` some of it.
 * A row a case; the exit code is 1 where one of them failed.
 */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { backupCases } from './backup-cases.js';
import type { Case } from './case.js';
import { galeraCases } from './galera.js';
import { Site } from './site.js';

/** @returns whether it went well */
async function tell({ name, run }: Case): Promise<boolean> {
  const started = performance.now();
  const row = (result: string, compared: string): void => {
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${name.padEnd(62)} ${compared.padEnd(44)} ${result.padEnd(6)} ${seconds.padStart(6)} s`);
  };
  try {
    row('ok', await run());
    return true;
  } catch (error) {
    row('FAILED', '');
    console.log(String(error).replace(/^/gm, '    '));
    return false;
  }
}

const { values } = parseArgs({ options: { short: { type: 'boolean' }, only: { type: 'string' } } });
const form = values.short === true ? 'short' : 'whole';
const folder = fs.mkdtempSync(join(tmpdir(), 'tsxbstream-drill-'));
const site = new Site(folder);
const sets = [backupCases(site, form), ...(form === 'whole' ? [galeraCases(folder)] : [])];
const closeAll = async (): Promise<void> => {
  for (const { close } of sets) await close();
  fs.rmSync(folder, { recursive: true, force: true });
};
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void closeAll().then(() => process.exit(1)));

let ran = 0;
let failed = 0;
try {
  for (const chosen of sets.flatMap(({ cases }) => cases).filter(({ name }) => name.includes(values.only ?? ''))) {
    ran += 1;
    if (!(await tell(chosen))) failed += 1;
  }
} finally {
  await closeAll();
}
console.log(`${ran - failed} of ${ran} cases went well`);
process.exitCode = failed > 0 || ran === 0 ? 1 : 0;
