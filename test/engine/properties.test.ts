/** Archives of random files and random corrections, cut into random pieces. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from '../helpers/fast-check.js';
import { archiveOf, endedSteps, plannedArchive, steps } from '../helpers/arbitraries.js';
import { cutAt, piecesOf, runInDirectory, runInMemory, treeInMemory } from '../helpers/lane.js';
import { play } from '../helpers/model.js';
import { SOAK } from '../helpers/programs.js';
import { tempDir, type Cleanup } from '../helpers/temp.js';
import { readTree, treeOf } from '../helpers/tree.js';

/** The same archives every time: what fails here fails for everybody. fast-check prints the seed with a failure. */
const SEED = 20_241_122;

function runs(numRuns: number): fc.Parameters<unknown> {
  return { seed: SEED, numRuns: SOAK ? numRuns * 50 : Math.ceil(numRuns / 2) };
}

/** A directory for one run of a property, gone before the next one begins. */
async function withTempDir<Result>(work: (directory: string) => Promise<Result>): Promise<Result> {
  const cleanups: (() => void)[] = [];
  const cleanup: Cleanup = { after: (undo) => cleanups.push(undo) };
  try {
    return await work(tempDir(cleanup));
  } finally {
    for (const undo of cleanups) undo();
  }
}

const cuts = fc.array(fc.nat({ max: 20_000 }), { maxLength: 12 });

describe('an archive of random files', () => {
  test('comes out as it went in, whole, cut at random places and byte by byte', async () => {
    await fc.assert(
      fc.asyncProperty(plannedArchive, cuts, async ({ files, bytes }, places) => {
        const expected = treeOf(Object.fromEntries(files.map(({ path, content }) => [path, content])));
        const inBounds = places.map((place) => place % (bytes.length + 1));
        for (const pieces of [[bytes], cutAt(bytes, inBounds), piecesOf(bytes, 1)]) {
          const { codes, output } = await runInMemory(pieces);
          assert.deepEqual(codes, []);
          assert.deepEqual(treeInMemory(output), expected);
        }
      }),
      runs(150),
    );
  });

  test('comes out in a directory, with any number of descriptors and with checksums', async () => {
    await fc.assert(
      fc.asyncProperty(plannedArchive, cuts, fc.boolean(), async ({ files, bytes }, places, hash) => {
        await withTempDir(async (target) => {
          const inBounds = places.map((place) => place % (bytes.length + 1));
          const { codes, partials } = await runInDirectory(cutAt(bytes, inBounds), target, { hash });
          assert.deepEqual([codes, partials], [[], []]);
          assert.deepEqual(
            readTree(target),
            treeOf(Object.fromEntries(files.map(({ path, content }) => [path, content]))),
          );
        });
      }),
      runs(150),
    );
  });

  test('with a piece missing or twice is never taken for whole', async () => {
    await fc.assert(
      fc.asyncProperty(plannedArchive, fc.nat(), fc.nat(), fc.boolean(), async ({ files, bytes }, a, b, twice) => {
        const from = Math.min(a % bytes.length, b % bytes.length);
        const to = Math.max(a % bytes.length, b % bytes.length);
        fc.pre(from < to);
        const damaged = Buffer.concat([bytes.subarray(0, twice ? to : from), bytes.subarray(twice ? from : to)]);
        const { codes, output } = await runInMemory(damaged);
        if (codes.length > 0) return;
        // What is cut out, or comes twice, may be whole files, which nobody can miss; or chunks without content.
        const right = treeOf(Object.fromEntries(files.map(({ path, content }) => [path, content])));
        for (const [path, content] of Object.entries(treeInMemory(output))) {
          if (right[path] === content) continue;
          const file = files.find((candidate) => candidate.path === path)!;
          const found = output.files.get(path)!;
          assert.ok(!twice && file.content.subarray(0, found.length).equals(found), path);
        }
      }),
      runs(400),
    );
  });
});

describe('random corrections', () => {
  for (const [name, arbitrary] of [
    ['of files that are all ended', endedSteps],
    ['that make little sense', steps],
  ] as const) {
    test(`${name} do what the format says`, async () => {
      let good = 0;
      let bad = 0;
      await fc.assert(
        fc.asyncProperty(arbitrary, cuts, async (taken, places) => {
          const bytes = archiveOf(taken);
          const { code, files } = play(taken);
          const inBounds = places.map((place) => place % (bytes.length + 1));
          const { codes, output } = await runInMemory(cutAt(bytes, inBounds));
          assert.deepEqual(new Set(codes), new Set(code === undefined ? [] : [code]));
          assert.deepEqual(treeInMemory(output), treeOf(files));
          if (code === undefined) good += 1;
          else bad += 1;
        }),
        runs(3000),
      );
      // Both must come often for this to mean something.
      assert.ok(good > 150 && bad > 150, `${good} good, ${bad} bad`);
    });
  }

  test('do the same to a real directory', async () => {
    await fc.assert(
      fc.asyncProperty(endedSteps, async (taken) => {
        const { code, files } = play(taken);
        await withTempDir(async (target) => {
          const { codes } = await runInDirectory(archiveOf(taken), target);
          assert.deepEqual(new Set(codes), new Set(code === undefined ? [] : [code]));
          const names = Object.entries(readTree(target)).filter(([path]) => !/\/$|\.partial$/.test(path));
          assert.deepEqual(Object.fromEntries(names), treeOf(files));
        });
      }),
      runs(400),
    );
  });
});
