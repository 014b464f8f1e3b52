/** Where the thread starts that decodes files where they lie. */
import { parentPort } from 'node:worker_threads';
import { TaskThread } from '../../threads/task-thread.js';
import { decodeFiles } from '../../engine/in-place/decode-files.js';
import type { DECODE } from '../decode.js';
import type { TaskOf } from './start.js';

void TaskThread.serve(parentPort!, decodeFiles satisfies TaskOf<typeof DECODE>);
