import type { LaneJob, LaneResult } from './protocol.js';
import { availableParallelism } from 'node:os';
import { inputSize } from '../input/input-size.js';
import { WorkBoard } from './work-plan.js';
import { isPiped } from './cut-short.js';
import { LANE_THREAD } from './start-thread.js';
import { runTask, type TaskListener } from './task.js';

/**
 * Runs a verb that reads a whole archive in a thread of its own.
 *
 * @param signal ends it early; the result then says `stopped`
 * @returns undefined when the thread did not stop in time and was ended
 */
export async function runLane(
  job: LaneJob,
  listener: TaskListener,
  signal: AbortSignal,
): Promise<LaneResult | undefined> {
  if (job.verb === 'extract' && job.share === undefined) {
    const count = Math.min(job.options.parallel ?? 2, availableParallelism());
    const { keepGoing, digests, manifest, dryRun } = job.options;
    const isShareable = !keepGoing && digests.length === 0 && manifest === undefined && !dryRun;
    if (isShareable && (inputSize(job.options.input) ?? 0) >= 64 << 20) {
      const { buffer } = new WorkBoard();
      const results = await Promise.all(
        Array.from({ length: count }, (_, index) =>
          runLane({ ...job, share: { index, board: buffer } }, listener, signal),
        ),
      );
      return results[0];
    }
  }
  const { input, key } = job.options;
  return runTask<LaneJob, LaneResult>(
    {
      module: LANE_THREAD,
      options: job,
      piped: isPiped(input),
      ports: input.kind === 'ring' ? [input.ring.port] : [],
      decodes: key !== undefined || (job.verb === 'verify' ? job.options.deep : job.options.decompress),
    },
    listener,
    signal,
  );
}
