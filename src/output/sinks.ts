/** What takes bytes from beginning to end, synchronously. */
import * as fs from 'node:fs';
import { systemCodeOf, systemError } from '../errors.js';
import { RingWriter, type RingHandle } from '../input/stream/ring.js';

/** Takes bytes, in order; they are the giver's own again after the call. */
export interface SequentialSink {
  write(bytes: Buffer): void;
  writeAll(buffers: readonly Buffer[]): void;
}

/** How long to wait, in milliseconds, when a descriptor that never blocks can take nothing: longer each time, up to the second. */
const RETRY_MS = 0.05;
const RETRY_MS_MAX = 5;
/** How often, in milliseconds, a thread that waits for a reader looks whether it is to stop. */
const LOOK_MS = 20;
/** Most buffers that the system takes in one call (`IOV_MAX`). */
const VECTORS_MAX = 1024;

/** A write was ended because its thread is to stop. */
export class Stopped extends Error {}

/**
 * Writes to a descriptor from beginning to end, synchronously. It belongs into a thread that nothing else needs: a pipe
 * whose reader is slow makes it wait.
 */
export class DescriptorSink implements SequentialSink {
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
    for (let pause = RETRY_MS; ; pause = Math.min(RETRY_MS_MAX, pause * 2)) {
      try {
        const written = write();
        this.bytes += written;
        return written;
      } catch (error) {
        if (systemCodeOf(error) !== 'EAGAIN') throw systemError(`cannot write to ${this.#name}`, error);
        if (this.#isStopped()) throw new Stopped();
        Atomics.wait(this.#pause, 0, 0, pause);
      }
    }
  }
}

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

/** What is larger is handed on as it is: a call of the system for each small piece would cost more than its copy. */
const GATHERED_BYTES_MAX = 64 * 1024;
const STAGE_BYTES = 512 * 1024;

/** Gathers small pieces on their way to a sink. */
export class BufferedSink {
  readonly #sink: SequentialSink;
  readonly #stage = Buffer.allocUnsafeSlow(STAGE_BYTES);
  #staged = 0;

  constructor(sink: SequentialSink) {
    this.#sink = sink;
  }

  put(buffers: readonly Buffer[]): void {
    const bytes = buffers.reduce((sum, { length }) => sum + length, 0);
    if (this.#staged + bytes > STAGE_BYTES) this.flush();
    if (bytes > GATHERED_BYTES_MAX) {
      this.flush();
      this.#sink.writeAll(buffers);
      return;
    }
    for (const buffer of buffers) this.#staged += buffer.copy(this.#stage, this.#staged);
  }

  /** Gives the sink all that was gathered. */
  flush(): void {
    if (this.#staged > 0) this.#sink.write(this.#stage.subarray(0, this.#staged));
    this.#staged = 0;
  }
}
