import { RingWriter, type RingHandle } from '../input/ring.js';
import { Stopped } from './descriptor-writer.js';
import type { SequentialSink } from './buffered-sink.js';

/** How often, in milliseconds, a thread that waits for a reader looks whether it is to stop. */
const LOOK_MS = 20;

/** Writes into a ring, synchronously: its thread waits for whoever reads it, as it would for the reader of a pipe. */
export class RingSink implements SequentialSink {
  /** Bytes written so far. */
  bytes = 0;
  readonly #ring: RingWriter;
  readonly #isStopped: () => boolean;

  /** @param isStopped asked while there is no room */
  constructor(ring: RingHandle, isStopped: () => boolean) {
    this.#ring = new RingWriter(ring);
    this.#isStopped = isStopped;
  }

  /** @throws {@link Stopped} */
  write(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      const taken = this.#ring.write(bytes.subarray(at));
      at += taken;
      this.bytes += taken;
      if (taken > 0) continue;
      if (this.#isStopped()) throw new Stopped();
      this.#ring.block(LOOK_MS);
    }
  }

  writeAll(buffers: readonly Buffer[]): void {
    for (const bytes of buffers) this.write(bytes);
  }

  /** All is written. */
  end(): void {
    this.#ring.end(false);
  }
}
