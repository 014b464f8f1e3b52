import { XbstreamError } from '../errors.js';
import type { DecodeJob, JobOutput, JobPlacer, JobRunner, LayerWalker, OutputSink } from './codec.js';
import type { DecodeBudget } from './decode-budget.js';

interface QueuedJob {
  job: DecodeJob;
  /** What it takes of the budget, in bytes. */
  cost: number;
  /** Where its output begins in that of the stage, if that is known and the job may be placed. */
  outputOffset: number | undefined;
  state: 'waiting' | 'running' | 'done';
  /** Output of a job that was done at once, but before its turn. */
  pieces: Buffer[];
  output?: JobOutput;
  failure?: { error: unknown };
}

/** What the stages of a chain share. */
export interface StageContext {
  run: JobRunner;
  budget: DecodeBudget;
  /** False where only zstd is not done at once, and only zstd needs the budget. */
  concurrent: boolean;
  /** A stage has got further without having been called. */
  progressed(): void;
  /** An error came up while nobody was calling. */
  failed(error: unknown): void;
}

/** One layer of a chain: a walker, and its jobs in the order in which their output is passed on. */
export class DecodeStage {
  readonly #walker: LayerWalker;
  readonly #around: LayerWalker | undefined;
  readonly #context: StageContext;
  readonly #next: OutputSink;
  readonly #onEnd: () => void;
  readonly #place: JobPlacer | undefined;
  /** What all jobs up to here put out, if that is known. */
  #plannedBytes: number | undefined = 0;
  readonly #queue: QueuedJob[] = [];
  /** What the walker found wrong while jobs before it were still under way. */
  #laterFailure: { error: unknown } | undefined;
  #inputEnded = false;
  #closed = false;
  #advancing = false;

  /**
   * @param around the walker of the layer around this one
   * @param next takes what comes out of this layer
   * @param onEnd called when all of it has come out
   * @param place is offered jobs before they are run
   */
  constructor(
    walker: LayerWalker,
    around: LayerWalker | undefined,
    context: StageContext,
    next: OutputSink,
    onEnd: () => void,
    place?: JobPlacer,
  ) {
    this.#walker = walker;
    this.#around = around;
    this.#context = context;
    this.#next = next;
    this.#onEnd = onEnd;
    this.#place = place;
  }

  /** Jobs wait for others to be done. */
  get isWaiting(): boolean {
    return this.#queue.some(({ state }) => state === 'waiting');
  }

  room(bytes: number): Buffer | undefined {
    return this.#laterFailure || this.#closed ? undefined : this.#walker.room?.(bytes);
  }

  push(bytes: Buffer): void {
    this.#walk(() => this.#walker.push(bytes, this.#emit));
  }

  end(): void {
    this.#walk(() => this.#walker.end(this.#emit));
    this.#inputEnded = true;
    this.#advance();
  }

