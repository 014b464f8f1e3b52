/** The writing thread: does what {@link WriteJobs} says, in order, and says only whether it went well. */
import * as fs from 'node:fs';
import { workerData } from 'node:worker_threads';
import { pathForSystem } from '../format/stored-path.js';
import { FILE_MODE, NEW_FILE_FLAGS, writeAll } from './file-calls.js';
import { WriteJobs, type WriteJob } from './write-jobs.js';

const { memory, dataBytes } = workerData as { memory: SharedArrayBuffer; dataBytes: number };
const jobs = new WriteJobs(dataBytes, memory);

function perform(job: WriteJob): void {
  const bytes = jobs.bytes.subarray(job.start, job.end);
  if (job.kind === 'write') {
    writeAll(job.descriptor, bytes, job.fileOffset);
    return;
  }
  const partialPath = pathForSystem(job.partialPath);
  const descriptor = fs.openSync(partialPath, NEW_FILE_FLAGS, FILE_MODE);
  try {
    try {
      writeAll(descriptor, bytes, 0);
    } finally {
      fs.closeSync(descriptor);
    }
    fs.renameSync(partialPath, pathForSystem(job.finalPath));
  } catch (error) {
    // The lane does it again by itself, and then tells what is wrong.
    fs.unlinkSync(partialPath);
    throw error;
  }
}

for (let done = 0; ;) {
  const given = jobs.waitForMore(done);
  if (given === undefined) break;
  while (done !== given) {
    done = (done + 1) | 0;
    let well = true;
    try {
      perform(jobs.get(done));
    } catch {
      well = false;
    }
    jobs.complete(done, well);
  }
}
