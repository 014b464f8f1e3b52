import * as zlib from 'node:zlib';
import { compressedFrame } from './zstd-frames.js';

interface ZlibWithZstd {
  zstdCompressSync?: (content: Buffer, options: { params: Record<number, number> }) => Buffer;
  constants: { ZSTD_c_checksumFlag?: number };
}

const { zstdCompressSync, constants } = zlib as unknown as ZlibWithZstd;

/** Makes a zstd frame, by Node's own encoder where it has one, which adds a checksum; else by the package. */
export function compressZstdFrame(content: Buffer): Buffer {
  if (zstdCompressSync === undefined) return compressedFrame(content);
  return zstdCompressSync(content, { params: { [constants.ZSTD_c_checksumFlag!]: 1 } });
}
