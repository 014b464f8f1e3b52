import { Readable } from 'node:stream';
import { makeRing, RingReader, type RingHandle } from '../../input/stream/ring.js';
import { Turn } from '../../input/stream/turn.js';

/** Most bytes that are given at a time. */
const PIECE_BYTES = 256 * 1024;

/**
 * Writes into a ring and ends it, in another thread.
 *
 * @param destroyed nobody reads any more
 */
export type RingFiller = (ring: RingHandle, destroyed: AbortSignal) => Promise<unknown>;

/** What another thread writes, as a stream of this one; that thread waits for whoever reads it. */
export class RingReadable extends Readable {
  readonly #fill: RingFiller;
  readonly #unread: () => void;
  readonly #signal: AbortSignal | undefined;
  /** All may be written, and much of it not read yet, when it is no longer wanted. */
  readonly #onAbort = (): void => void this.destroy(this.#signal!.reason as Error);
  readonly #destroyed = new AbortController();
  #ring: RingReader | undefined;
  #filling: Promise<void> | undefined;

  /**
   * @param fill called when the stream is read first; what it rejects with destroys the stream
   * @param unread called when it is destroyed before that
   * @param signal destroys it with its reason
   */
  constructor(fill: RingFiller, unread: () => void, signal: AbortSignal | undefined) {
    super({ highWaterMark: PIECE_BYTES });
    this.#fill = fill;
    this.#unread = unread;
    // One of its own: many streams may have the same signal, and Node warns of many listeners.
    this.#signal = signal === undefined ? undefined : AbortSignal.any([signal]);
  }

  override _read(): void {
    this.#ring ??= this.#start();
    void this.#give(this.#ring);
  }

  #start(): RingReader {
    if (this.#signal?.aborted === true) this.#onAbort();
    else this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
    const { writer, reader } = makeRing();
    this.#filling = this.#fill(writer, this.#destroyed.signal).then(
      () => undefined,
      (error: unknown) => {
        this.destroy(error as Error);
      },
    );
    return new RingReader(reader);
  }

  async #give(ring: RingReader): Promise<void> {
    const turn = new Turn();
    while (!this.destroyed) {
      const { hasEnded, available } = ring;
      if (available > 0) {
        const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, available));
        ring.read(piece);
        if (!this.push(piece)) return;
        await turn.pass();
      } else if (hasEnded) {
        // Whether all has gone well is told a moment later; if not, there is nobody to push to any more.
        await this.#filling;
        this.push(null);
        return;
      } else {
        await ring.wait();
      }
    }
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#destroyed.abort();
    const ring = this.#ring;
    ring?.wake();
    const end = (): void => {
      ring?.close();
      callback(error);
    };
    // Nothing of the work is left when the stream says that it is closed.
    if (this.#filling !== undefined) {
      void this.#filling.then(end);
      return;
    }
    this.#unread();
    end();
  }
}
