import { contextWith, type Context } from '../../context.js';
import { decodingThreads } from '../../engine/decoding/decoding-setup.js';
import { pipelineCount, SHARING_LIMITS, type SharingLimits } from '../../engine/pipeline/pipeline-count.js';
import { isGood, type Outcome } from '../../outcome.js';
import type { PipelineSummary } from './pipeline-task.js';
import { runPipelines, sawTheSame } from './run-pipelines.js';
import { decodes, undoingOf, type UnpackSummary } from './unpack-job.js';
import type { VerifyOptions } from './unpack-options.js';

/**
 * Verifies an archive by pipelines side by side. That is only good to find out whether all is well: what is wrong is told by
 * one lane that goes through everything in order.
 *
 * @param limits from which size on it pays
 * @returns undefined when something is wrong, or pipelines would not help: it is all still to be done
 */
export async function verifyShared(
  options: VerifyOptions,
  context: Context,
  limits = SHARING_LIMITS,
): Promise<Outcome<UnpackSummary> | undefined> {
  // Where files are named, they are in the archive's order, and each once.
  const count = context.file === undefined ? await countOf(options, limits) : 1;
  if (count < 2 || context.signal.aborted) return undefined;
  const warnings: string[] = [];
  const quiet = contextWith(context, { warning: (message) => warnings.push(message) });
  const outcomes = await runPipelines({ verb: 'verify', options }, count, limits, quiet);
  const sound = soundOutcome(outcomes);
  if (sound !== undefined) for (const warning of warnings) context.warning(warning);
  return sound;
}

/** What there is to say of an archive that all pipelines found sound; undefined where that is not certain. */
export function soundOutcome(outcomes: readonly Outcome<PipelineSummary>[]): Outcome<PipelineSummary> | undefined {
  const [first] = outcomes;
  const done = outcomes.reduce((sum, { summary }) => sum + (summary?.files ?? 0), 0);
  return outcomes.every(isGood) && sawTheSame(outcomes) && done === first?.summary?.plan?.files ? first : undefined;
}

/** How many pipelines there are to be. */
async function countOf(options: VerifyOptions, limits: SharingLimits): Promise<number> {
  const { input, digests, manifest, tee, index, info, parallel } = options;
  // What is made of all of the archive in order is made in one place.
  if (digests.length > 0 || tee || [manifest, index, info].some((path) => path !== undefined)) return 1;
  const undoing = undoingOf({ verb: 'verify', options });
  const threads = decodes(undoing) ? decodingThreads({ ...options, ...undoing }) : parallel;
  return pipelineCount(input, threads, limits);
}
