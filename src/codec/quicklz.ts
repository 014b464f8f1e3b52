/** Header of a block with lengths of one byte, and with lengths of four. */
const SHORT_HEADER_BYTES = 3;
export const LONG_HEADER_BYTES = 9;

const FLAG_COMPRESSED = 0x01;
const FLAG_LONG_HEADER = 0x02;
const LEVEL_MASK = 0x0c;
const LEVEL_1 = 0x04;
const FLAG_ALWAYS = 0x40;

const TABLE_ENTRIES = 4096;
/** Control bits of one word; the bit above them marks its end. */
const FRESH_CONTROL = 0x80000000 | 0;
/** From this close to the end on there are only literals. */
const TAIL_BYTES = 11;

/** How many bytes after its end the output needs to be writable: matches and literals are copied four bytes at a time. */
export const QUICKLZ_SLACK_BYTES = 8;

/** What a block says of itself. */
export interface QuickLzHeader {
  headerBytes: number;
  /** Whole block, header included. */
  compressedBytes: number;
  decompressedBytes: number;
  stored: boolean;
}

/** Most bytes a block of that many can decode to: a match of 255 bytes takes three and a bit. */
export function quickLzOutputBytesMax(compressedBytes: number): number {
  return compressedBytes * 85;
}

/**
 * Reads a block's header (format.md, section 3).
 *
 * @returns `undefined` when more bytes are needed, a string that says what is wrong when it cannot be one
 */
export function readQuickLzHeader(bytes: Buffer, at: number): QuickLzHeader | string | undefined {
  if (at >= bytes.length) return undefined;
  const flags = bytes[at]!;
  if (
    (flags & LEVEL_MASK) !== LEVEL_1 ||
    (flags & ~(FLAG_COMPRESSED | FLAG_LONG_HEADER | LEVEL_MASK)) !== FLAG_ALWAYS
  ) {
    return `flags ${flags.toString(16).padStart(2, '0')} (hex) are not those of a level 1 block`;
  }
  const long = (flags & FLAG_LONG_HEADER) !== 0;
  const headerBytes = long ? LONG_HEADER_BYTES : SHORT_HEADER_BYTES;
  if (at + headerBytes > bytes.length) return undefined;
  const compressedBytes = long ? bytes.readUInt32LE(at + 1) : bytes[at + 1]!;
  const decompressedBytes = long ? bytes.readUInt32LE(at + 5) : bytes[at + 2]!;
  const stored = (flags & FLAG_COMPRESSED) === 0;
  const sizes = `compressed size ${compressedBytes}, decompressed size ${decompressedBytes}`;
  if (compressedBytes < headerBytes) return sizes;
  if (stored && compressedBytes - headerBytes < decompressedBytes) return sizes;
  if (decompressedBytes > quickLzOutputBytesMax(compressedBytes)) return sizes;
  return { headerBytes, compressedBytes, decompressedBytes, stored };
}

/**
 * Where the three bytes of each hash were seen last: position + {@link base}. Numbers below it are left from earlier
 * blocks, which saves clearing the table for each.
 */
const table = new Int32Array(TABLE_ENTRIES);
let base = 1;

/**
 * Decodes the body of a compressed QuickLZ 1.5.0 block, level 1 (format.md, section 3).
 *
 * Every item is checked against the ends of both buffers before it is read or written.
 *
 * @param source holds the body from `start` to `end`
 * @param target has room for `size` bytes and {@link QUICKLZ_SLACK_BYTES}
 * @returns what is wrong with the block, or `undefined` when `size` bytes have been decoded
 */
export function decodeQuickLz(
  source: Buffer,
  start: number,
  end: number,
  target: Buffer,
  size: number,
): string | undefined {
  if (base > 0x7fffffff - size) {
    table.fill(0);
    base = 1;
  }
  const first = base;
  base += size;
  const input = new DataView(source.buffer, source.byteOffset, end);
  const output = new DataView(target.buffer, target.byteOffset, target.length);
  const tailAt = size - TAIL_BYTES;
  // Four bytes can be read at once up to here.
  const wideEnd = end - 4;
  let s = start;
  let d = 0;
  let control = 1;
  /** The next position that may enter the table. */
  let next = 0;
  while (d < size) {
    if (control === 1) {
      if (s > wideEnd) return 'it ends inside a control word';
      control = input.getInt32(s, true);
      s += 4;
      if (control === 0) {
        if (d < tailAt) return 'a control word without an end mark';
        control = FRESH_CONTROL;
      }
      if (control === 1) continue;
    }
    if ((control & 1) !== 0) {
      control >>>= 1;
      if (s + 2 > end) return 'it ends inside a match';
      const item = input.getUint16(s, true);
      let length = item & 15;
      if (length !== 0) {
        length += 2;
        s += 2;
      } else {
        if (s + 3 > end) return 'it ends inside a match';
        length = input.getUint8(s + 2);
        if (length < 3) return `a match of ${length} bytes`;
        s += 3;
      }
      let from = table[item >>> 4]! - first;
      if (from < 0) return 'a match with a source that does not exist';
      const stop = d + length;
      if (stop > size) return 'a match that reaches beyond the end';
      if (from + 4 <= d) {
        for (let to = d; to < stop; to += 4, from += 4) output.setInt32(to, output.getInt32(from, true), true);
      } else {
        for (let to = d; to < stop; to++, from++) output.setUint8(to, output.getUint8(from));
      }
      // The two positions before the match could not enter before its first bytes were known.
      for (let p = next > d - 2 ? next : d - 2; p <= d; p++) {
        const x = output.getInt32(p, true) & 0xffffff;
        table[((x >>> 12) ^ x) & 4095] = first + p;
      }
      d = stop;
      next = d;
    } else {
      if (d >= tailAt) break;
      // All zero bits up to the next match or the end mark at once.
      let run = 31 - Math.clz32(control & ((~control + 1) | 0));
      if (run > tailAt - d) run = tailAt - d;
      if (s + run > end) return 'it ends inside literals';
      control >>>= run;
      const stop = d + run;
      if (s + run + 3 <= wideEnd) {
        for (let to = d; to < stop; to += 4, s += 4) output.setInt32(to, input.getInt32(s, true), true);
        s -= (4 - (run & 3)) & 3;
      } else {
        for (let to = d; to < stop; to++, s++) output.setUint8(to, input.getUint8(s));
      }
      d = stop;
      for (let p = next; p < d - 2; p++) {
        const x = output.getInt32(p, true) & 0xffffff;
        table[((x >>> 12) ^ x) & 4095] = first + p;
      }
      if (next < d - 2) next = d - 2;
    }
  }
  // The tail: literals only, which still use up control bits.
  while (d < size) {
    if (control === 1) {
      s += 4;
      control = FRESH_CONTROL;
    }
    if (s >= end) return 'it ends inside literals';
    output.setUint8(d++, input.getUint8(s++));
    control >>>= 1;
  }
  return undefined;
}
