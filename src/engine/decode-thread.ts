import { Worker } from 'node:worker_threads';
import type { DecodeJob, JobOutput } from '../codec/codec.js';
import type { JobMemory } from '../codec/job-memory.js';
import { errorFromRecord, type ErrorRecord } from '../errors.js';
import { ThreadPresence } from '../thread-presence.js';
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
  /** Waits until the thread is done with it, without turning to events, and however long that takes. */
  settle: () => void;
}

/** What a decoding thread is started with. */
export interface DecodeThreadData {
  memory: SharedArrayBuffer;
}

/** Memory that both sides of a decoding thread see. */
export class DecodeThreadState {
  readonly memory: SharedArrayBuffer;
  readonly presence: ThreadPresence;
  readonly #ints: Int32Array;

  constructor(memory = new SharedArrayBuffer(8)) {
    this.memory = memory;
    this.#ints = new Int32Array(memory);
    this.presence = new ThreadPresence(this.#ints, 1);
  }

  /** How many jobs it has answered; wraps around as int32 do. */
  get answers(): number {
    return Atomics.load(this.#ints, 0);
  }

  /** The thread has answered a job, and does nothing with what was lent for it any more. */
  answered(): void {
    Atomics.add(this.#ints, 0, 1);
    Atomics.notify(this.#ints, 0);
  }

  /** Waits until so many are answered, or the thread is gone. */
  waitFor(number: number): void {
    for (let answers = this.answers; ((answers - number) | 0) < 0; answers = this.answers) {
      if (!this.presence.waitWhile(this.#ints, 0, answers)) return;
    }
  }
}

interface Waiting {
  job: DecodeJob;
  resolve: (answer: DecodeAnswer) => void;
}

/** This side of a thread that decodes: it does the jobs it is sent in their order. */
export class DecodeThread {
  readonly #memory: JobMemory;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #state = new DecodeThreadState();
  /** What has ended it. */
  #bug: unknown;
  #isGone = false;
  #heard = 0;
  #sent = 0;

  constructor(memory: JobMemory) {
    this.#memory = memory;
    const data: DecodeThreadData = { memory: this.#state.memory };
    this.#worker = new Worker(new URL('./decode-worker.js', import.meta.url), {
      workerData: data,
      // It writes with descriptors of this thread's: none is closed because it ends.
      trackUnmanagedFds: false,
    });
    this.#worker.on('message', (answer: DecodeAnswer) => this.#hear(answer));
    this.#worker.on('error', (bug) => {
      this.#bug = bug;
    });
    this.#worker.on('exit', () => this.#end());
  }

  get hasNews(): boolean {
    return this.#state.answers !== this.#heard;
  }

  /** It is there, and so can be waited for: see {@link PlacedElsewhere.settle}. */
  get hasBegun(): boolean {
    return this.#state.presence.hasBegun;
  }

  /** How many it has to do. */
  get jobs(): number {
    return (this.#sent - this.#state.answers) | 0;
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
      settle: () => this.#state.waitFor(number),
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
    const answered = this.#state.answers;
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
      if (this.#isGone) this.#end();
      else this.#worker.postMessage(sent, memory as ArrayBuffer[]);
    });
  }

  close(): void {
    void this.#worker.terminate();
  }

  #hear(answer: DecodeAnswer): void {
    this.#heard = (this.#heard + 1) | 0;
    this.#waiting.get(answer.number)?.resolve(answer);
    this.#waiting.delete(answer.number);
  }

  /** It is gone: what it has not answered it never will. */
  #end(): void {
    this.#isGone = true;
    const bug = this.#bug ?? new Error('a decoding thread has ended before its work');
    for (const [number, { job, resolve }] of this.#waiting) {
      resolve({ number, input: job.bytes, output: undefined, result: { bug } });
    }
    this.#waiting.clear();
  }
}

function failureOf(result: DecodeResult): unknown {
  if (typeof result === 'object' && 'error' in result) return errorFromRecord(result.error);
  return typeof result === 'object' && 'bug' in result ? result.bug : new Error('not the answer that was asked for');
}
