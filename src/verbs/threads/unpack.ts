/** Where the thread starts that unpacks or verifies an archive in its own order. */
import { parentPort } from 'node:worker_threads';
import { TaskThread } from '../../threads/task-thread.js';
import { unpack } from '../unpack/unpack.js';

TaskThread.serve(parentPort!, unpack);
