import type {
  DecryptionKey,
  JobPlacer,
  JobRunner,
  LayerName,
  LayerWalker,
  OutputSink,
  WalkerOptions,
} from './codec.js';
import { layerError } from './codec.js';
import { DecodeBudget } from './decode-budget.js';
import { DecodeStage } from './decode-stage.js';
import { JobMemory } from './job-memory.js';
import { Lz4Walker } from './lz4.js';
import { QpressWalker } from './qpress.js';
import { runJob } from './run-job.js';
import { XbcryptWalker } from './xbcrypt.js';
import { ZstdWalker } from './zstd.js';

export interface DecodeChainOptions {
  /** The layers to undo, outermost first; at least one. */
  layers: readonly LayerName[];
  /** Needed when `xbcrypt` is among them. */
  key?: DecryptionKey | undefined;
  /** Takes the decoded bytes in order; a piece is only lent until the call returns. What it throws, the chain throws. */
  output: OutputSink;
  /** Does the jobs elsewhere, several at a time. When missing they are done in this thread (zstd on libuv's). */
  run?: JobRunner | undefined;
  /** Is offered jobs of the innermost layer first, if what they hold is known before. What it takes does not go to `output`. */
  place?: JobPlacer | undefined;
  /** How many jobs and bytes may be under way; can be shared between chains. Its default allows two jobs. */
  budget?: DecodeBudget | undefined;
  /** Memory for jobs; can be shared between chains. */
  memory?: JobMemory | undefined;
}

const DEFAULT_JOBS_MAX = 2;
const DEFAULT_BYTES_MAX = 64 << 20;

/**
 * Undoes the layers of one file as its bytes come.
 *
 * Use it like this: `chain.push(piece)`, then `await` what {@link ready} returns unless it is undefined, and so on; then
 * `await chain.end()`. Where all layers are done in this thread and none is zstd, no promise is made.
 *
 * An error is thrown once, by the first call after it has come up (or by the promise being waited for); the chain is
 * closed then and further calls do nothing.
 */
export class DecodeChain {
  readonly #stages: DecodeStage[] = [];
  readonly #walkers: LayerWalker[] = [];
  readonly #budget: DecodeBudget;
  #failure: { error: unknown } | undefined;
  #closed = false;
  #ended = false;
  #waiter: { isOver: () => boolean; resolve: () => void; reject: (error: unknown) => void } | undefined;

  /** @throws XbstreamError `XB_KEY_REQUIRED` */
  constructor({ layers, key, output, run, place, budget, memory }: DecodeChainOptions) {
    this.#budget = budget ?? new DecodeBudget(DEFAULT_JOBS_MAX, DEFAULT_BYTES_MAX);
    const context = {
      run: run ?? runJob,
      budget: this.#budget,
      concurrent: run !== undefined,
      memory: memory ?? new JobMemory(),
      progressed: this.#wake,
      failed: (error: unknown) => this.#fail(error),
    };
    for (const layer of layers) this.#walkers.push(makeWalker(layer, key, context));
    let next = output;
    let onEnd = () => {
      this.#ended = true;
      for (const walker of this.#walkers) walker.close?.();
    };
    // From the innermost out: each stage passes on to the one made before it.
    for (let i = layers.length - 1; i >= 0; i--) {
      const stage = new DecodeStage(
        this.#walkers[i]!,
        this.#walkers[i - 1],
        context,
        next,
        onEnd,
        i === layers.length - 1 ? place : undefined,
      );
      this.#stages.unshift(stage);
      next = (piece) => stage.push(piece);
      onEnd = () => stage.end();
    }
  }

  /**
   * True when something has been decrypted with a key that its version of xbcrypt cannot prove to be the right one.
   * Tell the user.
   */
  get isKeyUnproven(): boolean {
    return this.#walkers.some(({ keyUnproven }) => keyUnproven === true);
  }

  /**
   * @param bytes the next bytes of the file, lent until the call returns
   * @throws XbstreamError `XB_BAD_LAYER`, `XB_WRONG_KEY`, `XB_KEY_REQUIRED`, `XB_UNSUPPORTED_LAYER`; what `output` throws
   */
  push(bytes: Buffer): void {
    this.#throwFailure();
    if (this.#closed || bytes.length === 0) return;
    this.#call(() => this.#stages[0]!.push(bytes));
  }

  /** See {@link LayerWalker.room}; what is put there belongs to the chain when it is pushed. */
  room(bytes: number): Buffer | undefined {
    return this.#stages[0]!.room(bytes);
  }

  /** What to wait for before the next piece; `undefined` when there is no need to. @throws as {@link push} */
  ready(): Promise<void> | undefined {
    return this.#until(() => !this.#budget.isUsedUp && !this.#stages.some(({ isWaiting }) => isWaiting));
  }

  /**
   * The file is complete.
   *
   * @returns what to wait for until all output has come; `undefined` when it has
   * @throws as {@link push}, and `XB_LAYER_TRUNCATED`
   */
  end(): Promise<void> | undefined {
    this.#throwFailure();
    if (this.#closed) return undefined;
    this.#call(() => this.#stages[0]!.end());
    return this.#until(() => this.#ended);
  }

  /** Gives up: no more output, nothing more to wait for. */
  close(): void {
    this.#closed = true;
    for (const stage of this.#stages) stage.close();
    this.#waiter?.resolve();
    this.#waiter = undefined;
  }

  #call(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #until(isOver: () => boolean): Promise<void> | undefined {
    this.#throwFailure();
    if (this.#closed || isOver()) return undefined;
    return new Promise((resolve, reject) => {
      this.#waiter = { isOver, resolve, reject };
      this.#wake();
    });
  }

  readonly #wake = (): void => {
    if (this.#waiter?.isOver()) {
      this.#waiter.resolve();
      this.#waiter = undefined;
    } else if (this.#waiter) {
      // It may be the jobs of another chain that use up the budget.
      this.#budget.whenGiven(this.#wake);
    }
  };

  #fail(error: unknown): void {
    if (this.#closed) return;
    const waiter = this.#waiter;
    this.#waiter = undefined;
    this.close();
    if (waiter) waiter.reject(error);
    else this.#failure = { error };
  }

  #throwFailure(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure) throw failure.error;
  }
}

function makeWalker(layer: LayerName, key: DecryptionKey | undefined, options: WalkerOptions): LayerWalker {
  switch (layer) {
    case 'xbcrypt':
      if (!key) throw layerError('XB_KEY_REQUIRED', 'the file is encrypted and no key was given', layer, 0);
      return new XbcryptWalker(key, options);
    case 'qpress':
      return new QpressWalker(options);
    case 'lz4':
      return new Lz4Walker(options);
    case 'zstd':
      return new ZstdWalker(options);
  }
}
