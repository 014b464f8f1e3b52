import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemCodeOf, XbstreamError } from '../../errors.js';
import { makeRing, RingReader, type RingHandle } from '../../input/stream/ring.js';
import { TimeSlice } from '../../input/stream/time-slice.js';

/** How long, in milliseconds, an aborted work waits for the stream to take what says that the rest is missing. */
const LAST_WORD_MS = 200;

/** Hands what another thread makes over to a stream of this thread, as fast as that takes it. */
export class StreamWriter {
  /** Aborted, with an XbstreamError, when the stream fails or goes away. */
  readonly failed: AbortSignal;
  /** What the other thread writes into. */
  readonly ring: RingHandle;
  readonly #stream: Writable;
  readonly #reader: RingReader;
  readonly #failing = new AbortController();
  readonly #pumping: Promise<void>;
  #isMade = false;
  /** Pieces that the stream has not done with. */
  #underWay = 0;
  #waiting: (() => void) | undefined;

  /** @throws XbstreamError `XB_IO` for a stream that has ended */
  constructor(stream: Writable) {
    if (stream.destroyed || stream.writableEnded) throw writeError(undefined);
    const { writer, reader } = makeRing();
    this.ring = writer;
    this.failed = this.#failing.signal;
    this.#stream = stream;
    this.#reader = new RingReader(reader);
    stream.on('error', this.#fail).on('close', this.#onClose).on('drain', this.#wake);
    this.#pumping = this.#pump();
  }

  /** All is made and well: waits until the stream has taken it, and ends it. @throws XbstreamError `XB_IO` */
  async end(): Promise<void> {
    await this.#takeRest();
    this.failed.throwIfAborted();
    if (!this.#isStandard) {
      this.#stream.off('close', this.#onClose);
      try {
        await finished(this.#stream.end(), { readable: false });
      } catch (error) {
        throw writeError(error);
      }
    }
    this.#release();
    this.#stream.off('error', this.#fail);
  }

  /**
   * It will not be whole. Gives the stream what there is, which says so to whoever only sees the bytes, then destroys it.
   *
   * @param signal once aborted, a stream that takes nothing is not waited for
   */
  async breakOff(error: unknown, signal: AbortSignal): Promise<void> {
    await untilAborted(this.#takeRest(), signal, () => sleep(LAST_WORD_MS));
    this.#failing.abort(error);
    this.#release();
    // What it says of its end, or of a failure that came before, concerns nobody here: the listener for errors stays.
    if (!this.#isStandard) this.#stream.destroy(error instanceof Error ? error : writeError(error));
  }

  /** The standard streams are of use to others, too. */
  get #isStandard(): boolean {
    return this.#stream === process.stdout || this.#stream === process.stderr;
  }

  /** All that was made has gone through the stream, or cannot. */
  async #takeRest(): Promise<void> {
    this.#isMade = true;
    this.#reader.wake();
    await this.#pumping;
    while (this.#underWay > 0 && !this.failed.aborted) await this.#change();
  }

  async #pump(): Promise<void> {
    const slice = new TimeSlice();
    while (!this.failed.aborted) {
      // Asked first: what was written before the end is there once the end is seen.
      const isOver = this.#isMade || this.#reader.hasEnded;
      const piece = this.#reader.take();
      if (piece !== undefined) {
        this.#write(piece);
        while (this.#stream.writableNeedDrain && !this.#hasFailed()) await this.#change();
        await slice.yieldIfOver();
      } else if (isOver) {
        return;
      } else {
        await this.#reader.wait();
      }
    }
  }

  #hasFailed(): boolean {
    return this.failed.aborted;
  }

  #write(piece: Buffer): void {
    this.#underWay += 1;
    try {
      this.#stream.write(piece, () => {
        this.#underWay -= 1;
        this.#wake();
      });
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Waits until the stream says something. */
  async #change(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting = resolve;
    });
  }

  readonly #wake = (): void => {
    this.#waiting?.();
  };

  readonly #onClose = (): void => {
    this.#fail(undefined);
  };

  readonly #fail = (error: unknown): void => {
    this.#failing.abort(writeError(error));
    this.#reader.wake();
    this.#wake();
  };

  #release(): void {
    this.#stream.off('close', this.#onClose).off('drain', this.#wake);
    this.#reader.wake();
    this.#wake();
    this.#reader.close();
  }
}

/**
 * Waits for something, but no longer than until a signal is aborted. The signal, which may be there for many, keeps nothing of it.
 *
 * @param last what is still waited for then
 */
export async function untilAborted(
  waited: Promise<void>,
  signal: AbortSignal,
  last: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  let onAbort!: () => void;
  const aborted = new Promise<void>((resolve) => {
    onAbort = resolve;
  }).then(last);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([waited, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** The error for a stream that takes nothing any more. */
function writeError(cause: unknown): XbstreamError {
  if (cause instanceof XbstreamError) return cause;
  const text = cause === undefined ? 'it was closed' : cause instanceof Error ? cause.message : 'it has failed';
  return new XbstreamError('XB_IO', `cannot write to the stream: ${text}`, { systemCode: systemCodeOf(cause), cause });
}
