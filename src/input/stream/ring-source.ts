import { StreamFailure } from '../../errors.js';
import { RingReader, type RingHandle } from './ring.js';
import { PIECE_BYTES, type ByteSink, type Source } from '../source.js';

/** A stream of another thread, whose bytes come through shared memory. */
export class RingSource implements Source {
  readonly seekable = false;
  readonly #ring: RingReader;
  readonly #isStopped: () => boolean;
  #stopped = false;

  /** @param isStopped asked before each piece: as long as there are bytes no event is heard */
  constructor(handle: RingHandle, isStopped: () => boolean) {
    this.#ring = new RingReader(handle);
    this.#isStopped = isStopped;
  }

  async run(sink: ByteSink): Promise<void> {
    while (!this.#stopped && !this.#isStopped()) {
      // Asked first: what was written before the end is there once the end is seen.
      const { hasEnded, hasFailed } = this.#ring;
      if (this.#ring.available === 0) {
        if (hasFailed) throw new StreamFailure('XB_IO', 'the stream that gives the archive has failed');
        if (hasEnded) return;
        await this.#ring.wait();
        continue;
      }
      const room = sink.room();
      const bytes = this.#ring.read(room.subarray(0, PIECE_BYTES));
      const wait = sink.push(room.subarray(0, bytes));
      if (wait !== undefined) await wait;
    }
  }

  /** Nothing more will be put into the ring. */
  get hasEnded(): boolean {
    return this.#ring.hasEnded;
  }

  stop(): void {
    this.#stopped = true;
    this.#ring.wake();
  }

  close(): void {
    this.#ring.close();
  }
}