  /** Drops everything. Jobs under way give their part of the budget back when they are done. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const { state, output, cost } of this.#queue) {
      if (state !== 'done') continue;
      output?.release?.();
      this.#giveBack(cost);
    }
    this.#queue.length = 0;
    this.#walker.close?.();
  }

  /** A method, since the compiler does not know that calls in between change the field. */
  #isClosed(): boolean {
    return this.#closed;
  }

  #walk(step: () => void): void {
    if (this.#laterFailure || this.#closed) return;
    try {
      step();
    } catch (error) {
      const described = this.#describe(error);
      // What comes first in the data is told first, also where it takes longer to find out.
      if (this.#queue.length === 0 || this.#isClosed()) throw described;
      this.#laterFailure = { error: described };
    }
  }

  /** Old versions of xbcrypt decrypt with any key; that the next layer does not appear tells that it was the wrong one. */
  #describe(error: unknown): unknown {
    if (!(error instanceof XbstreamError) || !this.#around?.keyUnproven || this.#walker.recognised) return error;
    return new XbstreamError('XB_WRONG_KEY', 'the key or the cipher is not the one the file was encrypted with', {
      details: [`what it decrypts to is no ${this.#walker.layer} data`, ...error.details],
    });
  }

  readonly #emit = (job: DecodeJob): void => {
    const outputOffset = job.outputBytes === undefined || this.#place === undefined ? undefined : this.#plannedBytes;
    if (job.outputBytes === undefined) this.#plannedBytes = undefined;
    else if (this.#plannedBytes !== undefined) this.#plannedBytes += job.outputBytes;
    // What is placed needs no memory for its output.
    const bytes = job.bytes.length + (outputOffset === undefined ? job.outputBytesMax : 0);
    const cost = this.#context.concurrent || job.layer === 'zstd' ? bytes : 0;
    this.#queue.push({ job, cost, outputOffset, state: 'waiting', pieces: [] });
    this.#advance();
  };

  readonly #advanceUncalled = (): void => {
    if (this.#closed) return;
    try {
      this.#advance();
      this.#context.progressed();
    } catch (error) {
      this.#context.failed(error);
    }
  };

  /** Starts what may start and passes on what is done, until there is no more of either. */
  #advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    try {
      do this.#startWaiting();
      while (this.#passOn());
    } catch (error) {
      this.close();
      throw error;
    } finally {
      this.#advancing = false;
    }
    if (this.#queue.length > 0 || this.#closed) return;
    if (this.#laterFailure) throw this.#laterFailure.error;
    if (this.#inputEnded) this.#onEnd();
  }

  #startWaiting(): void {
    for (const queued of this.#queue) {
      if (queued.state !== 'waiting') continue;
      const isFirst = queued === this.#queue[0];
      if (queued.job.inOrder && !isFirst) return;
      if (queued.cost > 0 && !this.#context.budget.take(queued.cost)) {
        this.#context.budget.whenGiven(this.#advanceUncalled);
        return;
      }
      this.#start(queued, isFirst);
    }
  }

  #start(queued: QueuedJob, isFirst: boolean): void {
    const { job } = queued;
    const sink: OutputSink = isFirst
      ? (piece) => this.#pass(job, piece)
      : (piece) => queued.pieces.push(Buffer.from(piece));
    queued.state = 'running';
    try {
      const result = this.#placed(queued) ?? this.#run(job, sink, isFirst);
      if (result instanceof Promise) {
        result.then(
          (output) => this.#settle(queued, output),
          (error: unknown) => this.#settle(queued, undefined, { error }),
        );
      } else {
        this.#finish(queued, result);
      }
    } catch (error) {
      queued.state = 'done';
      queued.failure = { error };
    }
  }

  #placed({ job, outputOffset }: QueuedJob): Promise<JobOutput> | JobOutput | undefined {
    return outputOffset === undefined ? undefined : this.#place?.(job, outputOffset);
  }

  #run(job: DecodeJob, sink: OutputSink, isFirst: boolean): Promise<JobOutput> | undefined {
    const { run } = this.#context;
    if (job.inOrder && this.#walker.runInOrder) return this.#walker.runInOrder(job, run, sink);
    return run(job, sink, isFirst);
  }

  #settle(queued: QueuedJob, output: JobOutput | undefined, failure?: { error: unknown }): void {
    if (this.#closed) {
      output?.release?.();
      this.#giveBack(queued.cost);
      return;
    }
    if (failure) queued.failure = failure;
    this.#finish(queued, output);
    this.#advanceUncalled();
  }

  #finish(queued: QueuedJob, output: JobOutput | undefined): void {
    queued.state = 'done';
    if (output) queued.output = output;
    // Jobs before it may take long: what it has bound is free now, not when it is its turn.
    if (output?.isPlaced) this.#free(queued);
  }

  #free(queued: QueuedJob): void {
    this.#walker.jobDone?.(queued.job);
    this.#giveBack(queued.cost);
    queued.cost = 0;
  }

  /** Passes on the output of the first jobs, as far as they are done. Returns whether there was one. */
  #passOn(): boolean {
    let some = false;
    for (let first = this.#queue[0]; first?.state === 'done'; first = this.#queue[0]) {
      const { job, output, failure } = first;
      some = true;
      if (failure) throw failure.error;
      output?.onTurn?.();
      for (const piece of first.pieces) this.#pass(job, piece);
      for (const piece of output?.pieces ?? []) this.#pass(job, piece);
      output?.release?.();
      if (output?.isPlaced !== true) this.#free(first);
      this.#queue.shift();
    }
    return some;
  }

  #pass(job: DecodeJob, piece: Buffer): void {
    if (this.#closed) return;
    this.#walker.checkOutput?.(job, piece);
    this.#next(piece);
  }

  #giveBack(cost: number): void {
    if (cost > 0) this.#context.budget.give(cost);
  }
}
