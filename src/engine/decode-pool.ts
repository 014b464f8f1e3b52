import { Worker } from 'node:worker_threads';
import type { DecodeJob, JobOutput, JobRunner, OutputSink } from '../codec/codec.js';
import { JobMemory } from '../codec/job-memory.js';
import { runJob } from '../codec/run-job.js';
import { errorFromRecord, type ErrorRecord } from '../errors.js';

/** A job as it is sent, with room for what comes out. The memory of both goes along, and comes back with the answer. */
export interface SentJob {
  number: number;
  job: DecodeJob;
  output: Uint8Array;
}

/** What a decoding thread answers: what has come out lies in the first `bytes` of `output`. */
export type DecodeAnswer = { number: number; input: Uint8Array; output: Uint8Array } & (
  { bytes: number } | { error: ErrorRecord } | { bug: unknown }
);

/** What a decoding thread is started with. */
export interface DecodeThreadData {
  /** One int32: how many answers it has given. */
  answers: SharedArrayBuffer;
}

/** Jobs one thread has at a time: enough that it does not run out of them while this thread does one itself. */
const JOBS_PER_THREAD = 4;
/** No larger job is sent; larger ones are rare, and done in pieces here. */
const SENT_BYTES_MAX = 16 * 1024 * 1024;
/** A smaller job is done sooner than sent. */
const SENT_BYTES_MIN = 16 * 1024;

/**
 * Decodes in other threads and, where it may, in this one what they have no time for, so that all are busy. zstd is always
 * left to its own threads.
 */
export class DecodePool {
  /** For what is decoded here and there. */
  readonly memory = new JobMemory();
  readonly #threads: DecodeThread[] = [];
  readonly #most: number;
  readonly #helps: boolean;
  /** This thread is decoding a job before its turn, or has. */
  #isOwnTaken = false;

  /**
   * @param threads how many there may be beside this one
   * @param helps this thread decodes, too, what they have no time for
   */
  constructor(threads: number, helps: boolean) {
    this.#most = threads;
    this.#helps = helps;
  }

  readonly run: JobRunner = (job: DecodeJob, sink: OutputSink, isNext: boolean): Promise<JobOutput> | undefined => {
    const { layer, outputBytesMax, bytes } = job;
    if (
      layer === 'zstd' ||
      outputBytesMax < SENT_BYTES_MIN ||
      Math.max(outputBytesMax, bytes.length) > SENT_BYTES_MAX
    ) {
      return runJob(job, sink);
    }
    const thread = this.#freeThread();
    if (thread !== undefined) return thread.send(job);
    return isNext || this.#isOwnTaken ? runJob(job, sink) : this.#runAhead(job);
  };

  /** How many jobs can be under way. */
  get jobsMax(): number {
    return this.#most * JOBS_PER_THREAD + (this.#helps ? 1 : 0);
  }

  /** Whether a thread has answered and was not heard yet: it waits for more while this one does not turn to events. */
  get hasNews(): boolean {
    return this.#threads.some((thread) => thread.hasNews);
  }

  /** Does a job before its turn. */
  #runAhead(job: DecodeJob): Promise<JobOutput> {
    const output = this.memory.take(job.outputBytesMax);
    this.#isOwnTaken = true;
    const release = (): void => {
      this.#isOwnTaken = false;
      this.memory.give(output);
    };
    let bytes = 0;
    try {
      // Of the layers that get here none is done later.
      void runJob(job, (piece) => {
        bytes += piece.copy(output, bytes);
      });
    } catch (error) {
      release();
      throw error;
    }
    return Promise.resolve({ pieces: piecesOf(output.subarray(0, bytes)), release });
  }

  close(): void {
    for (const thread of this.#threads) thread.close();
  }

  #freeThread(): DecodeThread | undefined {
    let least: DecodeThread | undefined;
    for (const thread of this.#threads) if (thread.jobs < (least?.jobs ?? JOBS_PER_THREAD)) least = thread;
    if (least?.jobs === 0 || this.#threads.length === this.#most) return least;
    const thread = new DecodeThread(this.memory);
    this.#threads.push(thread);
    return thread;
  }
}

interface Waiting {
  resolve: (output: JobOutput) => void;
  reject: (error: unknown) => void;
}

class DecodeThread {
  readonly #memory: JobMemory;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #answers = new Int32Array(new SharedArrayBuffer(4));
  #heard = 0;
  #sent = 0;

  constructor(memory: JobMemory) {
    this.#memory = memory;
    const data: DecodeThreadData = { answers: this.#answers.buffer };
    this.#worker = new Worker(new URL('./decode-worker.js', import.meta.url), { workerData: data });
    this.#worker.on('message', (answer: DecodeAnswer) => this.#hear(answer));
    this.#worker.on('error', (error) => {
      for (const { reject } of this.#waiting.values()) reject(error);
    });
  }

  get hasNews(): boolean {
    return Atomics.load(this.#answers, 0) !== this.#heard;
  }

  /** How many it has to do. */
  get jobs(): number {
    return this.#sent - Atomics.load(this.#answers, 0);
  }

  send(job: DecodeJob): Promise<JobOutput> {
    const output = this.#memory.take(job.outputBytesMax);
    this.#sent = (this.#sent + 1) | 0;
    const number = this.#sent;
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      const sent: SentJob = { number, job, output };
      this.#worker.postMessage(sent, [job.bytes.buffer as ArrayBuffer, output.buffer as ArrayBuffer]);
    });
  }

  close(): void {
    void this.#worker.terminate();
  }

  #hear(answer: DecodeAnswer): void {
    this.#heard = (this.#heard + 1) | 0;
    const { resolve, reject } = this.#waiting.get(answer.number)!;
    this.#waiting.delete(answer.number);
    this.#memory.give(answer.input);
    const release = (): void => this.#memory.give(answer.output);
    if ('bytes' in answer) {
      resolve({ pieces: piecesOf(Buffer.from(answer.output.buffer, 0, answer.bytes)), release });
      return;
    }
    release();
    reject('error' in answer ? errorFromRecord(answer.error) : answer.bug);
  }
}

/** Pieces that stay in the CPU's caches from one step to the next. */
function piecesOf(bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) pieces.push(bytes.subarray(at, at + PIECE_BYTES));
  return pieces;
}

const PIECE_BYTES = 512 * 1024;
