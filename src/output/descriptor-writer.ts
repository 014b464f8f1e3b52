import * as fs from 'node:fs';
import { systemCodeOf, systemError } from '../errors.js';

/** How long to wait, in milliseconds, when a descriptor that never blocks can take nothing. */
const RETRY_MS = 1;

/** A write was ended because its thread is to stop. */
export class Stopped extends Error {}

/**
 * Writes to a descriptor from beginning to end, synchronously. It belongs into a thread that nothing else needs: a pipe
 * whose reader is slow makes it wait.
 */
export class DescriptorWriter {
  /** Bytes written so far. */
  bytes = 0;
  readonly #fd: number;
  readonly #name: string;
  readonly #isStopped: () => boolean;
  readonly #pause = new Int32Array(new SharedArrayBuffer(4));

  /**
   * @param name for messages
   * @param isStopped asked while a descriptor takes nothing
   */
  constructor(fd: number, name: string, isStopped: () => boolean) {
    this.#fd = fd;
    this.#name = name;
    this.#isStopped = isStopped;
  }

  /** @throws XbstreamError `XB_IO`; {@link Stopped} */
  write(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) at += this.#try(() => fs.writeSync(this.#fd, bytes, at, bytes.length - at));
  }

  /** The same for several buffers in a row, in one call of the system where it takes them. */
  writeAll(buffers: readonly Buffer[]): void {
    let left = buffers;
    for (let first = 0; left.length > 0;) {
      const part = first === 0 ? left : [left[0]!.subarray(first), ...left.slice(1)];
      let written = first + this.#try(() => fs.writevSync(this.#fd, part.slice(0, VECTORS_MAX)));
      let whole = 0;
      while (whole < left.length && written >= left[whole]!.length) written -= left[whole++]!.length;
      left = left.slice(whole);
      first = written;
    }
  }

  #try(write: () => number): number {
    for (;;) {
      try {
        const written = write();
        this.bytes += written;
        return written;
      } catch (error) {
        if (systemCodeOf(error) !== 'EAGAIN') throw systemError(`cannot write to ${this.#name}`, error);
        if (this.#isStopped()) throw new Stopped();
        Atomics.wait(this.#pause, 0, 0, RETRY_MS);
      }
    }
  }
}

/** Most buffers that the system takes in one call (`IOV_MAX`). */
const VECTORS_MAX = 1024;
