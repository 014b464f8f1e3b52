/** A decoding thread: does the jobs it is sent, in order. */
import { parentPort, workerData } from 'node:worker_threads';
import { runJob } from '../codec/run-job.js';
import { errorToRecord, XbstreamError } from '../errors.js';
import type { DecodeAnswer, DecodeThreadData, SentJob } from './decode-pool.js';

const port = parentPort!;
const data = workerData as DecodeThreadData;
const answers = new Int32Array(data.answers);
const slots = data.slots.map(({ input, output }) => ({
  input: Buffer.from(input),
  output: Buffer.from(output),
}));

function answerTo({ slot, job, bytes }: SentJob): DecodeAnswer {
  const { input, output } = slots[slot]!;
  let outputBytes = 0;
  try {
    const later = runJob({ ...job, bytes: input.subarray(0, bytes) }, (piece) => {
      outputBytes += piece.copy(output, outputBytes);
    });
    if (later !== undefined) return { slot, bug: new Error(`${job.layer} is not decoded in this thread`) };
  } catch (error) {
    return error instanceof XbstreamError ? { slot, error: errorToRecord(error) } : { slot, bug: error };
  }
  return { slot, bytes: outputBytes };
}

port.on('message', (sent: SentJob) => {
  port.postMessage(answerTo(sent));
  Atomics.add(answers, 0, 1);
});
