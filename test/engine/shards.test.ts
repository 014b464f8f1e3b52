/** Results of shards, held together, say of an archive what one that reads all of it says. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from '../helpers/fast-check.js';
import { INSIDE_CODES } from '../../dist/archive/shards/event-lines.js';
import { errorToRecord, XbstreamError } from '../../dist/errors.js';
import type { Outcome } from '../../dist/outcome.js';
import { TaskControl } from '../../dist/threads/task-control.js';
import type { TaskThread } from '../../dist/threads/task-thread.js';
import { checkShard } from '../../dist/verbs/shards/check-shard.js';
import { mergeShards, type MergeSummary } from '../../dist/verbs/shards/merge-shards.js';
import { unpack } from '../../dist/verbs/unpack/unpack.js';
import type { VerifyOptions } from '../../dist/verbs/unpack/unpack-options.js';
import { archiveOf, change, layeredArchive, LAYERS_KEY, plannedArchive, steps } from '../helpers/arbitraries.js';
import { archive, end, file, noise, payload } from '../helpers/archive-bytes.js';
import { damagedArchive } from '../helpers/damaged-archives.js';
import { SOAK } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';

const cleanups: (() => void)[] = [];
after(() => cleanups.forEach((cleanup) => cleanup()));
const directory = tempDir({ after: (cleanup) => cleanups.push(cleanup) });
const SEED = 20_261_129;
const thread = {
  control: new TaskControl(),
  get signal() {
    return new AbortController().signal;
  },
  ...{ isStopped: () => false, progress: () => undefined, warning: () => undefined },
  ...{ file: () => undefined, flush: () => undefined, pause: () => undefined },
} as unknown as TaskThread;

function optionsFor(path: string, changes: Partial<VerifyOptions>): VerifyOptions {
  return {
    input: { kind: 'path', path },
    ...{ deep: false, backup: 'never', allowEncrypted: false, absoluteNames: false, allowEmpty: false },
    ...{ digests: [], manifest: undefined, overwrite: false, key: undefined },
    ...{ parallel: 1, decompressThreads: undefined, decryptThreads: undefined },
    ...{ format: undefined, json: false, quiet: false, verbose: false, progress: 'never', color: 'never' },
    ...{ help: false, version: false, parts: false, decodeStream: true, timeout: undefined },
    ...{ tee: false, index: undefined, info: undefined, shard: undefined, merge: false, archive: [] },
    ...changes,
  };
}

function told({ summary, problems }: Outcome<Omit<MergeSummary, 'input'>>): unknown {
  const { entries, entryBytes, archiveBytes, problemCount, backup } = summary!;
  return { entries, entryBytes, archiveBytes, problemCount, backup, problems: problems.map(errorToRecord) };
}

/** Checks all shards of an archive. @returns the files with their results */
async function resultsOf(options: VerifyOptions, shards: number): Promise<string[]> {
  const { input, absoluteNames, deep, key, index } = options;
  const paths: string[] = [];
  for (let shard = 1; shard <= shards; shard += 1) {
    const { summary } = await checkShard({ input, absoluteNames, deep, key, index, choice: { shard, shards } }, thread);
    const path = join(directory, `result-${shard}`);
    fs.writeFileSync(path, summary!.result.join(''));
    paths.push(path);
  }
  return paths;
}

/** What is wrong inside of a file, and not with its chunks. */
const INSIDE: ReadonlySet<string> = new Set(INSIDE_CODES);

/**
 * Files that are damaged are looked into by none of the shards: of these, one run may have more to say.
 *
 * @returns whether something was wrong inside of files alone
 */
