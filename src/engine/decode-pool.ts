import type { DecodeJob, JobOutput, JobRunner, LayerName, OutputSink } from '../codec/codec.js';
import { JobMemory } from '../codec/job-memory.js';
import { runJob } from '../codec/run-job.js';
import { decodeZstdFrames } from '../codec/zstd.js';
import { DecodeThread, type PlacedElsewhere } from './decode-thread.js';
import { piecesOf } from './pieces-of.js';
import type { JobPlace } from './placed-job.js';
import { Turnstile } from './turnstile.js';

/** Jobs one thread has at a time: enough that it does not run out of them while this thread does one itself. */
const JOBS_PER_THREAD = 4;
/** A thread that has so much to put out gets no more: two large jobs last as long as four others. */
const BYTES_PER_THREAD = 24 * 1024 * 1024;
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
    const thread = isWorthSending(job) ? this.#freeThread() : undefined;
    return thread?.hasBegun === true ? thread.place(job, place) : undefined;
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
    // Where this thread does not help, there is nobody else to do it.
    return this.#helps && (least?.bytes ?? 0) >= BYTES_PER_THREAD ? undefined : least;
  }
}

function isWorthSending({ layer, outputBytesMax, bytes }: DecodeJob): boolean {
  const largest = Math.max(outputBytesMax, bytes.length);
  return layer !== 'zstd' && outputBytesMax >= SENT_BYTES_MIN && largest <= SENT_BYTES_MAX;
}
