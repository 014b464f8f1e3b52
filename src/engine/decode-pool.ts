import { Worker } from 'node:worker_threads';
import type { DecodeJob, JobOutput, JobRunner, LayerName, OutputSink } from '../codec/codec.js';
import { JobMemory } from '../codec/job-memory.js';
import { runJob } from '../codec/run-job.js';
import { decodeZstdFrames } from '../codec/zstd.js';
import { errorFromRecord, type ErrorRecord } from '../errors.js';
import { NotPlaced, type JobPlace, type PageRests } from './placed-job.js';
import { Turnstile } from './turnstile.js';

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

/** Jobs one thread has at a time: enough that it does not run out of them while this thread does one itself. */
const JOBS_PER_THREAD = 4;
/** A thread that has so much to put out gets no more: two large jobs last as long as four others. */
const BYTES_PER_THREAD = 24 * 1024 * 1024;
/** No larger job is sent; larger ones are rare, and done in pieces here. */
const SENT_BYTES_MAX = 16 * 1024 * 1024;
/** How long a job of another thread may take, in milliseconds: it has at most {@link JOBS_PER_THREAD} of 16 MiB. */
const SETTLE_MS = 10_000;
/** A smaller job is done sooner than sent. */
const SENT_BYTES_MIN = 16 * 1024;

/**
 * Decodes in other threads and, where it may, in this one what they have no time for, so that all are busy. zstd is always
 * left to its own threads.
 */
export class DecodePool {
  /** For what is decoded here and there. */
  readonly memory = new JobMemory();
  readonly #most: number;
  #threads: DecodeThread[] = [];
  readonly #helps: boolean;
  /** For zstd, whose decoder brings threads of its own: four of them, if nobody stops it. */
  readonly #zstd: Turnstile;
  /** This thread is decoding a job before its turn, or has. */
  #isOwnTaken = false;

  /**
   * @param threads how many there may be beside this one
   * @param helps this thread decodes, too, what they have no time for
   */
  constructor(threads: number, helps: boolean) {
    this.#most = threads;
    this.#helps = helps;
    this.#zstd = new Turnstile(helps ? threads + 1 : threads);
  }

  /**
   * There will be something to decode. Threads that can help are started: until they are there, which takes some 40 ms, this
   * one decodes.
   */
  expect(layers: readonly LayerName[]): void {
    if (this.#threads.length > 0 || layers.every((layer) => layer === 'zstd')) return;
    this.#threads = Array.from({ length: this.#most }, () => new DecodeThread(this.memory));
  }

  readonly run: JobRunner = (job: DecodeJob, sink: OutputSink, isNext: boolean): Promise<JobOutput> | undefined => {
    if (job.layer === 'zstd') return this.#zstd.pass(() => decodeZstdFrames(job));
    if (!isWorthSending(job)) return runJob(job, sink);
    const thread = this.#freeThread();
    if (thread !== undefined) return thread.decode(job);
    return isNext || this.#isOwnTaken ? runJob(job, sink) : this.#runAhead(job);
  };

  /** Has a thread do a job and place the output, if one has time for it. */
  place(job: DecodeJob, place: JobPlace): PlacedElsewhere | undefined {
    return isWorthSending(job) ? this.#freeThread()?.place(job, place) : undefined;
  }

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
    return least === undefined || least.bytes >= BYTES_PER_THREAD ? undefined : least;
  }
}

function isWorthSending({ layer, outputBytesMax, bytes }: DecodeJob): boolean {
  const largest = Math.max(outputBytesMax, bytes.length);
  return layer !== 'zstd' && outputBytesMax >= SENT_BYTES_MIN && largest <= SENT_BYTES_MAX;
}

interface Waiting {
  job: DecodeJob;
  resolve: (answer: DecodeAnswer) => void;
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
    return this.#sent - Atomics.load(this.#answers, 0);
  }

  async decode(job: DecodeJob): Promise<JobOutput> {
    const answer = await this.#send(job, this.#memory.take(job.outputBytesMax));
    this.#memory.give(answer.input);
    const output = answer.output!;
    const release = (): void => this.#memory.give(output);
    if (typeof answer.result === 'object' && 'bytes' in answer.result) {
      return { pieces: piecesOf(Buffer.from(output.buffer, 0, answer.result.bytes)), release };
    }
    release();
    throw failureOf(answer.result);
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

/** Pieces that stay in the CPU's caches from one step to the next. */
function piecesOf(bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) pieces.push(bytes.subarray(at, at + PIECE_BYTES));
  return pieces;
}

const PIECE_BYTES = 512 * 1024;
