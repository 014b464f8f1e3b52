import type { SharingLimits } from '../../engine/pipeline/pipeline-count.js';
import { WorkBoard } from '../../engine/pipeline/work-board.js';
import type { Outcome } from '../../outcome.js';
import type { ProgressReport } from '../../ui/reporter.js';
import type { PipelineSummary } from './pipeline-task.js';
import { inThread } from '../threads/start.js';
import type { UnpackJob } from './unpack-job.js';
import type { Context } from '../verb.js';

/**
 * Runs pipelines side by side that share the files of an archive.
 *
 * @param context is told what all of them do together; a warning once, though each of them may come to it
 */
export async function runPipelines(
  job: UnpackJob,
  count: number,
  { chunkBytesMin }: SharingLimits,
  context: Context,
): Promise<Outcome<PipelineSummary>[]> {
  const { buffer: board } = new WorkBoard();
  const { input } = job.options;
  const reports: ProgressReport[] = [];
  const warnings = new Set<string>();
  const warning = (message: string): void => {
    if (!warnings.has(message)) context.warning(message);
    warnings.add(message);
  };
  const { signal, isStopped, file } = context;
  return Promise.all(
    Array.from({ length: count }, (_, index) => {
      const progress = (report: ProgressReport): void => {
        reports[index] = report;
        context.progress(sumOf(reports, report));
      };
      const own: Context = { signal, isStopped, file, warning, progress };
      return inThread('pipeline', { ...job, share: { index, board, chunkBytesMin } }, { input }, own);
    }),
  );
}

/** Whether all pipelines saw the same archive: who saw another may have left out what it took for another's. */
export function sawTheSame(outcomes: readonly Outcome<PipelineSummary>[]): boolean {
  const signature = outcomes[0]?.summary?.plan?.signature;
  return signature !== undefined && outcomes.every(({ summary }) => summary?.plan?.signature === signature);
}

/** How far all of them are; at the file that the last one told of. */
function sumOf(reports: readonly (ProgressReport | undefined)[], last: ProgressReport): ProgressReport {
  const sum = { ...last, bytes: 0, files: 0 };
  for (const report of reports) {
    sum.bytes += report?.bytes ?? 0;
    sum.files += report?.files ?? 0;
  }
  return sum;
}
