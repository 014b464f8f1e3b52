import { decodingThreads } from './decoding-setup.js';
import { pipelineCount, SHARING_LIMITS, type SharingLimits } from './pipeline-count.js';
import { decodingOf, type LaneJob, type LaneResult } from './protocol.js';
import { runPipelines, sawTheSame } from './run-pipelines.js';
import type { TaskListener } from './task.js';
import type { VerifyOptions } from './verify-options.js';

/**
 * Verifies an archive by pipelines side by side. That is only good to find out whether all is well: what is wrong is told by
 * one lane that goes through everything in order.
 *
 * @param limits from which size on it pays
 * @returns undefined when something is wrong, or pipelines would not help: it is all still to be done
 */
export async function verifyShared(
  options: VerifyOptions,
  listener: TaskListener,
  signal: AbortSignal,
  limits = SHARING_LIMITS,
): Promise<LaneResult | undefined> {
  const job = { verb: 'verify', options } as const;
  const count = await countOf(job, limits);
  if (count < 2 || signal.aborted) return undefined;
  const warnings: string[] = [];
  const quiet = { ...listener, warning: (message: string) => warnings.push(message) };
  const results = await runPipelines(job, count, limits, quiet, signal);
  const sound = soundResult(results);
  if (sound !== undefined) for (const warning of warnings) listener.warning(warning);
  return sound;
}

/** What there is to say of an archive that all pipelines found sound; undefined where that is not certain. */
export function soundResult(results: readonly (LaneResult | undefined)[]): LaneResult | undefined {
  const [first] = results;
  const done = results.reduce((sum, result) => sum + (result?.files ?? 0), 0);
  const isSound = results.every((result) => result?.errorCount === 0 && !result.stopped);
  return isSound && sawTheSame(results) && done === first?.plan?.files ? first : undefined;
}

/** How many pipelines there are to be. */
async function countOf(job: LaneJob & { verb: 'verify' }, limits: SharingLimits): Promise<number> {
  const { input, digests, manifest, parallel } = job.options;
  // Digests of the archive need all of it in order, in one place; a manifest the digests of all files.
  if (digests.length > 0 || manifest !== undefined) return 1;
  const { decompress, key } = decodingOf(job);
  const isDecoding = decompress || key !== undefined;
  const threads = isDecoding ? decodingThreads({ ...job.options, decompress, key }) : parallel;
  return pipelineCount(input, threads, limits);
}
