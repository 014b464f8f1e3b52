/** Finds out whether bytes were put into content whose checksum is known. */
import { crc32 } from '../../format/crc32.js';

/** The polynomial of CRC-32, bits reflected. */
const POLYNOMIAL = 0xedb88320;

const TABLE = new Uint32Array(256);
/** Which entry of {@link TABLE} has a highest byte: no two have the same. */
const BY_HIGHEST_BYTE = new Uint8Array(256);
for (let byte = 0; byte < 256; byte += 1) {
  let sum = byte;
  for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ ((sum & 1) === 0 ? 0 : POLYNOMIAL);
  TABLE[byte] = sum;
  BY_HIGHEST_BYTE[sum >>> 24] = byte;
}

/**
 * Where bytes were put in that do not belong there: without them the checksum holds. All that was there before is there
 * still. By chance that seems to be so once in 2^32 / `length` times.
 *
 * @param bytes the content, and the bytes that were put in
 * @param length how long the content was
 * @param expected its CRC-32
 * @returns the place in `bytes`, before the end of the content; undefined where there is none
 */
export function insertedAt(bytes: Buffer, length: number, expected: number): number | undefined {
  const extra = bytes.length - length;
  if (extra <= 0 || length === 0) return undefined;
  // Checksums are linear: to leave out the same number of bytes one further on changes the sum by what differs there. `rest` is
  // what would have to come of these differences yet, taken back to where they stand; none has to when it is zero.
  let rest = (crc32(bytes.subarray(extra)) ^ expected) >>> 0;
  for (let at = 0; at < length; at += 1) rest = before(rest);
  for (let at = 0; at < length; at += 1) {
    if (rest === 0) return at;
    rest = (TABLE[(rest ^ bytes[at]! ^ bytes[at + extra]!) & 0xff]! ^ (rest >>> 8)) >>> 0;
  }
  return undefined;
}

/** What a sum was before a zero byte. */
function before(sum: number): number {
  const byte = BY_HIGHEST_BYTE[sum >>> 24]!;
  return (((sum ^ TABLE[byte]!) << 8) | byte) >>> 0;
}