async function checkInside(bytes: Buffer, shards: number, changes: Partial<VerifyOptions>): Promise<boolean> {
  const path = join(directory, 'archive');
  fs.writeFileSync(path, bytes);
  const options = optionsFor(path, { deep: true, ...changes });
  const alone = await unpack({ verb: 'verify', options }, thread);
  const merging = { results: await resultsOf(options, shards), archive: options.input, allowEmpty: false };
  const merged = await mergeShards({ ...merging, allowEncrypted: options.allowEncrypted }, thread);
  const textsOf = ({ problems }: Outcome<unknown>): string[] =>
    problems.map((problem) => `${problem.code} ${problem.message}`);
  const isInside = alone.problems.every(({ code }) => INSIDE.has(code) || code === 'XB_KEY_REQUIRED');
  if (isInside) assert.deepEqual(told(merged), told(alone));
  else {
    assert.ok(merged.problems.length > 0);
    for (const text of textsOf(merged)) assert.ok(textsOf(alone).includes(text), text);
  }
  return isInside && alone.problems.length > 0;
}

/** @returns whether the results alone have told it */
async function check(bytes: Buffer, shards: number, changes: Partial<VerifyOptions> = {}): Promise<boolean> {
  const path = join(directory, 'archive');
  fs.writeFileSync(path, bytes);
  const options = optionsFor(path, changes);
  const results = await resultsOf(options, shards);
  const expected = told(await unpack({ verb: 'verify', options }, thread));
  const { allowEmpty, allowEncrypted } = options;
  const merging = { results, allowEmpty, allowEncrypted };
  assert.deepEqual(told(await mergeShards({ ...merging, archive: options.input }, thread)), expected);
  try {
    assert.deepEqual(told(await mergeShards({ ...merging, archive: undefined }, thread)), expected);
    return true;
  } catch (error) {
    if (!(error instanceof XbstreamError)) throw error;
    assert.match(error.message, /the results alone do not tell/);
    return false;
  }
}

/** An archive with a file that is an archive itself, perhaps cut into chunks where its own begin. */
const nested = fc
  .record({
    inner: plannedArchive,
    chunkBytes: fc.constantFrom(40, 100, 700, 5000),
    before: fc.nat({ max: 3000 }),
    behind: fc.nat({ max: 3000 }),
  })
  .map(({ inner, chunkBytes, before, behind }) =>
    archive(
      file('before', noise(before, 7), 500),
      file('inner.xbstream', inner.bytes, chunkBytes),
      file('behind', noise(behind, 8), 500),
    ),
  );

const anyArchive = fc.oneof(
  { weight: 3, arbitrary: plannedArchive.map(({ bytes }) => bytes) },
  { weight: 2, arbitrary: steps.map(archiveOf) },
  { weight: 4, arbitrary: fc.nat({ max: 1_000_000 }).map((seed) => damagedArchive(seed).bytes) },
  { weight: 2, arbitrary: nested },
);

const changes = fc.array(change, { minLength: 1, maxLength: 3 });

describe('an archive that is verified by shards', { concurrency: 1 }, () => {
  test('is judged as in one piece: random archives, damages and cuts, 1 to 16 shards', async () => {
    let alone = 0;
    const numRuns = SOAK ? 1000 : 30;
    await fc.assert(
      fc.asyncProperty(anyArchive, changes, fc.integer({ min: 1, max: 16 }), async (sound, damages, shards) => {
        const bytes = damages.reduce((so, damage) => damage(so), sound);
        if (await check(bytes, shards)) alone += 1;
      }),
      { seed: SEED, numRuns },
    );
    // Where the archive is needed again that is for a reason, and rare.
    assert.ok(alone > numRuns * 0.8, `${alone} of ${numRuns}`);
  });

  test('with an archive in it that begins and ends where its own chunks do', async () => {
    const inner = archive(...[1, 2, 3, 4].map((index) => file(`inner${index}`, noise(900, index), 300)));
    const outer = archive(file('a', noise(500)), file('b.xbstream', inner), file('c', noise(2000), 200));
    for (let shards = 1; shards <= 16; shards += 1) await check(outer, shards);
  });

  test('that is an archive in an archive, and nothing else', async () => {
    const inner = archive(...[1, 2, 3, 4].map((index) => file(`inner${index}`, noise(900, index), 300)));
    for (let shards = 1; shards <= 16; shards += 1) await check(file('b.xbstream', inner), shards);
  });

  test('without a byte, and without a chunk', async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('x'), noise(5000), Buffer.from('PK\x03\x04 and more of it')]) {
      for (const shards of [1, 3, 16]) {
        await check(bytes, shards);
        await check(bytes, shards, { allowEmpty: true });
      }
    }
  });

  test('compressed as a whole where that is not undone', async () => {
    await check(Buffer.concat([Buffer.from([0x1f, 0x8b, 8]), noise(500)]), 1, {
      input: { kind: 'path', path: join(directory, 'archive'), stream: { asIs: true } },
    });
  });

  test('with absolute names, allowed or not', async () => {
    const bytes = archive(file('/etc/a', noise(700), 100), file('/../b', noise(700), 100), file('c', noise(500), 100));
    for (const absoluteNames of [false, true]) await check(bytes, 5, { absoluteNames });
  });

  test('a file whose end chunk is followed by damage, with its content in another shard', async () => {
    const bytes = archive(file('a', noise(3000), 500), file('b', noise(3000, 2), 500));
    const at = bytes.indexOf(end('a')) + end('a').length;
    for (const place of [8, 9, 10, 11, 14]) {
      const damaged = Buffer.from(bytes);
      damaged[at + place]! ^= 0x40;
      for (let shards = 1; shards <= 16; shards += 1) await check(damaged, shards);
    }
  });

  test('where a chunk without content has a wrong checksum', async () => {
    const bytes = archive(
      file('a', noise(3000), 500),
      payload('b', 0, '', { crc: 1 }),
      Buffer.from('something else'),
      file('b', noise(3000, 2), 500),
    );
    for (let shards = 1; shards <= 16; shards += 1) await check(bytes, shards);
  });
});

