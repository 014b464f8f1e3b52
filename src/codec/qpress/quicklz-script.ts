/** See quicklz.wat. */
export interface QuickLzFunctions {
  decode(body: number, bodyEnd: number, target: number, size: number, base: number): number;
  adler32(at: number, end: number): number;
}

const TABLE_MASK = 4095;
/** Literals only, so many bytes before the end. */
const TAIL_BYTES = 11;
/** A control word that holds nothing but its end mark. */
const EMPTY_CONTROL = 0x80000000;
const ADLER_MODULUS = 65521;
/** The sums stay exact for so many bytes; then they must be reduced. */
const ADLER_RUN_BYTES = 1 << 16;

/** What quicklz.wat does, in JavaScript. */
export function quickLzInScript(memory: () => Buffer): QuickLzFunctions {
  return {
    decode: (body, bodyEnd, target, size, base) => decode(memory(), body, bodyEnd, target, size, base),
    adler32: (at, end) => adler32(memory(), at, end),
  };
}

function decode(bytes: Buffer, s: number, bodyEnd: number, target: number, size: number, base: number): number {
  const table = new Int32Array(bytes.buffer, bytes.byteOffset, TABLE_MASK + 1);
  const end = target + size;
  const tailAt = end - TAIL_BYTES;
  const bias = base - target;
  let d = target;
  /** The next position that may enter the table. */
  let next = target;
  /** As an unsigned number; 1 means that no control bit is left. */
  let control = 1;
  const enter = (): void => {
    const x = bytes[next]! | (bytes[next + 1]! << 8) | (bytes[next + 2]! << 16);
    table[((x >>> 12) ^ x) & TABLE_MASK] = next + bias;
    next += 1;
  };
  while (d < end) {
    if (control === 1) {
      if (s + 4 > bodyEnd) return 1;
      control = bytes.readUInt32LE(s);
      s += 4;
      if (control === 0) {
        if (d < tailAt) return 2;
        control = EMPTY_CONTROL;
      }
      if (control === 1) continue;
    }
    if ((control & 1) === 0) {
      if (d >= tailAt) break;
      control >>>= 1;
      if (s + 1 > bodyEnd) return 7;
      bytes[d++] = bytes[s++]!;
      while (next < d - 2) enter();
      continue;
    }
    control >>>= 1;
    const item = bytes[s]! | (bytes[s + 1]! << 8);
    const isLong = (item & 15) === 0;
    const length = isLong ? bytes[s + 2]! : (item & 15) + 2;
    s += isLong ? 3 : 2;
    if (s > bodyEnd) return 3;
    if (length < 3) return 4;
    const from = table[item >>> 4]! - bias;
    if (from < target) return 5;
    const stop = d + length;
    if (stop > end) return 6;
    for (let i = 0; i < length; i++) bytes[d + i] = bytes[from + i]!;
    while (next <= d) enter();
    d = stop;
    next = stop;
  }
  while (d < end) {
    if (control === 1) {
      s += 4;
      control = EMPTY_CONTROL;
    }
    if (s >= bodyEnd) return 7;
    bytes[d++] = bytes[s++]!;
    control >>>= 1;
  }
  return 0;
}

function adler32(bytes: Buffer, at: number, end: number): number {
  let a = 1;
  let b = 0;
  while (at < end) {
    for (const stop = Math.min(end, at + ADLER_RUN_BYTES); at < stop; at++) {
      a += bytes[at]!;
      b += a;
    }
    a %= ADLER_MODULUS;
    b %= ADLER_MODULUS;
  }
  return ((b << 16) | a) >>> 0;
}
