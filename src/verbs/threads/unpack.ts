/** Where the thread starts that unpacks or verifies an archive in its own order, or, beside others, some of its files. */
import { parentPort } from 'node:worker_threads';
import { TaskThread } from '../../threads/task-thread.js';
import { runPipeline, type PipelineJob } from '../unpack/pipeline-task.js';
import { unpack } from '../unpack/unpack.js';
import type { UnpackJob } from '../unpack/unpack-job.js';

// One module for both: whoever starts it early does not know yet which of them it will be.
TaskThread.serve(parentPort!, (job: UnpackJob | PipelineJob, thread) =>
  'share' in job ? runPipeline(job, thread) : unpack(job, thread),
);
