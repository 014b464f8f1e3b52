/** Where the thread starts that tells what a backup is to a caller of the library. */
import { parentPort } from 'node:worker_threads';
import { TaskThread } from '../../threads/task-thread.js';
import { info } from '../info.js';

TaskThread.serve(parentPort!, info.run);
