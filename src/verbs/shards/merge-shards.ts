/** The thread that judges an archive by the results of its shards. */
import { archiveDigest } from '../../archive/shards/archive-digest.js';
import { inOrder, Merging, type Merged } from '../../archive/shards/merge.js';
import { PartReader } from '../../archive/shards/part-reader.js';
import { ResultFile } from '../../archive/shards/result-file.js';
import type { ShardHead } from '../../archive/shards/events.js';
import { backupFinding } from '../../backup/backup-state.js';
import type { Context } from '../../context.js';
import { withSource } from '../../engine/with-source.js';
import { XbstreamError } from '../../errors.js';
import { inputName, type InputChoice } from '../../input/open-source.js';
import type { Source } from '../../input/source.js';
import type { Outcome } from '../../outcome.js';
import { explained } from '../../wrapper/wrapper-error.js';
import { withCure } from '../unpack/cure.js';
import { leftEncrypted, NOT_LOOKED_AT, type UnpackSummary } from '../unpack/unpack-job.js';
import { archiveOfNames, archiveSize } from './archive-facts.js';

/** What of a verification there is when all results are held together. */
export type MergeSummary = Pick<
  UnpackSummary,
  'entries' | 'entryBytes' | 'archiveBytes' | 'problemCount' | 'backup' | 'digests' | 'besides'
> & { input: InputChoice };

export interface MergeOptions {
  /** Files with the results of all shards. */
  results: readonly string[];
  /** The archive, where it is at hand. */
  archive: InputChoice | undefined;
  allowEmpty: boolean;
  /** Files that could not be looked into, for want of a key, need not be. */
  allowEncrypted: boolean;
}

export async function mergeShards(options: MergeOptions, context: Context): Promise<Outcome<MergeSummary>> {
  const results = inOrder(options.results.map((path) => new ResultFile(path)));
  const { archive } = options;
  const input = archive ?? archiveOfNames(results[0]!.head.archive);
  let hasWhole = false;
  const judge = (source?: Source): Outcome<MergeSummary> => {
    const merged = merge(results, source, options, context);
    hasWhole = merged !== undefined && merged.storedPaths.length > 0;
    return told(merged, results, input, options, context);
  };
  const outcome =
    archive === undefined
      ? judge()
      : await withSource(archive, context, (source) => {
          assertIsOf(source, archive, results[0]!.head);
          return Promise.resolve(judge(source));
        });
  const problems = archive === undefined ? explained(outcome.problems, input, undefined) : outcome.problems;
  return { ...outcome, problems: withCure(problems, { verb: 'verify', options: { input } }, hasWhole) };
}

function merge(
  results: readonly ResultFile[],
  source: Source | undefined,
  { allowEmpty }: MergeOptions,
  context: Context,
): Merged | undefined {
  const { absoluteNames } = results[0]!.head;
  const { isStopped } = context;
  const reader =
    source && new PartReader(source, { absoluteNames, isStopped, onProgress: (bytes) => context.progress({ bytes }) });
  return new Merging(results, reader && ((...part) => reader.read(...part))).run(allowEmpty);
}

function told(
  merged: Merged | undefined,
  results: readonly ResultFile[],
  input: InputChoice,
  { allowEncrypted }: MergeOptions,
  context: Context,
): Outcome<MergeSummary> {
  if (merged === undefined) return { summary: undefined, problems: [], stopped: true };
  const { storedPaths, soundFiles, ...totals } = merged;
  const encrypted = leftEncrypted(
    soundFiles,
    { decompress: results[0]!.head.deep === 'but encrypted' },
    allowEncrypted ? 'allow' : 'refuse',
    NOT_LOOKED_AT,
    context,
  );
  const problems = [...merged.problems, ...encrypted];
  const problemCount = Math.max(problems.length, merged.problemCount);
  return {
    problems,
    stopped: false,
    summary: { ...totals, problemCount, input, backup: backupFinding(storedPaths), digests: {}, besides: [] },
  };
}

/** @throws XbstreamError `XB_USAGE` where the archive is another */
function assertIsOf(source: Source, archive: InputChoice, head: ShardHead): void {
  const archiveBytes = archiveSize(source, archive);
  if (archiveBytes === head.archiveBytes && archiveDigest(source, archiveBytes) === head.archiveDigest) return;
  throw new XbstreamError('XB_USAGE', `the results are not those of ${inputName(archive)}`, {
    details: [`expected an archive of ${head.archiveBytes} bytes, and the same content`],
    hints: ['name the archive that the shards were checked of'],
  });
}
