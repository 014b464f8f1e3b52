import { setImmediate } from 'node:timers/promises';
import { emptyArchive } from '../archive/losses.js';
import { ChunkReader, type ChunkConsumer } from '../archive/chunk-reader.js';
import type { StreamChoice } from '../input/open-source.js';
import { giveBackUnread, type ArchivePieces } from './archive-pieces.js';
import { openArchivePieces } from './unwrapped-pieces.js';
import type { ArchiveInput } from './input.js';

/** For so long, in milliseconds, steps that need no wait may keep the event loop from everything else. */
const TURN_MS = 5;
/** How often progress is told, in milliseconds. */
const PROGRESS_INTERVAL_MS = 100;

export interface PushedArchiveOptions {
  signal: AbortSignal | undefined;
  /** Told how many bytes have been read. */
  onProgress: ((archiveBytes: number) => void) | undefined;
  /** What is to be done about what the archive is wrapped in as a whole. */
  stream: StreamChoice;
  /** Take an input without a single chunk for whole. */
  allowEmpty: boolean;
  /** Told the signal's reason when it is aborted. */
  onAbort: ((reason: unknown) => void) | undefined;
}

/**
 * An archive that is read in this thread, step by step, as somebody asks for more: a piece at a time is pushed into a
 * {@link ChunkReader}, whose consumer keeps what it finds until that is asked for.
 */
export class PushedArchive {
  /** The archive has ended, and nothing was wrong. */
  isOver = false;
  readonly #input: ArchiveInput;
  readonly #options: PushedArchiveOptions;
  readonly #signal: AbortSignal | undefined;
  readonly #reader: ChunkReader;
  readonly #onAbort = (): void => {
    const reason: unknown = this.#signal!.reason;
    this.close();
    this.#interrupt?.(reason);
    this.#options.onAbort?.(reason);
  };
  /** Ends the wait for the next piece: a stream that is silent may not notice that it was given back. */
  #interrupt: ((reason: unknown) => void) | undefined;
  #opening: Promise<ArchivePieces> | undefined;
  #pieces: ArchivePieces | undefined;
  #rest: Buffer = Buffer.alloc(0);
  #failure: { error: unknown } | undefined;
  #stepping: Promise<void> | undefined;
  #turnBegan = performance.now();
  #toldProgress = -Infinity;

  constructor(input: ArchiveInput, consumer: ChunkConsumer, options: PushedArchiveOptions) {
    this.#input = input;
    this.#options = options;
    // One of its own: many archives may be read with the same signal, and Node warns of many listeners.
    this.#signal = options.signal === undefined ? undefined : AbortSignal.any([options.signal]);
    this.#reader = new ChunkReader(consumer);
  }

  /**
   * Reads on a little; the consumer is told what there is. What somebody else asked for meanwhile counts for all.
   *
   * @throws XbstreamError what a {@link ChunkReader} and its consumer throw, `XB_EMPTY_ARCHIVE`, `XB_IO`, `XB_USAGE`
   * @throws the signal's reason after it was aborted
   */
  step(): Promise<void> {
    this.#stepping ??= this.#step().finally(() => {
      this.#stepping = undefined;
    });
    return this.#stepping;
  }

  async #step(): Promise<void> {
    this.#throwFailure();
    try {
      await this.#advance();
    } catch (error) {
      // A stream that was destroyed because of the signal complains of that.
      this.#failure = { error: this.#signal?.aborted === true ? this.#signal.reason : error };
      this.close();
      this.#throwFailure();
    }
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #advance(): Promise<void> {
    const { onProgress, allowEmpty } = this.#options;
    this.#signal?.throwIfAborted();
    if (performance.now() - this.#turnBegan > TURN_MS) {
      await setImmediate();
      this.#turnBegan = performance.now();
    }
    if (this.#rest.length === 0 && !this.#reader.isHolding) {
      this.#pieces ??= await (this.#opening ??= this.#open());
      this.#jump(this.#pieces);
      const piece = await this.#nextOf(this.#pieces);
      if (piece === undefined) {
        this.#reader.end();
        if (this.#reader.chunks === 0 && !allowEmpty) throw emptyArchive();
        this.isOver = true;
        return;
      }
      this.#rest = piece;
    }
    const taken = this.#reader.push(this.#rest);
    this.#rest = this.#rest.subarray(taken);
    const now = performance.now();
    if (now - this.#toldProgress < PROGRESS_INTERVAL_MS) return;
    this.#toldProgress = now;
    onProgress?.(this.#reader.archiveOffset);
  }

  async #open(): Promise<ArchivePieces> {
    const pieces = await openArchivePieces(this.#input, this.#options.stream);
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
    return pieces;
  }

  async #nextOf(pieces: ArchivePieces): Promise<Buffer | undefined> {
    this.#signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      this.#interrupt = reject;
      pieces.next().then(resolve, reject);
    });
  }

  #jump(pieces: ArchivePieces): void {
    const { skippableBytes } = this.#reader;
    if (skippableBytes > 0) this.#reader.skip(pieces.skip(skippableBytes));
  }

  /** No more is wanted: gives the input back. */
  close(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    if (this.#pieces !== undefined) this.#pieces.close();
    else if (this.#opening === undefined) giveBackUnread(this.#input);
    else
      void this.#opening.then(
        (pieces) => pieces.close(),
        () => undefined,
      );
  }
}
