/** A decoding thread: does the jobs it is sent, in order. */
import { parentPort, workerData } from 'node:worker_threads';
import { runJob } from '../codec/run-job.js';
import { errorToRecord, XbstreamError } from '../errors.js';
import type { DecodeAnswer, DecodeThreadData, SentJob } from './decode-pool.js';

const port = parentPort!;
const answers = new Int32Array((workerData as DecodeThreadData).answers);

function answerTo({ number, job, output }: SentJob): DecodeAnswer {
  const returned = { number, input: job.bytes, output };
  let bytes = 0;
  try {
    const later = runJob(job, (piece) => {
      output.set(piece, bytes);
      bytes += piece.length;
    });
    if (later !== undefined) return { ...returned, bug: new Error(`${job.layer} is not decoded in this thread`) };
  } catch (error) {
    if (error instanceof XbstreamError) return { ...returned, error: errorToRecord(error) };
    return { ...returned, bug: error };
  }
  return { ...returned, bytes };
}

port.on('message', (sent: SentJob) => {
  const answer = answerTo(sent);
  // First: whoever sees the number turns to events, and must find the answer there.
  port.postMessage(answer, [answer.input.buffer as ArrayBuffer, answer.output.buffer as ArrayBuffer]);
  Atomics.add(answers, 0, 1);
});
