import { freeNativeMemory } from './native-memory.js';

const GRAIN_BYTES = 256 << 10;
/** Less is not worth keeping. */
const KEPT_BYTES_MIN = 64 << 10;
/** What is kept for later use at most, in bytes. */
const KEPT_BYTES_MAX = 16 << 20;

/**
 * Memory for what goes into jobs and comes out of them, used again and again: fresh pages for each job cost as much as
 * decoding it. A buffer lies alone in its ArrayBuffer, so that it can be sent to another thread and back. It is not shared:
 * V8 copies to and from shared memory a word at a time, three times slower.
 */
export class JobMemory {
  readonly #free: Buffer[] = [];
  #freeBytes = 0;

  /** @returns at least so much memory, with anything in it */
  take(bytes: number): Buffer {
    if (bytes < KEPT_BYTES_MIN) return Buffer.allocUnsafeSlow(bytes);
    const free = this.#takeFree(bytes);
    if (free !== undefined) return free;
    const size = Math.ceil(bytes / GRAIN_BYTES) * GRAIN_BYTES;
    return Buffer.allocUnsafeSlow(size);
  }

  #takeFree(bytes: number): Buffer | undefined {
    let best: Buffer | undefined;
    for (const buffer of this.#free) {
      if (buffer.length >= bytes && buffer.length < (best?.length ?? Infinity)) best = buffer;
    }
    if (best === undefined) return undefined;
    this.#free.splice(this.#free.indexOf(best), 1);
    this.#freeBytes -= best.length;
    return best;
  }

  /** @param bytes what was taken, or a part of it; nobody uses it any more */
  give(bytes: Uint8Array): void {
    const { byteLength } = bytes.buffer;
    // Nothing is left here of what was sent away.
    if (byteLength < KEPT_BYTES_MIN) return;
    const whole = Buffer.from(bytes.buffer);
    if (this.#freeBytes + byteLength > KEPT_BYTES_MAX) {
      freeNativeMemory(whole);
      return;
    }
    this.#free.push(whole);
    this.#freeBytes += byteLength;
  }
}
