/** A decoding thread: does the jobs it is sent, in order. */
import { parentPort, workerData } from 'node:worker_threads';
import { runJob } from '../codec/run-job.js';
import { errorToRecord, XbstreamError } from '../errors.js';
import {
  DecodeThreadState,
  type DecodeAnswer,
  type DecodeResult,
  type DecodeThreadData,
  type SentJob,
} from './decode-thread.js';
import { doPlacedJob, NotPlaced } from './placed-job.js';

const port = parentPort!;
const state = new DecodeThreadState((workerData as DecodeThreadData).memory);
state.presence.announce();

function resultOf({ job, to }: SentJob): DecodeResult {
  try {
    if (!(to instanceof Uint8Array)) return { rests: doPlacedJob(job, to) };
    let bytes = 0;
    const later = runJob(job, (piece) => {
      to.set(piece, bytes);
      bytes += piece.length;
    });
    if (later !== undefined) return { bug: new Error(`${job.layer} is not decoded in this thread`) };
    return { bytes };
  } catch (error) {
    if (error instanceof NotPlaced) return 'not placed';
    return error instanceof XbstreamError ? { error: errorToRecord(error) } : { bug: error };
  }
}

port.on('message', (sent: SentJob) => {
  const { number, job, to } = sent;
  const result = resultOf(sent);
  const output = to instanceof Uint8Array ? to : undefined;
  const answer: DecodeAnswer = { number, input: job.bytes, output, result };
  const memory = output === undefined ? [job.bytes.buffer] : [job.bytes.buffer, output.buffer];
  // First: whoever sees the number turns to events, and must find the answer there.
  port.postMessage(answer, memory as ArrayBuffer[]);
  state.answered();
});
