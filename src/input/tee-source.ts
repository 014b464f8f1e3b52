/** A source whose bytes are passed on beside the reading. */
import { PIECE_ROOM_BYTES, type ByteSink, type Source } from './source.js';

/**
 * Every byte of another source, in order and once: each piece is passed on, and then given to the sink. To the last: a sink
 * that fails, or wants no more, gets none, and what it failed with comes when all has been passed on.
 */
export class TeeSource implements Source {
  /** What is passed on cannot be taken back. */
  readonly seekable = false;
  readonly #raw: Source;
  readonly #pass: (piece: Buffer) => void;
  readonly #isStopped: () => boolean;
  #running: Promise<void> | undefined;
  readonly #unwanted: Promise<void>;
  #tellUnwanted: () => void = () => undefined;

  /**
   * @param pass takes each piece; its bytes are its own until it returns
   * @param isStopped whether {@link stop} means to end, and not only that nobody reads any more
   */
  constructor(raw: Source, pass: (piece: Buffer) => void, isStopped: () => boolean) {
    this.#raw = raw;
    this.#pass = pass;
    this.#isStopped = isStopped;
    this.#unwanted = new Promise((resolve) => {
      this.#tellUnwanted = resolve;
    });
  }

  async run(sink: ByteSink): Promise<void> {
    const tee = new TeeSink(sink, this.#pass, this.#unwanted);
    this.#running = this.#raw.run(tee);
    await this.#running;
    if (tee.failure !== undefined) throw tee.failure.error;
  }

  /** Resolves when all has been passed on, or no more can be read, however {@link run} has ended. */
  async passedOn(): Promise<void> {
    await this.#running?.catch(() => undefined);
  }

  stop(): void {
    if (this.#isStopped()) this.#raw.stop();
    this.#tellUnwanted();
  }

  close(): void {
    this.#raw.close();
  }
}

class TeeSink implements ByteSink {
  readonly skippableBytes = 0;
  /** What the sink failed with, in a box. */
  failure: { error: unknown } | undefined;
  readonly #sink: ByteSink;
  readonly #pass: (piece: Buffer) => void;
  #isUnwanted = false;
  /** Ends the wait for what the sink does with a piece. */
  #wake: () => void = () => undefined;
  /** Room of its own, when the sink takes no more. */
  #own: Buffer | undefined;

  constructor(sink: ByteSink, pass: (piece: Buffer) => void, unwanted: Promise<void>) {
    this.#sink = sink;
    this.#pass = pass;
    void unwanted.then(() => {
      this.#isUnwanted = true;
      this.#wake();
    });
  }

  room(): Buffer {
    if (!this.#isUnwanted) return this.#sink.room();
    return (this.#own ??= Buffer.allocUnsafeSlow(PIECE_ROOM_BYTES));
  }

  lastPieceIsSafe(): void {
    this.#sink.lastPieceIsSafe?.();
  }

  push(piece: Buffer): Promise<void> | undefined {
    this.#pass(piece);
    if (this.#isUnwanted) return undefined;
    try {
      const taken = this.#sink.push(piece);
      return taken && this.#awaited(taken);
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  /** Until a piece is taken, or nobody wants it any more. */
  #awaited(taken: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      taken.catch((error: unknown) => this.#fail(error)).finally(resolve);
    });
  }

  skip(): void {
    // Every byte is passed on.
  }

  #fail(error: unknown): void {
    this.failure ??= { error };
    this.#isUnwanted = true;
  }
}
