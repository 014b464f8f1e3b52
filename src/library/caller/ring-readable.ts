import { Readable } from 'node:stream';
import type { InputChoice } from '../../input/open-source.js';
import { makeRing, RingReader, TAKEN_BYTES_MAX, type RingHandle } from '../../input/stream/ring.js';
import { giveBackUnread } from '../reading/event-loop-sources.js';
import { runOn, type Caller } from './caller.js';
import { systemInput, type ArchiveInput } from './input.js';
import type { Callbacks, FileOptions, StreamOptions } from './options.js';
import { TimeSlice } from '../../input/stream/time-slice.js';

/**
 * Writes into a ring and ends it, in another thread.
 *
 * @param signal aborted when nobody reads any more, and when the caller's is
 */
type RingFiller = (ring: RingHandle, signal: AbortSignal) => Promise<unknown>;

/**
 * What is made of an input in another thread, as a stream of this one.
 *
 * @param work has a ring filled
 * @throws XbstreamError `XB_USAGE` for what is no input
 */
export function readableOf(
  input: ArchiveInput,
  options: Callbacks & FileOptions & StreamOptions,
  work: (ring: RingHandle, choice: InputChoice, caller: Caller) => Promise<unknown>,
): Readable {
  systemInput(input);
  return new RingReadable(
    (ring, signal) => runOn(input, { ...options, signal }, (choice, caller) => work(ring, choice, caller)),
    () => giveBackUnread(input),
    options.signal,
  );
}

/** What another thread writes; that thread waits for whoever reads it. */
class RingReadable extends Readable {
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
    super({ highWaterMark: TAKEN_BYTES_MAX });
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
    const { signal } = this.#destroyed;
    const either = this.#signal === undefined ? signal : AbortSignal.any([this.#signal, signal]);
    this.#filling = this.#fill(writer, either).then(
      () => undefined,
      (error: unknown) => {
        this.destroy(error as Error);
      },
    );
    return new RingReader(reader);
  }

  async #give(ring: RingReader): Promise<void> {
    const slice = new TimeSlice();
    while (!this.destroyed) {
      const { hasEnded } = ring;
      const piece = ring.take();
      if (piece !== undefined) {
        if (!this.push(piece)) return;
        await slice.yieldIfOver();
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
