/**
 * Where the thread starts that unpacks or verifies an archive in its own order, or, beside others, some of its files. What is small
 * is done in the thread of whoever wants it, which takes this module for that.
 */
import { parentPort, type MessagePort } from 'node:worker_threads';
import { TaskThread } from '../../threads/task-thread.js';
import { runPipeline, type PipelineJob } from '../unpack/pipeline-task.js';
import { unpack } from '../unpack/unpack.js';
import type { UnpackJob } from '../unpack/unpack-job.js';

/** One module for both: whoever starts it early does not know yet which of them it will be. */
export function serve(port: MessagePort): Promise<void> {
  return TaskThread.serve(port, (job: UnpackJob | PipelineJob, thread) =>
    'share' in job ? runPipeline(job, thread) : unpack(job, thread),
  );
}

if (parentPort !== null) void serve(parentPort);
