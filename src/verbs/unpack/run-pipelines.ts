import type { Context } from '../../context.js';
import type { SharingLimits } from '../../engine/pipeline/pipeline-count.js';
import { sharing } from '../../engine/pipeline/share.js';
import { SharedFiles } from '../../engine/pipeline/shared-files.js';
import { WorkBoard } from '../../engine/pipeline/work-board.js';
import type { Outcome } from '../../outcome.js';
import type { PipelineJob, PipelineSummary } from './pipeline-task.js';
import { allOf, sideBySide } from '../threads/side-by-side.js';
import { inThread, work } from '../threads/start.js';
import type { UnpackJob } from './unpack-job.js';

export const PIPELINE = work<PipelineJob, PipelineSummary>('unpack');

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
  const share = sharing(count, chunkBytesMin);
  const board = new WorkBoard(share.board);
  const shared = new SharedFiles(count, undefined, share.shared);
  const run = async (own: Context, index: number): Promise<Outcome<PipelineSummary>> => {
    let isDone = false;
    try {
      const outcome = await inThread(PIPELINE, { ...job, share: { index, ...share } }, job.options, own);
      isDone = outcome.summary !== undefined;
      return outcome;
    } finally {
      // A thread that has ended in another way leaves nobody waiting for it.
      if (!isDone) board.stop();
      shared.gone(index);
    }
  };
  return allOf(sideBySide(context, count).map(run));
}

/** Whether all pipelines saw the same archive: one that saw another may have left out what it took for another's. */
export function sawTheSame(outcomes: readonly Outcome<PipelineSummary>[]): boolean {
  const signature = outcomes[0]?.summary?.plan?.signature;
  return signature !== undefined && outcomes.every(({ summary }) => summary?.plan?.signature === signature);
}
