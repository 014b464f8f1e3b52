/** The writing thread's module. */
import { connectHelper } from '../../threads/helper-side.js';
import { doWriteJobs, WriteJobs, type WriteMemory } from './write-jobs.js';

const { data } = connectHelper<WriteMemory, never, never>();
doWriteJobs(new WriteJobs(data.dataBytes, data.memory));
