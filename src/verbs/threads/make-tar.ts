/** Where the thread starts that makes a tar. */
import { parentPort } from 'node:worker_threads';
import { TaskThread } from '../../threads/task-thread.js';
import { makeTar } from '../make/make-tar.js';
import type { MAKE_TAR } from '../convert-to-tar.js';
import type { TaskOf } from './start.js';

void TaskThread.serve(parentPort!, makeTar satisfies TaskOf<typeof MAKE_TAR>);
