import { XbstreamError, errorToRecord } from '../errors.js';
import { decodingThreads } from './decoding-setup.js';
import type { ExtractOptions } from './extract-options.js';
import { pipelineCount, SHARING_LIMITS } from './pipeline-count.js';
import type { LaneResult } from './protocol.js';
import { runPipelines, sawTheSame } from './run-pipelines.js';
import type { TaskListener } from './task.js';

/**
 * Unpacks an archive by pipelines side by side, each of which makes whole files in a thread of its own.
 *
 * @param signal ends it early; the result then says `stopped`
 * @returns undefined where one lane has to do it, or would not be slower: nothing was done then
 */
export async function extractShared(
  options: ExtractOptions,
  listener: TaskListener,
  signal: AbortSignal,
): Promise<LaneResult | undefined> {
  const count = await countOf(options);
  if (count < 2 || signal.aborted) return undefined;
  const results = await runPipelines({ verb: 'extract', options }, count, SHARING_LIMITS, listener, signal);
  const first = results[0];
  if (first === undefined) return undefined;
  const isPlanned = results.every((result) => result?.plan !== undefined);
  const isDone = results.some((result) => (result?.files ?? 0) > 0 || (result?.errorCount ?? 0) > 0);
  const isStopped = results.some((result) => result?.stopped === true);
  if (!isPlanned && !isDone && !isStopped) return undefined;
  return merged(first, results);
}

/** How many pipelines there are to be. */
async function countOf(options: ExtractOptions): Promise<number> {
  const { selection, existing, keepGoing, digests, manifest, dryRun, stripComponents } = options;
  const isEverything =
    selection.include.length + selection.exclude.length === 0 &&
    (selection.tables?.length ?? 0) + (selection.databases?.length ?? 0) === 0;
  const isPlain =
    isEverything &&
    (existing === 'refuse' || existing === 'overwrite') &&
    keepGoing !== true &&
    digests.length === 0 &&
    manifest === undefined &&
    !dryRun &&
    stripComponents === 0 &&
    !options.allowSymlinks &&
    !options.absoluteNames;
  if (!isPlain) return 1;
  const { decompress, key, parallel } = options;
  const isDecoding = decompress || key !== undefined;
  return pipelineCount(options.input, isDecoding ? decodingThreads(options) : parallel);
}

/** What the pipelines of one run have done together. */
function merged(first: LaneResult, all: readonly (LaneResult | undefined)[]): LaneResult {
  const results = all.filter((result) => result !== undefined);
  const total = { ...first, files: 0, bytes: 0, keptFiles: 0, errorCount: 0, errors: [], partials: [] };
  const sum: LaneResult = total;
  for (const { files, bytes, keptFiles, errorCount, errors, partials } of results) {
    sum.files += files;
    sum.bytes += bytes;
    sum.keptFiles += keptFiles;
    sum.errorCount += errorCount;
    sum.errors = [...sum.errors, ...errors];
    sum.partials = [...sum.partials, ...partials];
  }
  sum.stopped = sum.errors.length === 0 && results.some(({ stopped }) => stopped);
  const isAll = sum.files === first.plan?.files;
  if (sum.errors.length === 0 && !sum.stopped && !(sawTheSame(results) && isAll)) {
    sum.errors = [errorToRecord(changedMeanwhile())];
    sum.errorCount = 1;
  }
  return sum;
}

function changedMeanwhile(): XbstreamError {
  return new XbstreamError('XB_IO', 'the archive changed while it was being read', {
    details: ['what is in the target may not be all of it'],
    hints: ['unpack it again into an empty directory when nobody writes to it any more'],
  });
}
