/** Where the thread starts that checks a part of an archive. */
import { parentPort } from 'node:worker_threads';
import { TaskThread } from '../../threads/task-thread.js';
import { checkShard } from '../shards/check-shard.js';
import type { CHECK_SHARD } from '../verify.js';
import type { TaskOf } from './start.js';

void TaskThread.serve(parentPort!, checkShard satisfies TaskOf<typeof CHECK_SHARD>);
