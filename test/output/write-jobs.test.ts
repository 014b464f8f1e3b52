import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { doWriteJobs, WriteJobs } from '../../dist/output/writing/write-jobs.js';
import { tempDir } from '../helpers/temp.js';

test('the writing thread ends, also if it is told to in between its last look for jobs and its wait for more', (context) => {
  const jobs = new WriteJobs(8);
  const { wait } = Atomics;
  const outcomes: string[] = [];
  context.mock.method(Atomics, 'wait', (ints: Int32Array, at: number, value: number) => {
    jobs.quit();
    // It would wait without end.
    outcomes.push(wait(ints, at, value, 1000));
    return outcomes.at(-1);
  });
  doWriteJobs(jobs);
  assert.deepEqual(outcomes, ['not-equal']);
});

test('what the writing thread was given before it is told to end is done', (context) => {
  const jobs = new WriteJobs(8);
  jobs.bytes.write('content');
  const path = join(tempDir(context), 'file');
  const descriptor = fs.openSync(path, 'w');
  jobs.put(1, { kind: 'write', start: 0, end: 7, descriptor, fileOffset: 0 });
  jobs.publish(1);
  jobs.quit();
  doWriteJobs(jobs);
  fs.closeSync(descriptor);
  assert.equal(fs.readFileSync(path, 'utf8'), 'content');
  assert.equal(jobs.done, 1);
});
