/** Memory for a range of an archive, which a connection fills from its first byte on while somebody reads. */
import type { Body } from './http/exchange.js';

/** An int32 says how many bytes have come; they stand behind it. */
const COME_BYTES = 8;
/**
 * What lies at a position stands as far behind such a boundary in memory, as it does in the rooms of who reads: between shared memories V8
 * copies words then, and single bytes else, at a twentieth of the speed.
 */
const WORD_BYTES = 8;
/** Most that is received at a time: more at once costs less, but who waits for the first bytes waits longer. */
const RECEIVED_BYTES_MAX = 1024 * 1024;

/** Memory for a range of so many bytes. */
export function roomFor(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(COME_BYTES + WORD_BYTES + bytes);
}

/** For how many bytes there is room. */
export function roomOf({ byteLength }: SharedArrayBuffer): number {
  return byteLength - COME_BYTES - WORD_BYTES;
}

/** It is for another range now. Only where nobody fills it any more. */
export function clearRoom(shared: SharedArrayBuffer): void {
  Atomics.store(new Int32Array(shared, 0, 1), 0, 0);
}

export class RangeMemory {
  readonly shared: SharedArrayBuffer;
  readonly #come: Int32Array;
  readonly #bytes: Buffer;

  /**
   * @param shared made by {@link roomFor}
   * @param start position of the first byte
   */
  constructor(shared: SharedArrayBuffer, start: number) {
    this.shared = shared;
    this.#come = new Int32Array(shared, 0, 1);
    this.#bytes = Buffer.from(shared, COME_BYTES + (start % WORD_BYTES), roomOf(shared));
  }

  /** How many have come. */
  get come(): number {
    return Atomics.load(this.#come, 0);
  }

  /** Of the bytes that have come those from one to another. */
  bytes(from: number, to: number): Buffer {
    return this.#bytes.subarray(from, to);
  }

  /** What fills it. @param filled called after bytes have come */
  body(filled: () => void): Body {
    return {
      room: () => {
        const { come } = this;
        return come === this.#bytes.length ? undefined : this.#bytes.subarray(come, come + RECEIVED_BYTES_MAX);
      },
      take: (bytes) => {
        const { come } = this;
        if (bytes.buffer !== this.shared) this.#bytes.set(bytes, come);
        Atomics.store(this.#come, 0, come + bytes.length);
        filled();
      },
    };
  }
}
