import { Worker } from 'node:worker_threads';
import type { DecodeJob, JobOutput, JobRunner, OutputSink } from '../codec/codec.js';
import { noteNativeMemory } from '../codec/native-memory.js';
import { runJob } from '../codec/run-job.js';
import { errorFromRecord, type ErrorRecord } from '../errors.js';

/** A job as it is sent: its bytes lie in the slot's memory. */
export interface SentJob {
  slot: number;
  job: DecodeJob;
  bytes: number;
}

/** What a decoding thread answers: how many bytes it has put into the slot's memory. */
export type DecodeAnswer = { slot: number } & ({ bytes: number } | { error: ErrorRecord } | { bug: unknown });

/** What a decoding thread is started with: for each slot the memory for what goes in, and for what comes out. */
export interface DecodeThreadData {
  /** One int32: how many answers it has given. */
  answers: SharedArrayBuffer;
  slots: readonly { input: SharedArrayBuffer; output: SharedArrayBuffer }[];
}

/** Jobs one thread has at a time: the one it does, and the next, so that it need not wait for it. */
const SLOTS_PER_THREAD = 2;
/**
 * Room for what goes in and what comes out of a job; the usual frame of xtrabackup holds 10 MiB. The memory is shared and
 * used again: to allocate and send it anew for each job cost more than the decoding of LZ4.
 */
const SLOT_BYTES = 16 * 1024 * 1024;
/** A smaller job is done sooner than sent. */
const SENT_BYTES_MIN = 16 * 1024;
const NOTHING = new Uint8Array(0);

/**
 * Decodes in other threads what they have time for, and in this one what they have not, so that all are busy. zstd is
 * always left to its own threads.
 */
export class DecodePool {
  readonly #threads: DecodeThread[] = [];
  readonly #most: number;
  /** What this thread decodes before its turn; undefined while that is in use. */
  #own: Buffer | undefined = Buffer.alloc(0);

  /** @param threads how many there may be beside this one */
  constructor(threads: number) {
    this.#most = threads;
  }

  readonly run: JobRunner = (job: DecodeJob, sink: OutputSink): Promise<JobOutput> | undefined => {
    const { layer, outputBytesMax, bytes } = job;
    if (layer === 'zstd' || outputBytesMax < SENT_BYTES_MIN || Math.max(outputBytesMax, bytes.length) > SLOT_BYTES) {
      return runJob(job, sink);
    }
    return this.#freeThread()?.send(job) ?? this.#runHere(job) ?? runJob(job, sink);
  };

  /** How many jobs can be under way. */
  get jobsMax(): number {
    return this.#most * SLOTS_PER_THREAD + 1;
  }

  /** Whether a thread has answered and was not heard yet: it waits for more while this one does not turn to events. */
  get hasNews(): boolean {
    return this.#threads.some((thread) => thread.hasNews);
  }

  /** Decodes into memory that is used again and again, since it may not be this job's turn. */
  #runHere(job: DecodeJob): Promise<JobOutput> | undefined {
    if (this.#own === undefined) return undefined;
    const output = this.#own.length === 0 ? Buffer.allocUnsafeSlow(SLOT_BYTES) : this.#own;
    this.#own = undefined;
    const release = (): void => {
      this.#own = output;
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
    const free = this.#threads.find(({ isIdle }) => isIdle) ?? this.#threads.find(({ hasSlot }) => hasSlot);
    if (free?.isIdle === true || this.#threads.length === this.#most) return free;
    const thread = new DecodeThread();
    this.#threads.push(thread);
    return thread;
  }
}

interface Slot {
  readonly input: Uint8Array;
  readonly output: Buffer;
  /** Set while it is in use. */
  waiting: { resolve: (output: JobOutput) => void; reject: (error: unknown) => void } | undefined;
  free: boolean;
}

class DecodeThread {
  readonly #worker: Worker;
  readonly #slots: Slot[];
  readonly #answers = new Int32Array(new SharedArrayBuffer(4));
  #heard = 0;

  constructor() {
    const slots = Array.from({ length: SLOTS_PER_THREAD }, () => ({
      input: new SharedArrayBuffer(SLOT_BYTES),
      output: new SharedArrayBuffer(SLOT_BYTES),
    }));
    this.#slots = slots.map(({ input, output }) => ({
      input: new Uint8Array(input),
      output: Buffer.from(output),
      waiting: undefined,
      free: true,
    }));
    const data: DecodeThreadData = { slots, answers: this.#answers.buffer };
    this.#worker = new Worker(new URL('./decode-worker.js', import.meta.url), { workerData: data });
    this.#worker.on('message', (answer: DecodeAnswer) => this.#hear(answer));
    this.#worker.on('error', (error) => {
      for (const { waiting } of this.#slots) waiting?.reject(error);
    });
  }

  get hasNews(): boolean {
    return Atomics.load(this.#answers, 0) !== this.#heard;
  }

  get isIdle(): boolean {
    return this.#slots.every(({ free }) => free);
  }

  get hasSlot(): boolean {
    return this.#slots.some(({ free }) => free);
  }

  send(job: DecodeJob): Promise<JobOutput> {
    const index = this.#slots.findIndex(({ free }) => free);
    const slot = this.#slots[index]!;
    slot.free = false;
    slot.input.set(job.bytes);
    noteNativeMemory(job.bytes.length);
    return new Promise((resolve, reject) => {
      slot.waiting = { resolve, reject };
      const sent: SentJob = { slot: index, job: { ...job, bytes: NOTHING }, bytes: job.bytes.length };
      this.#worker.postMessage(sent);
    });
  }

  close(): void {
    void this.#worker.terminate();
  }

  #hear(answer: DecodeAnswer): void {
    this.#heard = (this.#heard + 1) | 0;
    const slot = this.#slots[answer.slot]!;
    const { resolve, reject } = slot.waiting!;
    slot.waiting = undefined;
    const release = (): void => {
      slot.free = true;
    };
    if ('bytes' in answer) {
      resolve({ pieces: piecesOf(slot.output.subarray(0, answer.bytes)), release });
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
