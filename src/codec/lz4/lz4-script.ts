/** See lz4.wat. */
export interface Lz4Functions {
  decode(block: number, blockEnd: number, target: number, targetEnd: number, base: number): number;
  stripes(state: number, at: number, end: number): void;
}

export const PRIME_1 = 0x9e3779b1 | 0;
export const PRIME_2 = 0x85ebca77 | 0;
export const STRIPE_BYTES = 16;

/** What lz4.wat does, in JavaScript. */
export function lz4InScript(memory: () => Buffer): Lz4Functions {
  return {
    decode: (block, blockEnd, target, targetEnd, base) => decode(memory(), block, blockEnd, target, targetEnd, base),
    stripes: (state, at, end) => hashStripes(memory(), state, at, end),
  };
}

function decode(bytes: Buffer, s: number, sEnd: number, target: number, dEnd: number, base: number): number {
  let d = target;
  for (;;) {
    if (s >= sEnd) return -1;
    const token = bytes[s++]!;
    let length = token >>> 4;
    if (length === 15) {
      for (let byte = 255; byte === 255; length += byte) {
        if (s >= sEnd) return -2;
        byte = bytes[s++]!;
      }
    }
    if (length > sEnd - s) return -3;
    if (length > dEnd - d) return -4;
    bytes.copyWithin(d, s, s + length);
    s += length;
    d += length;
    if (s === sEnd) return d - target;

    if (sEnd - s < 2) return -5;
    const offset = bytes[s]! | (bytes[s + 1]! << 8);
    s += 2;
    if (offset === 0 || offset > d - base) return -6;
    length = token & 15;
    if (length === 15) {
      for (let byte = 255; byte === 255; length += byte) {
        if (s >= sEnd) return -2;
        byte = bytes[s++]!;
      }
    }
    length += 4;
    if (length > dEnd - d) return -4;
    if (offset >= length) bytes.copyWithin(d, d - offset, d - offset + length);
    else for (let i = 0; i < length; i++) bytes[d + i] = bytes[d + i - offset]!;
    d += length;
  }
}

function hashStripes(bytes: Buffer, state: number, start: number, end: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let lane = 0; lane < STRIPE_BYTES; lane += 4) {
    let sum = view.getInt32(state + lane, true);
    for (let at = start + lane; at < end; at += STRIPE_BYTES) {
      sum = (sum + Math.imul(view.getInt32(at, true), PRIME_2)) | 0;
      sum = Math.imul((sum << 13) | (sum >>> 19), PRIME_1);
    }
    view.setInt32(state + lane, sum, true);
  }
}
