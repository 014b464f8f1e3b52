/** Memory for a range of an archive, which a connection fills from its first byte on while somebody reads. */
import { copyBytes } from '../../threads/copy-bytes.js';
import type { Body } from './http/exchange.js';

/** An int32 says how many bytes have come; they stand behind it. */
const COME_BYTES = 8;
/** Most that is received at a time: more at once costs less, but who waits for the first bytes waits longer. */
const RECEIVED_BYTES_MAX = 1024 * 1024;

/** Memory for a range of so many bytes. */
export function roomFor(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(COME_BYTES + bytes);
}

/** For how many bytes there is room. */
export function roomOf({ byteLength }: SharedArrayBuffer): number {
  return byteLength - COME_BYTES;
}

/** It is for another range now. Only where nobody fills it any more. */
export function clearRoom(shared: SharedArrayBuffer): void {
  Atomics.store(new Int32Array(shared, 0, 1), 0, 0);
}

export class RangeMemory {
  readonly shared: SharedArrayBuffer;
  readonly #come: Int32Array;
  readonly #bytes: Buffer;

  /** @param shared made by {@link roomFor} */
  constructor(shared: SharedArrayBuffer) {
    this.shared = shared;
    this.#come = new Int32Array(shared, 0, 1);
    this.#bytes = Buffer.from(shared, COME_BYTES);
  }

  /** How many have come. */
  get come(): number {
    return Atomics.load(this.#come, 0);
  }

  /** Of the bytes that have come those from one to another. */
  bytes(from: number, to: number): Buffer {
    return this.#bytes.subarray(from, to);
  }

  /** What fills it. @param filled called after bytes have come, with how many there are */
  body(filled: (come: number) => void): Body {
    return {
      room: () => {
        const { come } = this;
        return come === this.#bytes.length ? undefined : this.#bytes.subarray(come, come + RECEIVED_BYTES_MAX);
      },
      take: (bytes) => {
        const before = this.come;
        const come = before + bytes.length;
        if (bytes.buffer !== this.shared) copyBytes(bytes, this.#bytes, before);
        Atomics.store(this.#come, 0, come);
        filled(come);
      },
    };
  }
}
