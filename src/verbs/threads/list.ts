/** Where the thread starts that lists an archive for a caller of the library. */
import { parentPort } from 'node:worker_threads';
import { TaskThread } from '../../threads/task-thread.js';
import { list } from '../list.js';

TaskThread.serve(parentPort!, list.run);
