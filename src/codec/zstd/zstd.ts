import { layerError, type DecoderContext } from '../codec.js';
import { FrameDecoder } from '../frame-decoder.js';
import type { Found } from '../unit-decoder.js';
import { passOn, ZstdFrames } from './zstd-frames.js';
import {
  ZSTD_BLOCK_HEADER_BYTES,
  ZSTD_BLOCK_RESERVED,
  ZSTD_CHECKSUM_BYTES,
  ZSTD_FLAGS_AT,
  ZSTD_MAGIC,
  zstdBlockAt,
  zstdHeaderLayout,
} from './zstd-header.js';
import { canStreamZstd, ZstdFailure, ZstdStream } from './zstd-stream.js';

const FORMAT = { magic: ZSTD_MAGIC, title: 'zstd', name: 'zstd format' };

const BLOCK_BYTES_MAX = 128 << 10;
const BLOCK_COMPRESSED = 2;

/** The decoder's own limit: what `zstd --long=27` makes. */
const WINDOW_BYTES_MAX = 128 << 20;
/** What a frame may decode to that has to be in memory as a whole, in bytes. */
const WHOLE_FRAME_OUTPUT_BYTES_MAX = 64 << 20;
/** And how long it may be: what does not compress has three bytes more for each 128 KiB. */
const WHOLE_FRAME_BYTES_MAX = WHOLE_FRAME_OUTPUT_BYTES_MAX + (1 << 20);

interface Frame {
  layerOffset: number;
  headerBytes: number;
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

/**
 * Decodes zstd frames (format.md, section 5; RFC 8878). The walk over a frame's block headers finds its end and the most that
 * can come out of it.
 *
 * Where Node has a decoder of its own a frame is decoded block by block, as it comes; else as a whole.
 */
export class ZstdDecoder extends FrameDecoder {
  readonly layer = 'zstd';
  readonly #isStreamed = canStreamZstd();
  #frame: Frame | undefined;
  #stream: ZstdStream | undefined;
  readonly #frames = new ZstdFrames();
  /** The whole frame that is being decoded. */
  #whole: Frame | undefined;

  constructor(context: DecoderContext) {
    super(FORMAT, context);
  }

  protected get isInFrame(): boolean {
    return this.#frame !== undefined;
  }

  protected walk(window: Buffer, at: number, available: number): Found {
    return this.#isStreamed
      ? this.#measureBlock(this.#frame!, window, at, available)
      : this.#measureFrame(this.#frame!, window, at, available);
  }

  protected beginFrame(window: Buffer, at: number, available: number): Found {
    const frame = this.#header(window, at, available);
    if (frame === undefined) return 'more';
    this.#frame = frame;
    if (!this.#isStreamed) return this.#measureFrame(frame, window, at, available);
    frame.walkedBytes = 0;
    this.unitBytes = frame.headerBytes;
    return 'unit';
  }

  /** RFC 8878, 3.1.1.1. */
  #header(window: Buffer, at: number, available: number): Frame | undefined {
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
    if (!isSingleSegment && windowBytes > WINDOW_BYTES_MAX) {
      const found = `window of ${windowBytes} bytes, at most ${WINDOW_BYTES_MAX} are supported (zstd --long=27)`;
      throw this.unsupported('the zstd frame needs too much memory to decode', at, found);
    }
    return {
      layerOffset: this.windowOffset + at,
      headerBytes,
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
  #measureBlock(frame: Frame, window: Buffer, at: number, available: number): Found {
    if (frame.walkedBytes === 0 && !this.#walkBlock(frame, window, at, available)) return 'more';
    this.unitBytes = frame.walkedBytes + (frame.lastBlockWalked && frame.hasChecksum ? ZSTD_CHECKSUM_BYTES : 0);
    this.unitNeedsBytes = this.unitBytes;
    if (available < this.unitBytes) return 'more';
    frame.walkedBytes = 0;
    return 'unit';
  }

  /** A whole frame. */
  #measureFrame(frame: Frame, window: Buffer, at: number, available: number): Found {
    while (!frame.lastBlockWalked) {
      if (!this.#walkBlock(frame, window, at, available)) return 'more';
      if (frame.outputBytesMax > WHOLE_FRAME_OUTPUT_BYTES_MAX || frame.walkedBytes > WHOLE_FRAME_BYTES_MAX) {
        const hint = `it can hold more than ${WHOLE_FRAME_OUTPUT_BYTES_MAX >> 20} MiB; this is Node ${process.versions.node}`;
        throw this.unsupported('a zstd frame of this size needs Node 22.15 or later', at, hint);
      }
    }
    this.unitBytes = frame.walkedBytes + (frame.hasChecksum ? ZSTD_CHECKSUM_BYTES : 0);
    this.unitNeedsBytes = this.unitBytes;
    return available < this.unitBytes ? 'more' : 'unit';
  }

  /** Goes on to the next block header (RFC 8878, 3.1.1.2). @returns whether it is there */
  #walkBlock(frame: Frame, window: Buffer, at: number, available: number): boolean {
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

  protected decode(unit: Buffer): void {
    const frame = this.#frame!;
    if (!this.#isStreamed) {
      this.#frame = undefined;
      const before = this.#takeWhole();
      this.#frames.begin(unit);
      this.#whole = frame;
      // While this one is being decoded.
      before?.();
      return;
    }
    this.#decoding(frame, () => {
      this.#stream ??= new ZstdStream();
      this.#stream.decode(unit, (piece) => this.#putOut(frame, piece));
      if (frame.lastBlockWalked) this.#stream.assertEnded();
    });
    if (!frame.lastBlockWalked) return;
    this.#frame = undefined;
    assertContentSize(frame);
  }

  override end(): void {
    this.#takeWhole()?.();
    super.end();
  }

  /** Waits for the whole frame that is being decoded. @returns what passes on what has come out */
  #takeWhole(): (() => void) | undefined {
    const frame = this.#whole;
    if (frame === undefined) return undefined;
    this.#whole = undefined;
    const answer = this.#frames.take();
    return () => {
      this.#decoding(frame, () => passOn(answer, (piece) => this.#putOut(frame, piece)));
      assertContentSize(frame);
    };
  }

  #decoding(frame: Frame, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof ZstdFailure)) throw error;
      throw layerError('XB_BAD_LAYER', 'a zstd frame cannot be decoded', 'zstd', frame.layerOffset, error.message);
    }
  }

  #putOut(frame: Frame, piece: Buffer): void {
    frame.producedBytes += piece.length;
    if (frame.producedBytes > frame.outputBytesMax) {
      const found = `at most ${frame.outputBytesMax} bytes, found ${frame.producedBytes}`;
      throw layerError('XB_BAD_LAYER', 'a zstd frame holds more than its blocks can', 'zstd', frame.layerOffset, found);
    }
    this.context.output(piece);
  }

  override close(): void {
    super.close();
    this.#stream?.close();
    this.#stream = undefined;
    this.#frames.close();
    this.#whole = undefined;
  }
}

function assertContentSize({ layerOffset, contentBytes, producedBytes }: Frame): void {
  if (contentBytes === undefined || contentBytes === producedBytes) return;
  const found = `expected ${contentBytes} bytes, found ${producedBytes}`;
  throw layerError('XB_BAD_LAYER', 'a zstd frame does not hold as much as it says', 'zstd', layerOffset, found);
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
