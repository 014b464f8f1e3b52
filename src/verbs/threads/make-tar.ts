/** Where the thread starts that makes a tar. */
import { parentPort } from 'node:worker_threads';
import { TaskThread } from '../../threads/task-thread.js';
import { makeTar } from '../make/make-tar.js';

void TaskThread.serve(parentPort!, makeTar);
