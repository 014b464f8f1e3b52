/** A decoding thread: does the jobs it is sent, in order. */
import { parentPort } from 'node:worker_threads';
import type { DecodeJob } from '../codec/codec.js';
import { runJob } from '../codec/run-job.js';
import { errorToRecord, XbstreamError } from '../errors.js';
import type { DecodeAnswer } from './decode-pool.js';

const port = parentPort!;

function answerTo(job: DecodeJob): DecodeAnswer {
  // What a decoder lends must be gathered; it is at most what the job says, and what it says is bounded.
  const output = Buffer.allocUnsafeSlow(job.outputBytesMax);
  let bytes = 0;
  try {
    const later = runJob(job, (piece) => {
      bytes += piece.copy(output, bytes);
    });
    if (later !== undefined) return { bug: new Error(`${job.layer} is not decoded in this thread`) };
  } catch (error) {
    return error instanceof XbstreamError ? { error: errorToRecord(error) } : { bug: error };
  }
  return { pieces: [output.subarray(0, bytes)] };
}

port.on('message', (job: DecodeJob) => {
  const answer = answerTo({ ...job, bytes: Buffer.from(job.bytes.buffer, job.bytes.byteOffset, job.bytes.byteLength) });
  port.postMessage(answer, 'pieces' in answer ? answer.pieces.map(({ buffer }) => buffer as ArrayBuffer) : []);
});