describe('an archive that is looked into by shards', { concurrency: 1 }, () => {
  test('is judged as in one piece: files with layers, sound or not, and damage', async () => {
    let wrongInside = 0;
    const numRuns = SOAK ? 1000 : 60;
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          plannedArchive.map(({ bytes }) => bytes),
          layeredArchive,
          layeredArchive,
        ),
        change,
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom(undefined, LAYERS_KEY),
        fc.boolean(),
        async (sound, damage, shards, key, allowEncrypted) => {
          if (await checkInside(damage(sound), shards, { key, allowEncrypted })) wrongInside += 1;
        },
      ),
      { seed: SEED, numRuns },
    );
    assert.ok(wrongInside > numRuns / 10, String(wrongInside));
  });
});

describe('the results of other archives, or not all of one, are an error', { concurrency: 1 }, () => {
  const bytes = file('a', noise(5000), 500);
  const path = join(directory, 'whole');

  async function refused(results: readonly string[], what: RegExp, archivePath?: string): Promise<void> {
    const input = archivePath === undefined ? undefined : ({ kind: 'path', path: archivePath } as const);
    const merging = mergeShards({ results, archive: input, allowEmpty: false, allowEncrypted: false }, thread);
    await assert.rejects(merging, (error) => {
      assert.ok(error instanceof XbstreamError, String(error));
      assert.deepEqual([error.code, what.test(error.message)], ['XB_USAGE', true], error.message);
      return true;
    });
  }

  async function four(content: Buffer, prefix: string, options: Partial<VerifyOptions> = {}): Promise<string[]> {
    fs.writeFileSync(path, content);
    const results = await resultsOf(optionsFor(path, options), 4);
    return results.map((result, index) => {
      const name = join(directory, `${prefix}-${index}`);
      fs.renameSync(result, name);
      return name;
    });
  }

  test('missing, twice, mixed, cut', async () => {
    const good = await four(bytes, 'good');
    const other = await four(file('b', noise(5000), 500), 'other');
    const larger = await four(file('a', noise(6000), 500), 'larger');
    const absolute = await four(bytes, 'absolute', { absoluteNames: true });
    await refused([], /no result/);
    await refused(good.slice(1), /results are missing: those of 1 of 4/);
    await refused([...good, good[2]!], /shard 3\/4 was given twice/);
    await refused([...good.slice(0, 3), other[3]!], /different archives of the same size/);
    await refused([...good.slice(0, 3), larger[3]!], /different sizes/);
    await refused([...good.slice(0, 3), absolute[3]!], /with and without --absolute-names/);
    fs.writeFileSync(path, file('a', noise(5000, 2), 500));
    await refused(good, /not those of/, path);
    const text = fs.readFileSync(good[1]!, 'utf8');
    const lines = text.trimEnd().split('\n');
    for (let count = 0; count < lines.length; count += 1) {
      fs.writeFileSync(
        good[1]!,
        lines
          .slice(0, count)
          .map((line) => `${line}\n`)
          .join(''),
      );
      await refused(good, /no result of a shard that is whole/);
    }
    for (const changed of [
      text.replace('"version":1', '"version":2'),
      text.replace('"shard":2', '"shard":9'),
      text.replace(/"payloadBytes":\d+/, '"payloadBytes":-1'),
      text.replace(/"payloadBytes":\d+/, '"payloadBytes":9007199254740991'),
      text.replace(/\n/, `\n${'x'.repeat(1_000_000)}\n`),
      `${'x'.repeat(1_000_000)}${text}`,
      '{}\n',
      '[]\n',
    ]) {
      assert.notEqual(changed, text);
      fs.writeFileSync(good[1]!, changed);
      await refused(good, /no result of a shard that is whole/);
    }
  });

  test('of which a line was lost: what the chunk in it held is not taken for checked', async () => {
    const many = archive(
      ...Array.from({ length: 12 }, (_, number) => file(`db/t${number}.ibd`, noise(700, number), 300)),
    );
    const results = await four(many, 'line');
    const texts = results.map((result) => fs.readFileSync(result, 'utf8'));
    for (const [at, text] of texts.entries()) {
      const lines = text.trimEnd().split('\n');
      for (let lost = 1; lost < lines.length; lost += 1) {
        const left = lines.filter((_, index) => index !== lost);
        fs.writeFileSync(results[at]!, left.map((line) => `${line}\n`).join(''));
        await refused(results, /no result of a shard that is whole/);
      }
      fs.writeFileSync(results[at]!, text);
    }
  });

  test('that end before the archive does: no verdict', async () => {
    const results = await four(bytes, 'early');
    const text = fs.readFileSync(results[0]!, 'utf8');
    for (const archiveBytes of [0, 15, 5000]) {
      fs.writeFileSync(
        results[0]!,
        text.replace(/\{"type":"end".*\n$/, `{"type":"end","archiveBytes":${archiveBytes}}\n`),
      );
      await refused(results, /no result of a shard that is whole/);
    }
    const of = (content: object): string => `${JSON.stringify(content)}\n`;
    const head = JSON.parse(text.split('\n')[0]!) as object;
    fs.writeFileSync(
      results[0]!,
      of({ ...head, shards: 1, archiveBytes: 0 }) + of({ type: 'answer', path: 'a', known: 'whole' }),
    );
    await refused(results.slice(0, 1), /make no sense at archive byte/);
  });

  test('whatever somebody has made of a result: it is an error, or judged, and comes to an end', async () => {
    const damaged = damagedArchive(7).bytes;
    const results = await four(damaged, 'hostile');
    const texts = results.map((result) => fs.readFileSync(result, 'utf8'));
    let judged = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 3 }),
        fc.nat(),
        fc.constantFrom('0', '9007199254740991', '-1', '"x"', 'null', '[]', '{}', '1e400', 'true'),
        async (which, at, value) => {
          const text = texts[which]!;
          const values = [...text.matchAll(/(?<=":)(?:\d+|"[^"]*"|true|false)/g)];
          const { index, 0: old } = values[at % values.length]!;
          fs.writeFileSync(results[which]!, text.slice(0, index) + value + text.slice(index + old.length));
          try {
            const input = { kind: 'path', path } as const;
            await mergeShards({ results, archive: input, allowEmpty: false, allowEncrypted: false }, thread);
            judged += 1;
          } catch (error) {
            assert.ok(error instanceof XbstreamError && error.code === 'XB_USAGE', String(error));
          }
          fs.writeFileSync(results[which]!, text);
        },
      ),
      { seed: SEED, numRuns: SOAK ? 5000 : 150 },
    );
    assert.ok(judged > 0);
  });
});
