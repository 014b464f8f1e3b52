const MODULUS = 65521;
const WORD_BYTES = 4;
/** As many words as two sums of sums of bytes fit into one number, 16 bits each. */
const GROUP_BYTES = 20 * WORD_BYTES;
/** As many groups as keep the sums below 2^31, counted from reduced ones. */
const GROUPS_BEFORE_REDUCTION = 47;
/** Every other byte of a word. */
const LANES = 0x00ff00ff;

/**
 * Adler-32 of `bytes[start..end)` (RFC 1950), starting at 1.
 *
 * Sums up bytes 0 and 2 of each word in one number, bytes 1 and 3 in another: more than twice as fast as byte by byte.
 */
export function adler32(bytes: Buffer, start: number, end: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, end);
  let a = 1;
  let b = 0;
  let at = start;
  for (let groups = 0; at + GROUP_BYTES <= end; groups++) {
    let even = 0;
    let odd = 0;
    let evenSums = 0;
    let oddSums = 0;
    for (const stop = at + GROUP_BYTES; at < stop; at += WORD_BYTES) {
      const word = view.getInt32(at, true);
      even += word & LANES;
      odd += (word >>> 8) & LANES;
      evenSums = (evenSums + even) | 0;
      oddSums = (oddSums + odd) | 0;
    }
    const sums = (evenSums & 0xffff) + (evenSums >>> 16) + (oddSums & 0xffff) + (oddSums >>> 16);
    b += GROUP_BYTES * a + WORD_BYTES * sums - (odd & 0xffff) - 2 * (even >>> 16) - 3 * (odd >>> 16);
    a += (even & 0xffff) + (even >>> 16) + (odd & 0xffff) + (odd >>> 16);
    if (groups % GROUPS_BEFORE_REDUCTION === GROUPS_BEFORE_REDUCTION - 1) {
      a %= MODULUS;
      b %= MODULUS;
    }
  }
  a %= MODULUS;
  b %= MODULUS;
  for (; at < end; at++) {
    a += view.getUint8(at);
    b += a;
  }
  return (((b % MODULUS) << 16) | (a % MODULUS)) >>> 0;
}
