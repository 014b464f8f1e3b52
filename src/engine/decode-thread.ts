import { Worker } from 'node:worker_threads';
import type { DecodeJob, JobOutput } from '../codec/codec.js';
import type { JobMemory } from '../codec/job-memory.js';
import { errorFromRecord, type ErrorRecord } from '../errors.js';
import { NotPlaced, type JobPlace, type PageRests } from './placed-job.js';
import { piecesOf } from './pieces-of.js';

/** A job as it is sent, and where its output goes: into memory that comes back with the answer, or to its place. */
export interface SentJob {
  number: number;
  job: DecodeJob;
  to: Uint8Array | JobPlace;
}

/** What a decoding thread answers. The memory of the job comes back, and that of the output, if there was any. */
export interface DecodeAnswer {
  number: number;
  input: Uint8Array;
  output: Uint8Array | undefined;
  result: DecodeResult;
}

/** What became of a job: how much of the output's memory is full; or that it is in its place, or not. */
export type DecodeResult =
  { bytes: number } | { rests: PageRests } | 'not placed' | { error: ErrorRecord } | { bug: unknown };

/** A job that another thread does, to place what comes out. */
export interface PlacedElsewhere {
  /** Rejects with {@link NotPlaced}, and with what is wrong with the content. */
  rests: Promise<PageRests>;
  /** Waits until the thread is done with it, without turning to events. */
  settle: () => void;
}

/** What a decoding thread is started with. */
export interface DecodeThreadData {
  /** One int32: how many answers it has given. */
  answers: SharedArrayBuffer;
}

/** How long a job of another thread may take, in milliseconds, with those before it. */
const SETTLE_MS = 10_000;
interface Waiting {
  job: DecodeJob;
  resolve: (answer: DecodeAnswer) => void;
}

/** This side of a thread that decodes: it does the jobs it is sent in their order. */
export class DecodeThread {
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
    this.#worker.on('error', (bug) => {
      for (const [number, { job, resolve }] of this.#waiting) {
        resolve({ number, input: job.bytes, output: undefined, result: { bug } });
      }
    });
  }

  get hasNews(): boolean {
    return Atomics.load(this.#answers, 0) !== this.#heard;
  }

  /** How many it has to do. */
  get jobs(): number {
    return (this.#sent - Atomics.load(this.#answers, 0)) | 0;
  }

  async decode(job: DecodeJob): Promise<JobOutput> {
    const { input, output, result } = await this.#send(job, this.#memory.take(job.outputBytesMax));
    this.#memory.give(input);
    if (output === undefined) throw failureOf(result);
    const release = (): void => this.#memory.give(output);
    if (typeof result === 'object' && 'bytes' in result) {
      return { pieces: piecesOf(Buffer.from(output.buffer, 0, result.bytes)), release };
    }
    release();
    throw failureOf(result);
  }

  place(job: DecodeJob, place: JobPlace): PlacedElsewhere {
    const answered = this.#send(job, place);
    const number = this.#sent;
    return {
      settle: () => this.#settle(number),
      rests: answered.then(({ input, result }) => {
        // It may have to be done again.
        job.bytes = input;
        if (result === 'not placed') throw new NotPlaced();
        if ('rests' in result) return result.rests;
        throw failureOf(result);
      }),
    };
  }

  /** How much that may put out. */
  get bytes(): number {
    const answered = Atomics.load(this.#answers, 0);
    let bytes = 0;
    for (const [number, { job }] of this.#waiting) if (((number - answered) | 0) > 0) bytes += job.outputBytesMax;
    return bytes;
  }

  #send(job: DecodeJob, to: Uint8Array | JobPlace): Promise<DecodeAnswer> {
    this.#sent = (this.#sent + 1) | 0;
    const number = this.#sent;
    const sent: SentJob = { number, job, to };
    const memory = to instanceof Uint8Array ? [job.bytes.buffer, to.buffer] : [job.bytes.buffer];
    return new Promise((resolve) => {
      this.#waiting.set(number, { job, resolve });
      this.#worker.postMessage(sent, memory as ArrayBuffer[]);
    });
  }

  #settle(number: number): void {
    for (;;) {
      const answered = Atomics.load(this.#answers, 0);
      // Numbers wrap around. A thread that is gone will not answer, and no longer writes either.
      if (((answered - number) | 0) >= 0) return;
      if (Atomics.wait(this.#answers, 0, answered, SETTLE_MS) === 'timed-out') return;
    }
  }

  close(): void {
    void this.#worker.terminate();
  }

  #hear(answer: DecodeAnswer): void {
    this.#heard = (this.#heard + 1) | 0;
    this.#waiting.get(answer.number)?.resolve(answer);
    this.#waiting.delete(answer.number);
  }
}

function failureOf(result: DecodeResult): unknown {
  if (typeof result === 'object' && 'error' in result) return errorFromRecord(result.error);
  return typeof result === 'object' && 'bug' in result ? result.bug : new Error('not the answer that was asked for');
}
