const ZEROS = Buffer.alloc(256 * 1024);

/** So many zeros, in pieces that must not be changed. */
export function* zeros(bytes: number): Iterable<Buffer> {
  for (let left = bytes; left > 0; left -= ZEROS.length) yield ZEROS.subarray(0, left);
}
