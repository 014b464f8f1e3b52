/** Which files of a damaged archive are whole: the program against what is known of the damage. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { damagedArchive, FEW_FILES, MANY_FILES } from '../helpers/damaged-archives.js';
import { SOAK } from '../helpers/programs.js';
import { salvage } from '../helpers/salvage.js';

const CASES = SOAK ? 1000 : 12;

for (const [seekable, shape] of [true, false].flatMap((each) => [
  [each, FEW_FILES] as const,
  [each, MANY_FILES] as const,
])) {
  const what = `${CASES} damaged archives of ${shape.files} files, from a ${seekable ? 'file' : 'pipe'}`;
  test(`${what}: all that is whole is saved, and nothing else`, async () => {
    for (let seed = 0; seed < CASES; seed += 1) {
      const { bytes, files, damaged, doubtful, story } = damagedArchive(seed, shape);
      const salvaged = await salvage(bytes, seekable, [4096, 333, 100_000][seed % 3]);
      const told = `case ${seed}: ${story.join('; ')}`;
      for (const [path, content] of salvaged.files) {
        assert.ok(!damaged.has(path) || doubtful.has(path), `${told}: ${path} is damaged, and has its final name`);
        assert.ok(files.get(path)?.equals(content) === true, `${told}: ${path} came out wrong`);
      }
      for (const path of files.keys()) {
        if (damaged.has(path) || doubtful.has(path)) continue;
        const errors = salvaged.errors.map(({ code, archiveOffset }) => `${code} ${archiveOffset}`).join(', ');
        assert.ok(salvaged.files.has(path), `${told}: ${path} is whole, and lost (${errors})`);
      }
      if (damaged.size > 0) assert.ok(salvaged.errors.length > 0, `${told}: silent`);
    }
  });
}
