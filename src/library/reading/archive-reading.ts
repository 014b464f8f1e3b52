import { ChunkReader, type ChunkConsumer } from '../../archive/chunk-reader.js';
import { emptyArchive } from '../../archive/salvage/damage-report.js';
import { XbstreamError } from '../../errors.js';
import type { AddressChoice, PartsChoice, StreamChoice, SystemInputChoice } from '../../input/open-source.js';
import type { ByteStream } from '../../input/stream/pieces.js';
import { PIECE_ROOM_BYTES, type ByteSink, type Source } from '../../input/source.js';
import { TimeSlice } from '../../input/stream/time-slice.js';
import { openSystemInput, StreamSource, unwrapHeaded } from './event-loop-sources.js';
import { forPrograms } from '../caller/hints.js';
import { systemInput, type ArchiveInput } from '../caller/input.js';

/** Most bytes that are dealt with at a time: that takes well below a millisecond of the event loop. */
const STEP_BYTES = 256 * 1024;
/** How often progress is told, in milliseconds. */
const PROGRESS_INTERVAL_MS = 100;

export interface ArchiveReadingOptions {
  signal?: AbortSignal | undefined;
  /** Told how many bytes have been read. */
  onProgress?: ((archiveBytes: number) => void) | undefined;
  /** What is to be done about what the archive is wrapped in as a whole. */
  stream: StreamChoice;
  /** For how many seconds an input that is waited for may be silent. */
  silentSeconds: number | undefined;
  /** Take an input without a single chunk for whole. */
  allowEmpty: boolean;
  /** The signal was aborted. */
  onAbort?: () => void;
}

/**
 * An archive that is read on the event loop, a step at a time, as somebody asks for more. The consumer of its chunks keeps
 * what it is given until that is asked for; its source waits meanwhile.
 */
export class ArchiveReading implements ByteSink {
  /** The archive has ended, and nothing was wrong. */
  isOver = false;
  /** No more is read: {@link step} says why. */
  isClosed = false;
  /** A file handle that nobody holds is closed. */
  readonly #input: ArchiveInput;
  readonly #choice: SystemInputChoice | PartsChoice | AddressChoice | undefined;
  /** A stream of the caller's, in its place. */
  readonly #stream: StreamSource | undefined;
  readonly #options: ArchiveReadingOptions;
  readonly #reader: ChunkReader;
  readonly #slice = new TimeSlice();
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => {
    this.fail(this.#signal!.reason);
    this.#options.onAbort?.();
  };
  #opening: Promise<Source> | undefined;
  #source: Source | undefined;
  #hasBegun = false;
  #failure: { error: unknown } | undefined;
  /** The step under way, and what ends it. */
  #step: Promise<void> | undefined;
  #stepDone: (() => void) | undefined;
  /** Lets the source go on. */
  #resume: (() => void) | undefined;
  #toldProgress = -Infinity;

  /** @throws XbstreamError `XB_USAGE` for what is no input, or a stream that somebody else reads; `XB_IO` */
  constructor(input: ArchiveInput, consumer: ChunkConsumer, options: ArchiveReadingOptions) {
    this.#input = input;
    this.#options = options;
    this.#reader = new ChunkReader(consumer);
    this.#choice = systemInput(input);
    this.#stream =
      this.#choice === undefined ? new StreamSource(this.#input as ByteStream, options.silentSeconds) : undefined;
    this.#source = this.#stream;
    // One of its own: many archives may be read with the same signal, and Node warns of many listeners.
    this.#signal = options.signal === undefined ? undefined : AbortSignal.any([options.signal]);
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /**
   * Reads on a little; the consumer is told what there is. What somebody else asked for meanwhile counts for all. What goes
   * wrong is told by the next step: what came before has its turn first.
   *
   * @throws XbstreamError what a {@link ChunkReader} and its consumer throw, `XB_EMPTY_ARCHIVE`, `XB_IO`, `XB_USAGE`
   * @throws the signal's reason after it was aborted, and what {@link fail} was given
   */
  async step(): Promise<void> {
    this.assertWanted();
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#step ??= new Promise((resolve) => {
      this.#stepDone = resolve;
    });
    const step = this.#step;
    if (this.#hasBegun) this.#resume?.();
    else void this.#run();
    await step;
  }

  /** @throws the signal's reason after it was aborted: what waits to be taken is not wanted then, either */
  assertWanted(): void {
    if (this.#signal?.aborted !== true) return;
    this.fail(this.#signal.reason);
    throw this.#signal.reason;
  }

  async #run(): Promise<void> {
    this.#hasBegun = true;
    try {
      const { stream, silentSeconds } = this.#options;
      const isStopped = (): boolean => this.isClosed;
      this.#opening =
        this.#stream === undefined
          ? openSystemInput(this.#choice!, { stream, silentSeconds }, isStopped)
          : unwrapHeaded(this.#stream, stream, isStopped);
      this.#source = await this.#opening;
      const running = this.#source.run(this);
      // While it was being opened.
      if (this.isClosed) this.#source.stop();
      await running;
      if (this.isClosed) return;
      this.#reader.end();
      if (this.#reader.chunks === 0 && !this.#options.allowEmpty) throw emptyArchive();
      this.isOver = true;
      this.#endStep();
    } catch (error) {
      this.fail(error);
    }
  }

  /** New memory each time: whoever reads the content may keep it. */
  room(): Buffer {
    return Buffer.allocUnsafeSlow(PIECE_ROOM_BYTES);
  }

  async push(piece: Buffer): Promise<void> {
    for (let at = 0; (at < piece.length || this.#reader.isHolding) && !this.isClosed;) {
      try {
        at += this.#reader.push(piece.subarray(at, at + STEP_BYTES));
        this.#tellProgress();
      } catch (error) {
        this.fail(error);
        return;
      }
      this.#endStep();
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
      });
      await this.#slice.yieldIfOver();
    }
  }

  get skippableBytes(): number {
    return this.#reader.skippableBytes;
  }

  skip(bytes: number): void {
    this.#reader.skip(bytes);
  }

  #tellProgress(): void {
    const now = performance.now();
    if (now - this.#toldProgress < PROGRESS_INTERVAL_MS) return;
    this.#toldProgress = now;
    this.#options.onProgress?.(this.#reader.archiveOffset);
  }

  #endStep(): void {
    this.#step = undefined;
    this.#stepDone?.();
  }

  /**
   * No more is read, and whoever asks for it gets this error, unless there was one before.
   *
   * @returns the error as it is told
   */
  fail(error: unknown): unknown {
    this.#failure ??= { error: forPrograms(error) };
    if (!this.isClosed) {
      this.isClosed = true;
      this.#signal?.removeEventListener('abort', this.#onAbort);
      this.#source?.stop();
      this.#source?.close();
      this.#resume?.();
    }
    this.#endStep();
    return this.#failure.error;
  }

  /** No more is wanted: gives the input back. Nobody opens it any more when the promise is settled. */
  async close(): Promise<void> {
    this.fail(new XbstreamError('XB_USAGE', 'the archive is not read any more'));
    await Promise.allSettled([this.#opening]);
  }
}
