/** Where the thread starts that makes the index of an archive. */
import { parentPort } from 'node:worker_threads';
import { TaskThread } from '../../threads/task-thread.js';
import { indexArchive } from '../make/index-archive.js';
import type { MAKE_INDEX } from '../make-index.js';
import type { TaskOf } from './start.js';

void TaskThread.serve(parentPort!, indexArchive satisfies TaskOf<typeof MAKE_INDEX>);
