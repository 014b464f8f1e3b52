/** The writing thread: does what {@link WriteJobs} says, in order, and says only whether it went well. */
import { workerData } from 'node:worker_threads';
import { makeFile, writeAll } from './directory/file-calls.js';
import { WriteJobs, type WriteJob } from './write-jobs.js';

const { memory, dataBytes } = workerData as { memory: SharedArrayBuffer; dataBytes: number };
const jobs = new WriteJobs(dataBytes, memory);
jobs.presence.announce();

function perform(job: WriteJob): void {
  const bytes = jobs.bytes.subarray(job.start, job.end);
  if (job.kind === 'write') writeAll(job.descriptor, bytes, job.fileOffset);
  else makeFile(job.partialPath, job.finalPath, bytes, job.replace);
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
