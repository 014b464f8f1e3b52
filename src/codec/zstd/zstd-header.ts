/** Layout of a zstd frame's header (RFC 8878, 3.1.1.1), and of its blocks' (3.1.1.2). */
export const ZSTD_MAGIC = 0xfd2fb528;
/** Where the flags stand: behind the magic. */
export const ZSTD_FLAGS_AT = 4;
export const ZSTD_CHECKSUM_BYTES = 4;
export const ZSTD_BLOCK_HEADER_BYTES = 3;
const ZSTD_BLOCK_RLE = 1;
export const ZSTD_BLOCK_RESERVED = 3;

const FLAG_SINGLE_SEGMENT = 0x20;
const FLAG_RESERVED = 0x08;
const FLAG_CHECKSUM = 0x04;

export interface ZstdHeaderLayout {
  isSingleSegment: boolean;
  /** A feature is used that is not known. */
  isUnknown: boolean;
  hasChecksum: boolean;
  dictionaryAt: number;
  contentSizeAt: number;
  contentSizeBytes: number;
  headerBytes: number;
}

/** What the flags of a frame say of its header. */
export function zstdHeaderLayout(flags: number): ZstdHeaderLayout {
  const isSingleSegment = (flags & FLAG_SINGLE_SEGMENT) !== 0;
  const dictionaryAt = ZSTD_FLAGS_AT + 1 + (isSingleSegment ? 0 : 1);
  const contentSizeAt = dictionaryAt + [0, 1, 2, 4][flags & 3]!;
  const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][flags >>> 6]!;
  return {
    isSingleSegment,
    isUnknown: (flags & FLAG_RESERVED) !== 0,
    hasChecksum: (flags & FLAG_CHECKSUM) !== 0,
    dictionaryAt,
    contentSizeAt,
    contentSizeBytes,
    headerBytes: contentSizeAt + contentSizeBytes,
  };
}

export interface ZstdBlock {
  isLast: boolean;
  type: number;
  /** What it says of its size: of what is stored, or with one byte repeated, of what comes out. */
  sizeBytes: number;
  /** Bytes of the block with its header. */
  storedBytes: number;
}

/** A block, by its header at a place. */
export function zstdBlockAt(bytes: Buffer, at: number): ZstdBlock {
  const header = bytes.readUIntLE(at, ZSTD_BLOCK_HEADER_BYTES);
  const type = (header >>> 1) & 3;
  const sizeBytes = header >>> 3;
  const storedBytes = ZSTD_BLOCK_HEADER_BYTES + (type === ZSTD_BLOCK_RLE ? 1 : sizeBytes);
  return { isLast: (header & 1) !== 0, type, sizeBytes, storedBytes };
}
