/** Where the thread starts that reads files of an archive for a caller of the library, or where it is waited for in calls. */
import { parentPort } from 'node:worker_threads';
import { TaskThread } from '../../threads/task-thread.js';
import { catIntoRing } from '../cat/cat-files.js';
import type { CAT } from '../cat/cat-in-thread.js';
import type { TaskOf } from './start.js';

void TaskThread.serve(parentPort!, catIntoRing satisfies TaskOf<typeof CAT>);
