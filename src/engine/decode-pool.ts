import { Worker } from 'node:worker_threads';
import type { DecodeJob, JobOutput, JobRunner, OutputSink } from '../codec/codec.js';
import { runJob } from '../codec/run-job.js';
import { errorFromRecord, type ErrorRecord } from '../errors.js';

/** What a decoding thread answers to a job. */
export type DecodeAnswer = { pieces: Uint8Array[] } | { error: ErrorRecord } | { bug: unknown };

/** Jobs one thread has at a time: the one it does, and the next, so that it need not wait for it. */
const JOBS_PER_THREAD = 2;
/** A smaller job is done sooner than sent. */
const SENT_BYTES_MIN = 16 * 1024;

interface Waiting {
  resolve: (output: JobOutput) => void;
  reject: (error: unknown) => void;
}

/**
 * Decodes in other threads what they have time for, and in this one what they have not, so that all are busy. zstd is
 * always left to its own threads.
 */
export class DecodePool {
  readonly #threads: DecodeThread[] = [];
  readonly #most: number;

  /** @param threads how many there may be beside this one */
  constructor(threads: number) {
    this.#most = threads;
  }

  readonly run: JobRunner = (job: DecodeJob, sink: OutputSink): Promise<JobOutput> | undefined => {
    if (job.layer === 'zstd' || job.outputBytesMax < SENT_BYTES_MIN) return runJob(job, sink);
    const thread = this.#freeThread();
    return thread === undefined ? runJob(job, sink) : thread.send(job);
  };

  close(): void {
    for (const thread of this.#threads) thread.close();
  }

  #freeThread(): DecodeThread | undefined {
    const free =
      this.#threads.find(({ jobs }) => jobs === 0) ?? this.#threads.find(({ jobs }) => jobs < JOBS_PER_THREAD);
    if (free?.jobs === 0 || this.#threads.length === this.#most) return free;
    const thread = new DecodeThread();
    this.#threads.push(thread);
    return thread;
  }
}

class DecodeThread {
  readonly #worker = new Worker(new URL('./decode-worker.js', import.meta.url));
  /** In the order in which they were sent, which is that of the answers. */
  readonly #waiting: Waiting[] = [];

  constructor() {
    this.#worker.on('message', (answer: DecodeAnswer) => {
      const { resolve, reject } = this.#waiting.shift()!;
      if ('pieces' in answer)
        resolve({ pieces: answer.pieces.map((piece) => Buffer.from(piece.buffer, piece.byteOffset, piece.length)) });
      else reject('error' in answer ? errorFromRecord(answer.error) : answer.bug);
    });
    this.#worker.on('error', (error) => {
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    });
  }

  get jobs(): number {
    return this.#waiting.length;
  }

  send(job: DecodeJob): Promise<JobOutput> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(job);
    });
  }

  close(): void {
    void this.#worker.terminate();
  }
}
