/** Where the thread starts that makes an archive. */
import { parentPort } from 'node:worker_threads';
import { TaskThread } from '../../threads/task-thread.js';
import { pack } from '../make/pack.js';
import type { PACK } from '../create.js';
import type { TaskOf } from './start.js';

void TaskThread.serve(parentPort!, pack satisfies TaskOf<typeof PACK>);
