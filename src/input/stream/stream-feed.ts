import type { InputChoice } from '../open-source.js';
import { piecesOf, type ByteStream, type Pieces } from './pieces.js';
import { makeRing, RingWriter } from './ring.js';
import { TimeSlice } from './time-slice.js';

/**
 * Hands a stream of this thread over to another thread, as fast as that takes it: what it has not taken waits in a ring of
 * fixed size, then in the stream.
 */
export class StreamFeed {
  /** What the other thread reads; it can be used once. */
  readonly input: InputChoice;
  /** What the stream failed with, in a box: anything can be thrown. */
  failure: { error: unknown } | undefined;
  readonly #pieces: Pieces;
  readonly #ring: RingWriter;
  #stopped = false;
  #hasEnded = false;

  /** @throws XbstreamError `XB_USAGE` for a stream that somebody else reads */
  constructor(stream: ByteStream) {
    this.#pieces = piecesOf(stream);
    const { writer, reader } = makeRing();
    this.#ring = new RingWriter(writer);
    this.input = { kind: 'ring', ring: reader };
  }

  /** Begins to read the stream. */
  start(): void {
    this.#run().then(
      () => this.#end(false),
      (error: unknown) => {
        if (this.#stopped) return; // it was given back, and says so
        this.failure = { error };
        this.#end(true);
        this.#pieces.cancel();
      },
    );
  }

  async #run(): Promise<void> {
    const slice = new TimeSlice();
    for (;;) {
      const piece = await this.#pieces.next();
      if (piece === undefined) this.#hasEnded = true;
      if (piece === undefined || this.#stopped) return;
      await this.#ring.writeAll(piece, () => this.#stopped);
      await slice.yieldIfOver();
    }
  }

  #end(failed: boolean): void {
    if (!this.#stopped) this.#ring.end(failed);
  }

  /** Nothing more is wanted: gives the stream back if it has not ended. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#ring.wake();
    this.#ring.close();
    if (!this.#hasEnded) this.#pieces.cancel();
  }
}
