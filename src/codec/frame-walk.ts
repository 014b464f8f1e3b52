/** Finds where the frames of a stored file begin, by their headers and those of their blocks: little is read of it. */
import type { LayerName } from './codec.js';
import { isSkippable, SKIPPABLE_HEADER_BYTES } from './frame-decoder.js';
import {
  LZ4_FLAGS_AT,
  LZ4_HEADER_BYTES_MIN,
  LZ4_MAGIC,
  LZ4_STORED_BIT,
  LZ4_WORD_BYTES,
  lz4ContentBytes,
  lz4HeaderLayout,
} from './lz4/lz4-header.js';
import {
  ZSTD_BLOCK_HEADER_BYTES,
  ZSTD_BLOCK_RESERVED,
  ZSTD_CHECKSUM_BYTES,
  ZSTD_FLAGS_AT,
  ZSTD_MAGIC,
  zstdBlockAt,
  zstdHeaderLayout,
} from './zstd/zstd-header.js';

/** Gives so many bytes from a place on; fewer where the file ends before. */
export type ReadAt = (offset: number, bytes: number) => Buffer;

export interface FrameSpan {
  /** Where the next one begins, in bytes. */
  end: number;
  /** How much comes out of it, in bytes; undefined where it does not say. */
  contentBytes: number | undefined;
}

/** Formats whose frames are decoded each by itself. */
const SPANS: Partial<Record<LayerName, (read: ReadAt, at: number) => FrameSpan | undefined>> = {
  lz4: lz4Span,
  zstd: zstdSpan,
};

/** Whether a layer is made of frames, of which each is decoded by itself. */
export function hasFrames(layer: LayerName): boolean {
  return SPANS[layer] !== undefined;
}

/**
 * The frame at a place.
 *
 * @returns undefined where there is none, or one that who decodes would refuse: that one tells what is wrong with it
 */
export function frameAt(layer: LayerName, read: ReadAt, at: number): FrameSpan | undefined {
  const head = read(at, SKIPPABLE_HEADER_BYTES);
  if (head.length === SKIPPABLE_HEADER_BYTES && isSkippable(head.readUInt32LE(0))) {
    return { end: at + SKIPPABLE_HEADER_BYTES + head.readUInt32LE(4), contentBytes: 0 };
  }
  return SPANS[layer]?.(read, at);
}

function lz4Span(read: ReadAt, start: number): FrameSpan | undefined {
  const head = read(start, LZ4_HEADER_BYTES_MIN + 8);
  if (head.length < LZ4_HEADER_BYTES_MIN || head.readUInt32LE(0) !== LZ4_MAGIC) return undefined;
  const layout = lz4HeaderLayout(head[LZ4_FLAGS_AT]!);
  if (!layout.isKnown || layout.hasDictionary || head.length < layout.headerBytes) return undefined;
  const blocksAt = start + layout.headerBytes;
  for (let at = blocksAt; ;) {
    const word = read(at, LZ4_WORD_BYTES);
    if (word.length < LZ4_WORD_BYTES) return undefined;
    const size = word.readUInt32LE(0);
    if (size === 0) {
      const contentBytes = at === blocksAt ? 0 : lz4ContentBytes(head, layout);
      return { end: at + LZ4_WORD_BYTES + (layout.hasContentChecksum ? LZ4_WORD_BYTES : 0), contentBytes };
    }
    at += LZ4_WORD_BYTES;
    at += (size >= LZ4_STORED_BIT ? size - LZ4_STORED_BIT : size) + (layout.hasBlockChecksums ? LZ4_WORD_BYTES : 0);
  }
}

function zstdSpan(read: ReadAt, start: number): FrameSpan | undefined {
  const head = read(start, ZSTD_FLAGS_AT + 1);
  if (head.length <= ZSTD_FLAGS_AT || head.readUInt32LE(0) !== ZSTD_MAGIC) return undefined;
  const { headerBytes, hasChecksum, isUnknown } = zstdHeaderLayout(head[ZSTD_FLAGS_AT]!);
  if (isUnknown) return undefined;
  for (let at = start + headerBytes; ;) {
    const bytes = read(at, ZSTD_BLOCK_HEADER_BYTES);
    if (bytes.length < ZSTD_BLOCK_HEADER_BYTES) return undefined;
    const { isLast, type, storedBytes } = zstdBlockAt(bytes, 0);
    if (type === ZSTD_BLOCK_RESERVED) return undefined;
    at += storedBytes;
    // xtrabackup says how much it holds only of a small one, mostly the last, behind which nothing comes.
    if (isLast) return { end: at + (hasChecksum ? ZSTD_CHECKSUM_BYTES : 0), contentBytes: undefined };
  }
}
