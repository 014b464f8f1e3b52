import { hashStripes } from './lz4-kernel.js';
import { PRIME_1, PRIME_2, STRIPE_BYTES } from './lz4-script.js';

const PRIME_3 = 0xc2b2ae3d | 0;
const PRIME_4 = 0x27d4eb2f | 0;
const PRIME_5 = 0x165667b1 | 0;

/** XXH32 with seed 0 of bytes that come in pieces (xxhash_spec.md, "XXH32 algorithm"). */
export class XxHash32 {
  readonly #state = Int32Array.of(PRIME_1 + PRIME_2, PRIME_2, 0, -PRIME_1);
  #bytes = 0;
  readonly #rest = Buffer.allocUnsafe(STRIPE_BYTES);
  #restBytes = 0;

  update(bytes: Uint8Array): this {
    this.#bytes += bytes.length;
    let at = 0;
    if (this.#restBytes > 0) {
      at = Math.min(STRIPE_BYTES - this.#restBytes, bytes.length);
      this.#rest.set(bytes.subarray(0, at), this.#restBytes);
      this.#restBytes += at;
      if (this.#restBytes < STRIPE_BYTES) return this;
      hashStripes(this.#state, this.#rest);
      this.#restBytes = 0;
    }
    const end = bytes.length - ((bytes.length - at) % STRIPE_BYTES);
    if (end > at) hashStripes(this.#state, bytes.subarray(at, end));
    if (end < bytes.length) {
      this.#rest.set(bytes.subarray(end));
      this.#restBytes = bytes.length - end;
    }
    return this;
  }

  /** The hash of all bytes so far, as an unsigned number. */
  digest(): number {
    let hash = PRIME_5;
    if (this.#bytes >= STRIPE_BYTES) {
      const [a, b, c, d] = this.#state;
      hash = (rotate(a!, 1) + rotate(b!, 7) + rotate(c!, 12) + rotate(d!, 18)) | 0;
    }
    hash = (hash + (this.#bytes | 0)) | 0;
    let at = 0;
    for (; at + 4 <= this.#restBytes; at += 4) {
      hash = (hash + Math.imul(this.#rest.readInt32LE(at), PRIME_3)) | 0;
      hash = Math.imul(rotate(hash, 17), PRIME_4);
    }
    for (; at < this.#restBytes; at++) {
      hash = (hash + Math.imul(this.#rest[at]!, PRIME_5)) | 0;
      hash = Math.imul(rotate(hash, 11), PRIME_1);
    }
    hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
    hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
    return (hash ^ (hash >>> 16)) >>> 0;
  }
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** XXH32 with seed 0. */
export function xxHash32(bytes: Uint8Array): number {
  return new XxHash32().update(bytes).digest();
}
