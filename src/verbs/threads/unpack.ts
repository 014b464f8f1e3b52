/**
 * Where the thread starts that unpacks or verifies an archive in its own order, or, beside others, some of its files. What is small
 * is done in the thread of whoever wants it, which takes this module for that.
 */
import { parentPort, type MessagePort } from 'node:worker_threads';
import { TaskThread } from '../../threads/task-thread.js';
import { runPipeline, type PipelineJob } from '../unpack/pipeline-task.js';
import type { PIPELINE } from '../unpack/run-pipelines.js';
import { unpack } from '../unpack/unpack.js';
import type { UNPACK, UnpackJob } from '../unpack/unpack-job.js';
import type { TaskOf } from './start.js';

const share: TaskOf<typeof PIPELINE> = runPipeline;
const readInOrder: TaskOf<typeof UNPACK> = unpack;

/** One module for both: whoever starts it early does not know yet which of them it will be. */
export function serve(port: MessagePort): Promise<void> {
  return TaskThread.serve(port, (job: UnpackJob | PipelineJob, thread) =>
    'share' in job ? share(job, thread) : readInOrder(job, thread),
  );
}

if (parentPort !== null) void serve(parentPort);
