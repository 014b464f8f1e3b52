/**
 * Walks over the headers of zstd frames and their blocks (format.md, section 5; RFC 8878): that finds the end of a frame, and
 * the most that can come out of it.
 */
import { layerError, type DecoderContext } from '../codec.js';
import { FrameDecoder } from '../frame-decoder.js';
import type { Found } from '../unit-decoder.js';
import {
  ZSTD_BLOCK_HEADER_BYTES,
  ZSTD_BLOCK_RESERVED,
  ZSTD_CHECKSUM_BYTES,
  ZSTD_FLAGS_AT,
  ZSTD_MAGIC,
  zstdBlockAt,
  zstdHeaderLayout,
} from './zstd-header.js';

const FORMAT = { magic: ZSTD_MAGIC, title: 'zstd', name: 'zstd format' };

const BLOCK_BYTES_MAX = 128 << 10;
const BLOCK_COMPRESSED = 2;

/** The decoder's own limit: what `zstd --long=27` makes. */
const WINDOW_BYTES_MAX = 128 << 20;

export interface ZstdFrame {
  layerOffset: number;
  headerBytes: number;
  /** How much of what has come out must stay in memory, in bytes. */
  windowBytes: number;
  blockBytesMax: number;
  contentBytes: number | undefined;
  hasChecksum: boolean;
  /** Bytes walked, from the beginning of the frame or, where it is decoded as it comes, of the block. */
  walkedBytes: number;
  /** The most that all of it up to there can decode to. */
  outputBytesMax: number;
  /** Bytes that have come out of it. */
  producedBytes: number;
  lastBlockWalked: boolean;
}

export abstract class ZstdWalk extends FrameDecoder {
  readonly layer = 'zstd';
  /** It is decoded as it comes, by what keeps a window of it. */
  protected abstract readonly isStreamed: boolean;
  protected frame: ZstdFrame | undefined;

  constructor(context: DecoderContext) {
    super(FORMAT, context);
  }

  protected get isInFrame(): boolean {
    return this.frame !== undefined;
  }

  /** RFC 8878, 3.1.1.1. */
  protected header(window: Buffer, at: number, available: number): ZstdFrame | undefined {
    this.unitNeedsBytes = ZSTD_FLAGS_AT + 1;
    if (available < this.unitNeedsBytes) return undefined;
    const flags = window[at + ZSTD_FLAGS_AT]!;
    const layout = zstdHeaderLayout(flags);
    const { isSingleSegment, dictionaryAt, contentSizeAt, contentSizeBytes, headerBytes } = layout;
    this.unitNeedsBytes = headerBytes;
    if (available < headerBytes) return undefined;
    if (layout.isUnknown) {
      throw this.unsupported(
        'the zstd frame uses a feature that is not known',
        at,
        `flags ${flags.toString(16)} (hex)`,
      );
    }
    if (window.subarray(at + dictionaryAt, at + contentSizeAt).some((byte) => byte !== 0)) {
      throw this.unsupported('the zstd frame needs a dictionary, which a backup does not carry', at);
    }
    const contentBytes = contentSize(window, at + contentSizeAt, contentSizeBytes);
    const windowBytes = isSingleSegment ? contentBytes! : windowSize(window[at + ZSTD_FLAGS_AT + 1]!);
    if ((this.isStreamed || !isSingleSegment) && windowBytes > WINDOW_BYTES_MAX) {
      const found = `window of ${windowBytes} bytes, at most ${WINDOW_BYTES_MAX} are supported (zstd --long=27)`;
      throw this.unsupported('the zstd frame needs too much memory to decode', at, found);
    }
    return {
      layerOffset: this.windowOffset + at,
      headerBytes,
      windowBytes,
      blockBytesMax: Math.min(windowBytes, BLOCK_BYTES_MAX),
      contentBytes,
      hasChecksum: layout.hasChecksum,
      walkedBytes: headerBytes,
      outputBytesMax: 0,
      producedBytes: 0,
      lastBlockWalked: false,
    };
  }

  /** A block, with the checksum behind the last one. */
  protected measureBlock(frame: ZstdFrame, window: Buffer, at: number, available: number): Found {
    if (frame.walkedBytes === 0 && !this.walkBlock(frame, window, at, available)) return 'more';
    this.unitBytes = frame.walkedBytes + (frame.lastBlockWalked && frame.hasChecksum ? ZSTD_CHECKSUM_BYTES : 0);
    this.unitNeedsBytes = this.unitBytes;
    if (available < this.unitBytes) return 'more';
    frame.walkedBytes = 0;
    return 'unit';
  }

  /** Goes on to the next block header (RFC 8878, 3.1.1.2). @returns whether it is there */
  protected walkBlock(frame: ZstdFrame, window: Buffer, at: number, available: number): boolean {
    this.unitNeedsBytes = frame.walkedBytes + ZSTD_BLOCK_HEADER_BYTES;
    if (available < this.unitNeedsBytes) return false;
    const { type, sizeBytes, storedBytes, isLast } = zstdBlockAt(window, at + frame.walkedBytes);
    if (type === ZSTD_BLOCK_RESERVED || sizeBytes > frame.blockBytesMax) {
      const found = `block of type ${type} and ${sizeBytes} bytes, at most ${frame.blockBytesMax} are allowed`;
      throw this.damage('impossible block in a zstd frame', at + frame.walkedBytes, found);
    }
    frame.lastBlockWalked = isLast;
    frame.walkedBytes += storedBytes;
    frame.outputBytesMax += type === BLOCK_COMPRESSED ? frame.blockBytesMax : sizeBytes;
    if (frame.lastBlockWalked && (frame.contentBytes ?? 0) > frame.outputBytesMax) {
      const found = `it says ${frame.contentBytes ?? 0} bytes, its blocks can hold ${frame.outputBytesMax}`;
      throw layerError(
        'XB_BAD_LAYER',
        'a zstd frame says that it holds more than it can',
        'zstd',
        frame.layerOffset,
        found,
      );
    }
    return true;
  }
}

function contentSize(window: Buffer, at: number, bytes: number): number | undefined {
  switch (bytes) {
    case 0:
      return undefined;
    case 1:
      return window[at]!;
    case 2:
      return window.readUInt16LE(at) + 256;
    case 4:
      return window.readUInt32LE(at);
    default:
      return Number(window.readBigUInt64LE(at));
  }
}

/** RFC 8878, 3.1.1.1.2. */
function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >>> 3));
  return base + (base / 8) * (descriptor & 7);
}
