import { decodingOf, type LaneJob, type LaneResult } from './protocol.js';
import { isPiped } from './cut-short.js';
import { LANE_THREAD } from './start-thread.js';
import { runTask, type TaskListener } from './task.js';

/**
 * Runs a verb that reads a whole archive in a thread of its own.
 *
 * @param signal ends it early; the result then says `stopped`
 * @returns undefined when the thread did not stop in time and was ended
 */
export function runLane(job: LaneJob, listener: TaskListener, signal: AbortSignal): Promise<LaneResult | undefined> {
  const { input } = job.options;
  const { decompress, key } = decodingOf(job);
  return runTask<LaneJob, LaneResult>(
    {
      module: LANE_THREAD,
      options: job,
      piped: isPiped(input),
      ports: input.kind === 'ring' ? [input.ring.port] : [],
      decodes: decompress || key !== undefined,
    },
    listener,
    signal,
  );
}
