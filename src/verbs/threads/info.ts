/** Where the thread starts that tells what a backup is: to a caller of the library, or where it is waited for in calls. */
import { parentPort } from 'node:worker_threads';
import { TaskThread } from '../../threads/task-thread.js';
import { inform, type INFO } from '../info.js';
import type { TaskOf } from './start.js';

void TaskThread.serve(parentPort!, inform satisfies TaskOf<typeof INFO>);
