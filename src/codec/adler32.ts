const MODULUS = 65521;
/** Most bytes whose sums stay below 2^31 (a signed small integer for the engine) when they are begun reduced. */
const BYTES_BEFORE_REDUCTION = 3824;

/**
 * Adler-32 of `bytes[start..end)` (RFC 1950), starting at 1.
 */
export function adler32(bytes: Buffer, start: number, end: number): number {
  let a = 1;
  let b = 0;
  let at = start;
  while (at < end) {
    const stop = Math.min(at + BYTES_BEFORE_REDUCTION, end);
    for (const unrolledEnd = stop - 7; at < unrolledEnd; at += 8) {
      const b0 = bytes[at]!;
      const b1 = bytes[at + 1]!;
      const b2 = bytes[at + 2]!;
      const b3 = bytes[at + 3]!;
      const b4 = bytes[at + 4]!;
      const b5 = bytes[at + 5]!;
      const b6 = bytes[at + 6]!;
      const b7 = bytes[at + 7]!;
      b += 8 * a + 8 * b0 + 7 * b1 + 6 * b2 + 5 * b3 + 4 * b4 + 3 * b5 + 2 * b6 + b7;
      a += b0 + b1 + b2 + b3 + b4 + b5 + b6 + b7;
    }
    for (; at < stop; at++) {
      a += bytes[at]!;
      b += a;
    }
    a %= MODULUS;
    b %= MODULUS;
  }
  return ((b << 16) | a) >>> 0;
}
