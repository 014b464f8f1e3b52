/** Where the thread starts that writes a report. */
import { parentPort } from 'node:worker_threads';
import { TaskThread } from '../../threads/task-thread.js';
import { makeReport } from '../make/make-report.js';
import type { REPORT } from '../report.js';
import type { TaskOf } from './start.js';

void TaskThread.serve(parentPort!, makeReport satisfies TaskOf<typeof REPORT>);
