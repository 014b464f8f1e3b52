/** Where the thread starts that judges an archive by the results of its shards. */
import { parentPort } from 'node:worker_threads';
import { TaskThread } from '../../threads/task-thread.js';
import { mergeShards } from '../shards/merge-shards.js';
import type { MERGE_SHARDS } from '../verify.js';
import type { TaskOf } from './start.js';

void TaskThread.serve(parentPort!, mergeShards satisfies TaskOf<typeof MERGE_SHARDS>);
