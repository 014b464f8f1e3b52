/** Unpacks an archive by pipelines side by side, each of which makes whole files in a thread of its own. */
import type { Context } from '../../context.js';
import { decodingThreads } from '../../engine/decoding/decoding-setup.js';
import { pipelineCount, SHARING_LIMITS } from '../../engine/pipeline/pipeline-count.js';
import { tellResidue } from '../../engine/residue.js';
import { XbstreamError } from '../../errors.js';
import { isGood, type Outcome } from '../../outcome.js';
import type { PipelineSummary } from './pipeline-task.js';
import { runPipelines, sawTheSame } from './run-pipelines.js';
import { decodes, type UnpackSummary } from './unpack-job.js';
import type { ExtractOptions } from './unpack-options.js';

/** @returns undefined where one lane has to do it, or would not be slower: nothing was done then */
export async function extractShared(
  options: ExtractOptions,
  context: Context,
): Promise<Outcome<UnpackSummary> | undefined> {
  const count = await countOf(options);
  if (count < 2 || context.signal.aborted) return undefined;
  const outcomes = await runPipelines({ verb: 'extract', options }, count, SHARING_LIMITS, context);
  const isPlanned = outcomes.every(({ summary }) => summary?.plan !== undefined);
  const isDone = outcomes.some(({ summary, problems }) => (summary?.files ?? 0) > 0 || problems.length > 0);
  const isStopped = outcomes.some(({ stopped }) => stopped);
  return isPlanned || isDone || isStopped ? merged(outcomes) : undefined;
}

/** How many pipelines there are to be. */
async function countOf(options: ExtractOptions): Promise<number> {
  const { existing, digests, manifest, stripComponents } = options;
  const { include, exclude, tables, databases } = options;
  const isPlain =
    [include, exclude, tables, databases].every((names) => names.length === 0) &&
    (existing === 'refuse' || existing === 'overwrite') &&
    !options.keepGoing &&
    digests.length === 0 &&
    manifest === undefined &&
    !options.dryRun &&
    stripComponents === 0 &&
    !options.allowSymlinks &&
    !options.absoluteNames &&
    options.index === undefined;
  if (!isPlain) return 1;
  return pipelineCount(options.input, decodes(options) ? decodingThreads(options) : options.parallel);
}

/** What the pipelines of one run have done together. */
function merged(outcomes: readonly Outcome<PipelineSummary>[]): Outcome<UnpackSummary> {
  const summaries = outcomes.flatMap(({ summary }) => summary ?? []);
  const [first] = summaries;
  const sum = (of: (summary: PipelineSummary) => number): number =>
    summaries.reduce((total, each) => total + of(each), 0);
  const { errors: problems, partials } = tellResidue(
    summaries.flatMap(({ left }) => left),
    outcomes.flatMap((outcome) => outcome.problems),
    sum(({ files }) => files),
  );
  const stopped = problems.length === 0 && outcomes.some((outcome) => outcome.stopped);
  if (first === undefined) return { summary: undefined, problems, stopped };
  const { plan, left, ...common } = first;
  const summary: UnpackSummary = {
    ...common,
    files: sum(({ files }) => files),
    bytes: sum(({ bytes }) => bytes),
    keptFiles: sum(({ keptFiles }) => keptFiles),
    partials,
  };
  const isAll = summary.files === plan?.files;
  if (isGood({ summary, problems, stopped }) && !(sawTheSame(outcomes) && isAll)) problems.push(changedMeanwhile());
  return { summary: { ...summary, problemCount: problems.length }, problems, stopped };
}

function changedMeanwhile(): XbstreamError {
  return new XbstreamError('XB_IO', 'the archive changed while it was being read', {
    details: ['what is in the target may not be all of it'],
    hints: ['unpack it again into an empty directory when nobody writes to it any more'],
  });
}
