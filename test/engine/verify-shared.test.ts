/** Several threads find of an archive what one finds: whether it is whole must not depend on how many looked at it. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from '../helpers/fast-check.js';
import type { Context } from '../../dist/context.js';
import { errorToRecord } from '../../dist/errors.js';
import { sharing } from '../../dist/engine/pipeline/share.js';
import type { Outcome } from '../../dist/outcome.js';
import { TaskControl } from '../../dist/threads/task-control.js';
import { runPipeline, type PipelineThread } from '../../dist/verbs/unpack/pipeline-task.js';
import { inThread } from '../../dist/verbs/threads/start.js';
import { UNPACK, type UnpackSummary } from '../../dist/verbs/unpack/unpack-job.js';
import { soundOutcome, verifyShared } from '../../dist/verbs/unpack/verify-shared.js';
import type { VerifyOptions } from '../../dist/verbs/unpack/unpack-options.js';
import {
  archiveOf,
  change,
  endedSteps,
  layeredArchive,
  LAYERS_KEY as KEY,
  plannedArchive,
} from '../helpers/arbitraries.js';
import { archive, end, file, noise, payload, seek } from '../helpers/archive-bytes.js';
import { damagedArchive } from '../helpers/damaged-archives.js';
import { qpressFile, xbcryptFile } from '../helpers/layer-writers.js';
import { SOAK } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';

const cleanups: (() => void)[] = [];
after(() => cleanups.forEach((cleanup) => cleanup()));
const directory = tempDir({ after: (cleanup) => cleanups.push(cleanup) });
const NOBODY: Context = {
  signal: new AbortController().signal,
  isStopped: () => false,
  warning: () => undefined,
  progress: () => undefined,
};
const NO_LIMITS = { archiveBytesMin: 0, chunkBytesMin: 0 };

function optionsFor(path: string, changes: Partial<VerifyOptions>): VerifyOptions {
  return {
    input: { kind: 'path', path },
    ...{ deep: false, backup: 'never', allowEncrypted: false, absoluteNames: false, allowEmpty: false },
    ...{ digests: [], manifest: undefined, overwrite: false, key: KEY },
    ...{ parallel: undefined, decompressThreads: undefined, decryptThreads: undefined },
    ...{ format: undefined, json: false, quiet: false, verbose: false, progress: 'never', color: 'never' },
    ...{ help: false, version: false, parts: false, decodeStream: true, timeout: undefined },
    ...{ shard: undefined, merge: false, archive: [] },
    ...{ tee: false, index: undefined, info: undefined },
    ...changes,
  };
}

/** Two pipelines, in this thread. */
async function byPipelines(options: VerifyOptions): Promise<Outcome<UnpackSummary> | undefined> {
  const share = sharing(2, 0);
  const thread: PipelineThread = {
    control: new TaskControl(),
    ...{ file: () => undefined, flush: () => undefined, isStopped: () => false, warning: () => undefined },
  };
  const outcomes = await Promise.all(
    [0, 1].map((index) => runPipeline({ verb: 'verify', options, share: { index, ...share } }, thread)),
  );
  return soundOutcome(outcomes);
}

function byOneLane(options: VerifyOptions): Promise<Outcome<UnpackSummary>> {
  return inThread(UNPACK, { verb: 'verify', options }, options, NOBODY);
}

function told({ summary, problems }: Outcome<UnpackSummary>): unknown {
  const { entries, entryBytes, archiveBytes, backup } = summary!;
  return { entries, entryBytes, archiveBytes, backup, problems: problems.map(errorToRecord) };
}

let count = 0;

/** @returns whether the pipelines have settled it */
async function check(bytes: Buffer, changes: Partial<VerifyOptions>): Promise<boolean> {
  const path = join(directory, `archive-${(count += 1)}`);
  fs.writeFileSync(path, bytes);
  const options = optionsFor(path, changes);
  const shared = await byPipelines(options);
  // Else it is one lane that tells.
  if (shared !== undefined) assert.deepEqual(told(shared), told(await byOneLane(options)));
  fs.rmSync(path);
  return shared !== undefined;
}

const anyArchive = fc.oneof(
  plannedArchive.map(({ bytes }) => bytes),
  endedSteps.map(archiveOf),
  fc.nat({ max: 100_000 }).map((seed) => damagedArchive(seed).bytes),
  layeredArchive,
);

describe('what pipelines take for whole one lane takes for whole', { concurrency: 2 }, () => {
  for (const deep of [false, true]) {
    test(deep ? 'with all layers undone' : 'as it is stored', async () => {
      await fc.assert(
        fc.asyncProperty(deep ? fc.oneof(anyArchive, layeredArchive) : anyArchive, change, async (bytes, damage) => {
          await check(damage(bytes), { deep });
        }),
        { numRuns: SOAK ? 60 : 10 },
      );
    });
  }

  test('without a key, too', async () => {
    await fc.assert(
      fc.asyncProperty(layeredArchive, fc.boolean(), async (bytes, allowEncrypted) => {
        await check(bytes, { deep: true, key: undefined, allowEncrypted });
      }),
      { numRuns: SOAK ? 15 : 5 },
    );
  });
});

test('pipelines take what is whole for whole', async () => {
  const sound = archive(
    ...[5, 4, 3].map((index) => file(`db/t${index}`, noise(index * 4000, index), 3000)),
    file('q.qp', qpressFile(noise(9000)), 700),
    file('x.qp.xbcrypt', xbcryptFile(qpressFile(noise(5000)), KEY)),
    end('empty.qp'),
  );
  for (const deep of [false, true]) assert.ok(await check(sound, { deep }), `deep: ${deep}`);
});

test('what comes out of order cannot be decoded by one lane, so that pipelines do not take it for whole', async () => {
  const content = qpressFile(noise(9000));
  const bytes = archive(payload('a.qp', 700, content.subarray(700)), payload('a.qp', 0, content.subarray(0, 700)));
  assert.ok(!(await check(archive(bytes, end('a.qp')), { deep: true })));
  assert.ok(!(await check(archive(seek('a.qp', 3), end('a.qp')), { deep: true })));
});

test('what is encrypted is a problem without a key, unless that is allowed', async () => {
  const bytes = file('x.xbcrypt', xbcryptFile(noise(5000), KEY));
  assert.ok(!(await check(bytes, { deep: true, key: undefined })));
  assert.ok(await check(bytes, { deep: true, key: undefined, allowEncrypted: true }));
});

test('in threads of their own, with any number of them', async () => {
  const path = join(directory, 'large');
  fs.writeFileSync(path, archive(file('a', noise(50_000), 9000), file('b.qp', qpressFile(noise(40_000)), 9000)));
  for (const parallel of [2, 7]) {
    const options = optionsFor(path, { deep: true, parallel });
    const shared = await verifyShared(options, NOBODY, NO_LIMITS);
    assert.deepEqual(told(shared!), told(await byOneLane(options)));
  }
  assert.equal(await verifyShared(optionsFor(path, { parallel: 1 }), NOBODY, NO_LIMITS), undefined);
});
