/** Where the thread starts that lists an archive: for a caller of the library, or where it is waited for in calls. */
import { parentPort } from 'node:worker_threads';
import { TaskThread } from '../../threads/task-thread.js';
import { listArchive, type LIST } from '../list.js';
import type { TaskOf } from './start.js';

void TaskThread.serve(parentPort!, listArchive satisfies TaskOf<typeof LIST>);
