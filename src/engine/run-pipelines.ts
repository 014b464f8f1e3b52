import type { LaneJob, LaneResult } from './protocol.js';
import { runLane } from './run-lane.js';
import type { SharingLimits } from './pipeline-count.js';
import type { TaskListener } from './task.js';
import type { TaskProgress } from './task-protocol.js';
import { WorkBoard } from './work-board.js';

/**
 * Runs pipelines side by side that share the files of an archive.
 *
 * @param listener is told what all of them do together; a warning once, though each of them may come to it
 * @param signal ends them early; the results then say `stopped`
 * @returns their results; undefined for one that did not stop in time and was ended
 */
export async function runPipelines(
  job: LaneJob,
  count: number,
  { chunkBytesMin }: SharingLimits,
  listener: TaskListener,
  signal: AbortSignal,
): Promise<(LaneResult | undefined)[]> {
  const { buffer: board } = new WorkBoard();
  const progress: TaskProgress[] = [];
  const warnings = new Set<string>();
  return Promise.all(
    Array.from({ length: count }, (_, index) =>
      runLane(
        { ...job, share: { index, board, chunkBytesMin } },
        {
          file: listener.file,
          warning: (message) => {
            if (!warnings.has(message)) listener.warning(message);
            warnings.add(message);
          },
          progress: (report) => {
            progress[index] = report;
            listener.progress(sumOf(progress, report));
          },
        },
        signal,
      ),
    ),
  );
}

/** Whether all pipelines saw the same archive: who saw another may have left out what it took for another's. */
export function sawTheSame(results: readonly (LaneResult | undefined)[]): boolean {
  const signature = results[0]?.plan?.signature;
  return signature !== undefined && results.every((result) => result?.plan?.signature === signature);
}

function sumOf(progress: readonly (TaskProgress | undefined)[], last: TaskProgress): TaskProgress {
  const sum = { ...last, bytes: 0, files: 0 };
  for (const report of progress) {
    sum.bytes += report?.bytes ?? 0;
    sum.files += report?.files ?? 0;
  }
  return sum;
}
