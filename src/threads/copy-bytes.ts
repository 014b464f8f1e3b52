/**
 * Copies bytes into memory that threads share, or out of it, as `set` does in other memory. V8 copies shared memory word by word, and byte by byte,
 * at a tenth of the speed, where source and target do not lie alike; to fill with bytes is to copy them as C does.
 *
 * @returns how many bytes were copied: all
 */
export function copyBytes(bytes: Uint8Array, target: Buffer, at = 0): number {
  // Nobody can fill with nothing.
  if (bytes.length > 0) target.fill(bytes, at, at + bytes.length);
  return bytes.length;
}
