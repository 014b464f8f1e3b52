/**
 * Two hundred files whose chunks interleave, damaged in every way, and `extract --keep-going`: what nothing has touched gets its
 * final name, and nothing else does.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { file, noise } from '../helpers/archive-bytes.js';
import { run } from '../helpers/cli.js';
import { damagedArchive, MANY_FILES } from '../helpers/damaged-archives.js';
import { EXIT } from '../helpers/outcome.js';
import { SOAK } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { describeContent, readTree } from '../helpers/tree.js';

const CASES = SOAK ? 1000 : 4;
/** Behind so much another thread begins to write, too. */
const LEAD_IN = noise(5 * 2 ** 20);
const FIRST = Number(process.env['TSXBSTREAM_FIRST_SEED'] ?? 0);

for (const kind of ['file', 'pipe'] as const) {
  test(`${CASES} damages, from a ${kind}`, async (context) => {
    const directory = tempDir(context);
    let files = 0;
    let saved = 0;
    const failures: string[] = [];
    const salvage = async (seed: number): Promise<void> => {
      const { bytes: bent, files: stored, damaged, doubtful, story } = damagedArchive(seed, MANY_FILES);
      const isShared = seed % 2 === 1;
      const bytes = isShared ? Buffer.concat([file('lead-in', LEAD_IN), bent]) : bent;
      if (isShared) stored.set('lead-in', LEAD_IN);
      const path = join(directory, `archive${seed}`);
      const target = join(directory, `target${seed}`);
      fs.writeFileSync(path, bytes);
      const stdin = kind === 'file' ? ({ kind, path } as const) : ({ kind, bytes } as const);
      const result = await run(['extract', '-q', '-', '-C', target, '--keep-going'], { stdin });
      const tree = fs.existsSync(target) ? readTree(target) : {};
      const told = `case ${seed}: ${story.join('; ')}`;
      const fail = (what: string): void => void failures.push(`${what}: ${told}\n${result.stderr}`);
      const codes: (number | null)[] = story.length === 0 ? [EXIT.ok] : [EXIT.damaged, EXIT.incomplete, EXIT.ok];
      if (!codes.includes(result.code)) fail(`exit code ${result.code}`);
      if (damaged.size > 0 && result.code === EXIT.ok) fail('silent');
      for (const [name, content] of Object.entries(tree)) {
        if (basename(name).startsWith('.') || name.endsWith('/')) continue;
        const known = stored.get(name);
        if (known === undefined || describeContent(known) !== content) fail(`${name} came out wrong`);
        else if (damaged.has(name) && !doubtful.has(name)) fail(`${name} is damaged, and has its final name`);
      }
      for (const name of stored.keys()) {
        if (damaged.has(name)) continue;
        files += 1;
        if (tree[name] !== undefined) saved += 1;
        else if (!doubtful.has(name)) fail(`${name} is whole, and lost`);
      }
      fs.rmSync(path);
      fs.rmSync(target, { recursive: true, force: true });
    };
    const seeds = Array.from({ length: CASES }, (_, index) => FIRST + index);
    const take = async (): Promise<void> => {
      for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) await salvage(seed);
    };
    await Promise.all([take(), take()]);
    context.diagnostic(`${CASES} damages: ${saved} of ${files} files that nothing has touched were saved`);
    assert.deepEqual(failures, [], `${failures.length} failures`);
  });
}
