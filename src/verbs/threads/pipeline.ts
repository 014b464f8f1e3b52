/** Where the thread starts that makes some files of an archive, beside others. */
import { parentPort } from 'node:worker_threads';
import { TaskThread } from '../../threads/task-thread.js';
import { runPipeline } from '../unpack/pipeline-task.js';

TaskThread.serve(parentPort!, runPipeline);
