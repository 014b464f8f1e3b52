/** A ring of bytes in shared memory, by which one thread hands a stream to another. */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { copyBytes } from '../../threads/copy-bytes.js';

/** Bytes that can be under way in a ring: what goes in is copied out in pieces of up to half of it. */
const RING_BYTES = 1024 * 1024;

/** Most bytes that are taken out at a time in memory of their own. */
export const TAKEN_BYTES_MAX = 256 * 1024;

/** Bytes before the data: five numbers, and room so that the data begins on a cache line of its own. */
const HEAD_BYTES = 64;

// Where the numbers stand. The first two are counts of bytes modulo 2^32.
const WRITTEN = 0;
const READ = 1;
const STATE = 2;
const READER_WAITS = 3;
const WRITER_WAITS = 4;

const OPEN = 0;
const ENDED = 1;
const FAILED = 2;

/** One end of a ring, in the form in which it goes to another thread; the port has to be transferred. */
export interface RingHandle {
  memory: SharedArrayBuffer;
  port: MessagePort;
}

/** Makes a ring: bytes that one thread writes at one end, another reads at the other. */
export function makeRing(): { writer: RingHandle; reader: RingHandle } {
  const memory = new SharedArrayBuffer(HEAD_BYTES + RING_BYTES);
  const { port1, port2 } = new MessageChannel();
  return { writer: { memory, port: port1 }, reader: { memory, port: port2 } };
}

/**
 * What both ends have in common: the memory, and a port over which one end wakes the other. A message is sent only to
 * who says that it waits, so that a busy ring sends none. Neither end blocks its thread, unless a writer wants to.
 */
abstract class RingEnd {
  protected readonly numbers: Int32Array;
  protected readonly data: Buffer;
  readonly #port: MessagePort;
  #wake: (() => void) | undefined;

  constructor({ memory, port }: RingHandle) {
    this.numbers = new Int32Array(memory, 0, HEAD_BYTES / 4);
    this.data = Buffer.from(memory, HEAD_BYTES);
    this.#port = port;
    port.on('message', () => this.wake());
    port.unref();
  }

  /** Bytes that are in the ring. */
  protected get filled(): number {
    return (Atomics.load(this.numbers, WRITTEN) - Atomics.load(this.numbers, READ)) >>> 0;
  }

  /** Wakes the other end, if it waits. */
  protected wakeOther(flag: number): void {
    if (Atomics.exchange(this.numbers, flag, 0) === 1) this.#port.postMessage(0);
  }

  /** Waits until the other end has done something, or {@link wake}; `isReady` is what that is waited for. */
  protected async waitFor(flag: number, isReady: () => boolean): Promise<void> {
    Atomics.store(this.numbers, flag, 1);
    // What happened just before the other end could see the flag would send no message.
    if (isReady()) return;
    // The other end's thread may be over before its last message has come: nothing else keeps this one alive then.
    this.#port.ref();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#port.unref();
  }

  /** Ends a wait. */
  wake(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** This end is not used any more. */
  close(): void {
    this.#port.close();
  }
}

/** The end of a ring where bytes go in. */
export class RingWriter extends RingEnd {
  /** Puts in what there is room for. @returns how many bytes that were, perhaps none */
  write(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, this.data.length - this.filled);
    if (taken === 0) return 0;
    const at = (Atomics.load(this.numbers, WRITTEN) >>> 0) % this.data.length;
    const first = Math.min(taken, this.data.length - at);
    copyBytes(bytes.subarray(0, first), this.data, at);
    copyBytes(bytes.subarray(first, taken), this.data);
    Atomics.add(this.numbers, WRITTEN, taken);
    this.wakeOther(READER_WAITS);
    return taken;
  }

  /** Puts in all of it, as there comes to be room. @param isStopped true: the rest is left */
  async writeAll(bytes: Uint8Array, isStopped: () => boolean): Promise<void> {
    let left = bytes.subarray(this.write(bytes));
    while (left.length > 0 && !isStopped()) {
      await this.room();
      left = left.subarray(this.write(left));
    }
  }

  /** Waits until there is room. */
  async room(): Promise<void> {
    await this.waitFor(WRITER_WAITS, () => this.filled < this.data.length);
  }

  /** Blocks this thread until there is room, but not longer than this. */
  block(mostMs: number): void {
    const read = Atomics.load(this.numbers, READ);
    if (this.filled >= this.data.length) Atomics.wait(this.numbers, READ, read, mostMs);
  }

  /** Nothing more will come. @param failed because of a failure */
  end(failed: boolean): void {
    Atomics.store(this.numbers, STATE, failed ? FAILED : ENDED);
    this.wakeOther(READER_WAITS);
  }
}

/** The end of a ring where bytes come out. */
export class RingReader extends RingEnd {
  /** Takes what is there. @returns how many bytes were put into `room`, perhaps none */
  read(room: Buffer): number {
    const taken = Math.min(room.length, this.filled);
    if (taken === 0) return 0;
    const at = (Atomics.load(this.numbers, READ) >>> 0) % this.data.length;
    const first = Math.min(taken, this.data.length - at);
    copyBytes(this.data.subarray(at, at + first), room);
    copyBytes(this.data.subarray(0, taken - first), room, first);
    Atomics.add(this.numbers, READ, taken);
    Atomics.notify(this.numbers, READ);
    this.wakeOther(WRITER_WAITS);
    return taken;
  }

  /** Takes what is there, at most {@link TAKEN_BYTES_MAX}, in memory of its own; undefined where nothing is. */
  take(): Buffer | undefined {
    if (this.filled === 0) return undefined;
    const piece = Buffer.allocUnsafeSlow(Math.min(TAKEN_BYTES_MAX, this.filled));
    this.read(piece);
    return piece;
  }

  /** Waits until there are bytes, or the end. */
  async wait(): Promise<void> {
    await this.waitFor(READER_WAITS, () => this.filled > 0 || Atomics.load(this.numbers, STATE) !== OPEN);
  }

  /** How many bytes can be read now. */
  get available(): number {
    return this.filled;
  }

  /** The writer has ended; bytes may still be in the ring. */
  get hasEnded(): boolean {
    return Atomics.load(this.numbers, STATE) !== OPEN;
  }

  /** The writer has ended because of a failure. */
  get hasFailed(): boolean {
    return Atomics.load(this.numbers, STATE) === FAILED;
  }
}
