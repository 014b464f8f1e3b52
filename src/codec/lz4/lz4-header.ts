/** Layout of an LZ4 frame's header (lz4_Frame_format.md). */
export const LZ4_MAGIC = 0x184d2204;
export const LZ4_FLAGS_AT = 4;
export const LZ4_DESCRIPTOR_AT = 5;
const LZ4_CONTENT_SIZE_AT = 6;
/** Magic, flags, block descriptor and header checksum. */
export const LZ4_HEADER_BYTES_MIN = 7;
/** Of the sizes of blocks, and of checksums. */
export const LZ4_WORD_BYTES = 4;
/** Set in the size of a block that is stored as it is. */
export const LZ4_STORED_BIT = 0x80000000;

const FLAG_VERSION_MASK = 0xc0;
const FLAG_VERSION = 0x40;
const FLAG_INDEPENDENT = 0x20;
const FLAG_BLOCK_CHECKSUM = 0x10;
const FLAG_CONTENT_SIZE = 0x08;
const FLAG_CONTENT_CHECKSUM = 0x04;
const FLAG_RESERVED = 0x02;
const FLAG_DICTIONARY = 0x01;

export interface Lz4HeaderLayout {
  isKnown: boolean;
  /** Blocks may copy from what came before them. */
  isLinked: boolean;
  hasBlockChecksums: boolean;
  hasContentSize: boolean;
  hasContentChecksum: boolean;
  hasDictionary: boolean;
  headerBytes: number;
}

/** What the flags of a frame say of its header. */
export function lz4HeaderLayout(flags: number): Lz4HeaderLayout {
  const hasContentSize = (flags & FLAG_CONTENT_SIZE) !== 0;
  const hasDictionary = (flags & FLAG_DICTIONARY) !== 0;
  return {
    isKnown: (flags & FLAG_VERSION_MASK) === FLAG_VERSION && (flags & FLAG_RESERVED) === 0,
    isLinked: (flags & FLAG_INDEPENDENT) === 0,
    hasBlockChecksums: (flags & FLAG_BLOCK_CHECKSUM) !== 0,
    hasContentSize,
    hasContentChecksum: (flags & FLAG_CONTENT_CHECKSUM) !== 0,
    hasDictionary,
    headerBytes: LZ4_HEADER_BYTES_MIN + (hasContentSize ? 8 : 0) + (hasDictionary ? LZ4_WORD_BYTES : 0),
  };
}

/**
 * How much a frame says that it holds, in bytes; undefined where it does not, or says 0: writers that do not know it may leave
 * the field empty, and the `lz4` program takes that for no size.
 *
 * @param header all of it
 */
export function lz4ContentBytes(header: Buffer, { hasContentSize }: Lz4HeaderLayout): number | undefined {
  // Sizes beyond what a number can hold exactly are refused when the content ends before them.
  const bytes = hasContentSize ? Number(header.readBigUInt64LE(LZ4_CONTENT_SIZE_AT)) : 0;
  return bytes === 0 ? undefined : bytes;
}
