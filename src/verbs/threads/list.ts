/** Where the thread starts that lists an archive: for a caller of the library, or where it is waited for in calls. */
import { parentPort } from 'node:worker_threads';
import { TaskThread } from '../../threads/task-thread.js';
import { listArchive } from '../list.js';

void TaskThread.serve(parentPort!, listArchive);
