import { installedPackage } from '../installed-package.js';

type Crc32 = (bytes: Buffer, previous?: number) => number;

let implementation: Crc32 | undefined;

/**
 * zlib's CRC-32 of `bytes`, continuing from `previous`.
 *
 * `@node-rs/crc32` (SIMD) does 10 GB/s where Node's own does 4; the latter serves where there is no binary of the former.
 * Loaded when first needed: the thread that only starts others does without, and it takes 5 ms.
 */
export function crc32(bytes: Buffer, previous?: number): number {
  return (implementation ??= load())(bytes, previous);
}

function load(): Crc32 {
  try {
    return (installedPackage('@node-rs/crc32') as { crc32: Crc32 }).crc32;
  } catch {
    return process.getBuiltinModule('node:zlib').crc32;
  }
}

/** A checksum as messages show it. */
export function hex32(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}
