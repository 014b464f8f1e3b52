/** The file of an index, byte by byte (docs/index-format.md): what a writer and a reader of it have in common. */
import { SPARSE_MAP_ENTRY_BYTES, type ChunkHeader } from '../../format/chunk.js';

/** What the file begins with; the last two characters are the version. */
export const INDEX_MAGIC = 'TSXBIX01';
/** What all versions begin with. */
export const INDEX_FAMILY = 'TSXBIX';

/** Where the fields stand, in bytes from the start of the file. */
export const FIELD = {
  magic: 0,
  flags: 8,
  sampleBytes: 12,
  archiveBytes: 16,
  chunks: 24,
  headBytes: 32,
  startSha256: 40,
  endSha256: 72,
  blocks: 104,
} as const;

/** All checksums of the archive were held when the index was made; else only headers were looked at. */
export const FLAG_PROVEN = 1;

export const SHA256_BYTES = 32;
/** Of a block: bytes when inflated u32, bytes in the file u32. */
export const BLOCK_HEADER_BYTES = 8;
export const CRC_BYTES = 4;

/** How much of an archive's start, and of its end, an index keeps a digest of, to tell the archive from others. */
export const SAMPLE_BYTES = 16 * 1024;
/** Most that an index may ask to be looked at. */
export const SAMPLE_BYTES_MAX = 1024 * 1024;

/** A block is closed when it has as much. */
export const BLOCK_BYTES = 256 * 1024;
/** As much a block has at most: what one may have that is not full, and the largest head. */
export const BLOCK_BYTES_MAX = BLOCK_BYTES + 9 * 1024 * 1024;

/** Most chunks of an archive with an index: each takes some bytes of memory when one is read. */
export const INDEX_CHUNKS_MAX = 2 ** 24;
/** Most bytes of the file. */
export const INDEX_BYTES_MAX = 512 * 1024 * 1024;

/** Bytes of a chunk's head: all of it but its payload. */
export function headBytesOf(header: ChunkHeader): number {
  return header.headerBytes + (header.type === 'sparse' ? header.mapEntries * SPARSE_MAP_ENTRY_BYTES : 0);
}

/** Bytes of a chunk behind its head. */
export function payloadBytesOf(header: ChunkHeader): number {
  return 'payloadBytes' in header ? header.payloadBytes : 0;
}
