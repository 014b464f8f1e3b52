/** Decodes LZ4 frames, block by block (format.md, section 4; lz4_Frame_format.md). */
import { installedPackage } from '../../installed-package.js';
import { hex32 } from '../../format/crc32.js';
import { layerError, type DecoderContext } from '../codec.js';
import { FrameDecoder } from '../frame-decoder.js';
import {
  LZ4_DESCRIPTOR_AT,
  LZ4_FLAGS_AT,
  LZ4_HEADER_BYTES_MIN,
  LZ4_MAGIC,
  LZ4_STORED_BIT,
  LZ4_WORD_BYTES,
  lz4ContentBytes,
  lz4HeaderLayout,
  type Lz4HeaderLayout,
} from './lz4-header.js';
import { Lz4History } from './lz4-history.js';
import { lz4Output } from './lz4-kernel.js';
import { freeNativeMemory } from '../native-memory.js';
import type { Found } from '../unit-decoder.js';
import { xxHash32, XxHash32 } from './xxhash32.js';

const FORMAT = { magic: LZ4_MAGIC, title: 'LZ4', name: 'LZ4 frame format' };
/** No block decodes to more, whatever a frame says. */
const BLOCK_BYTES_MAX = 4 << 20;
/** Each byte of a block adds less than this to what comes out of it: one more byte of a length adds the most. */
const EXPANSION_MAX = 255;
/** Output is gathered up to this size, then hashed and passed on while it is still in the CPU's caches. */
const OUTPUT_BYTES = 256 << 10;

type UncompressSync = (sizeAndBlock: Uint8Array, dictionary?: Uint8Array) => Buffer;

let packaged: UncompressSync | undefined | 'missing';

/** The package's decoder, where there is a binary of it for this machine. */
function packagedDecoder(): UncompressSync | undefined {
  try {
    packaged ??= (installedPackage('lz4-napi') as { uncompressSync: UncompressSync }).uncompressSync;
  } catch {
    packaged = 'missing';
  }
  return packaged === 'missing' ? undefined : packaged;
}

interface Frame {
  layerOffset: number;
  blockBytesMax: number;
  blockChecksums: boolean;
  hasContentChecksum: boolean;
  contentBytes: number | undefined;
  /** Blocks may copy from the 64 KiB of output before them: xtrabackup writes none, others may. */
  linked: boolean;
  /** Bytes that have come out of it. */
  producedBytes: number;
  hash: XxHash32 | undefined;
  /** For linked blocks: the last bytes that have come out. */
  history: Lz4History;
}

export class Lz4Decoder extends FrameDecoder {
  readonly layer = 'lz4';
  #frame: Frame | undefined;
  #isEndMark = false;

  constructor(context: DecoderContext) {
    super(FORMAT, context);
  }

  protected get isInFrame(): boolean {
    return this.#frame !== undefined;
  }

  protected walk(window: Buffer, at: number, available: number): Found {
    return this.#measureBlock(this.#frame!, window, at, available);
  }

  protected beginFrame(window: Buffer, at: number, available: number): Found {
    this.unitNeedsBytes = LZ4_HEADER_BYTES_MIN;
    if (available < LZ4_HEADER_BYTES_MIN) return 'more';
    const flags = window[at + LZ4_FLAGS_AT]!;
    const layout = lz4HeaderLayout(flags);
    const { headerBytes } = layout;
    this.unitNeedsBytes = headerBytes;
    if (available < headerBytes) return 'more';
    const expected = window[at + headerBytes - 1]!;
    const found = (xxHash32(window.subarray(at + LZ4_FLAGS_AT, at + headerBytes - 1)) >>> 8) & 0xff;
    if (expected !== found) {
      throw this.damage(
        'checksum mismatch in an LZ4 frame header',
        at,
        `expected ${expected.toString(16)}, found ${found.toString(16)}`,
      );
    }
    this.#openFrame(window, at, layout);
    this.unitBytes = headerBytes;
    return 'skip';
  }

  #openFrame(window: Buffer, at: number, layout: Lz4HeaderLayout): void {
    const descriptor = window[at + LZ4_DESCRIPTOR_AT]!;
    const blockSizeCode = descriptor >>> 4;
    if (!layout.isKnown || (descriptor & 0x8f) !== 0 || blockSizeCode < 4) {
      const flags = window[at + LZ4_FLAGS_AT]!;
      const found = `flags ${flags.toString(16)}, block descriptor ${descriptor.toString(16)} (hex)`;
      throw this.unsupported('the LZ4 frame is of a version that is not known', at, found);
    }
    if (layout.hasDictionary) {
      throw this.unsupported('the LZ4 frame needs a dictionary, which a backup does not carry', at);
    }
    const { hasContentChecksum } = layout;
    this.#frame = {
      layerOffset: this.windowOffset + at,
      blockBytesMax: 1 << (8 + 2 * blockSizeCode),
      blockChecksums: layout.hasBlockChecksums,
      hasContentChecksum,
      contentBytes: lz4ContentBytes(window.subarray(at, at + layout.headerBytes), layout),
      linked: layout.isLinked,
      producedBytes: 0,
      hash: hasContentChecksum ? new XxHash32() : undefined,
      history: new Lz4History(),
    };
  }

  #measureBlock(frame: Frame, window: Buffer, at: number, available: number): Found {
    this.unitNeedsBytes = LZ4_WORD_BYTES;
    if (available < LZ4_WORD_BYTES) return 'more';
    const word = window.readUInt32LE(at);
    this.#isEndMark = word === 0;
    if (this.#isEndMark) {
      this.unitBytes = LZ4_WORD_BYTES + (frame.hasContentChecksum ? LZ4_WORD_BYTES : 0);
    } else {
      const isStored = word >= LZ4_STORED_BIT;
      const bytes = isStored ? word - LZ4_STORED_BIT : word;
      const outputBytesMax = blockBytesMax(frame, frame.contentBytes);
      const bytesMax = isStored ? outputBytesMax : compressedBytesMax(Math.max(outputBytesMax, frame.blockBytesMax));
      if (bytes > bytesMax) {
        const found = `at most ${bytesMax} bytes, found ${bytes}`;
        throw this.damage('an LZ4 block is larger than its frame allows', at, found);
      }
      this.unitBytes = LZ4_WORD_BYTES + bytes + (frame.blockChecksums ? LZ4_WORD_BYTES : 0);
    }
    this.unitNeedsBytes = this.unitBytes;
    return available < this.unitBytes ? 'more' : 'unit';
  }

  protected decode(unit: Buffer, layerOffset: number): void {
    const frame = this.#frame!;
    if (this.#isEndMark) this.#endFrame(frame, unit);
    else this.#decodeBlock(frame, unit, layerOffset);
  }

  #decodeBlock(frame: Frame, unit: Buffer, layerOffset: number): void {
    const end = frame.blockChecksums ? unit.length - LZ4_WORD_BYTES : unit.length;
    const block = unit.subarray(LZ4_WORD_BYTES, end);
    if (frame.blockChecksums) checkBlock(block, unit.readUInt32LE(end), layerOffset);
    const leftBytes = frame.contentBytes === undefined ? undefined : frame.contentBytes - frame.producedBytes;
    const outputBytesMax = blockBytesMax(frame, leftBytes);
    if (unit.readUInt32LE(0) >= LZ4_STORED_BIT) {
      if (block.length > outputBytesMax) throw wrongContentSize(frame, frame.producedBytes + block.length);
      this.flush();
      frame.producedBytes += block.length;
      this.#putOut(frame, block);
    } else if (frame.linked) {
      const plain = decodeLinkedBlock(frame, unit.subarray(0, end), layerOffset, outputBytesMax);
      frame.producedBytes += plain.length;
      this.#putOut(frame, plain);
      freeNativeMemory(plain);
    } else {
      if (!lz4Output.hasRoom(block.length)) this.flush();
      const bytes = lz4Output.decode(block, outputBytesMax);
      if (typeof bytes === 'string') throw undecodable(layerOffset, bytes);
      frame.producedBytes += bytes;
      if (lz4Output.bytes >= OUTPUT_BYTES) this.flush();
    }
  }

  /** What was decoded and is gathered goes out. */
  protected override flush(): void {
    if (lz4Output.bytes > 0) this.#putOut(this.#frame!, lz4Output.take());
  }

  #putOut(frame: Frame, plain: Buffer): void {
    frame.hash?.update(plain);
    if (frame.linked) frame.history.add(plain);
    this.context.output(plain);
  }

  #endFrame(frame: Frame, unit: Buffer): void {
    this.flush();
    this.#frame = undefined;
    if (frame.contentBytes !== undefined && frame.contentBytes !== frame.producedBytes) {
      throw wrongContentSize(frame, frame.producedBytes);
    }
    const found = frame.hash?.digest();
    if (found === undefined) return;
    const expected = unit.readUInt32LE(LZ4_WORD_BYTES);
    if (found === expected) return;
    throw layerError(
      'XB_BAD_LAYER',
      'checksum mismatch in the content of an LZ4 frame',
      'lz4',
      frame.layerOffset,
      `expected xxh32 ${hex32(expected)}, found ${hex32(found)}`,
    );
  }
}

/**
 * The most that a block decodes to. Two real writers made blocks larger than their frames say: where the content size is
 * known, what is left of it is the limit.
 */
function blockBytesMax(frame: Frame, leftBytes: number | undefined): number {
  return leftBytes === undefined ? frame.blockBytesMax : Math.min(leftBytes, BLOCK_BYTES_MAX);
}

/** The worst case of the LZ4 block format. */
function compressedBytesMax(bytes: number): number {
  return bytes + Math.floor(bytes / 255) + 16;
}

function checkBlock(block: Buffer, expected: number, layerOffset: number): void {
  const found = xxHash32(block);
  if (expected === found) return;
  throw layerError(
    'XB_BAD_LAYER',
    'checksum mismatch in an LZ4 block',
    'lz4',
    layerOffset,
    `expected xxh32 ${hex32(expected)}, found ${hex32(found)}`,
  );
}

/** @param sizeAndBlock a block that may copy from what came before it, with its size before it */
function decodeLinkedBlock(frame: Frame, sizeAndBlock: Buffer, layerOffset: number, outputBytesMax: number): Buffer {
  const uncompressSync = packagedDecoder();
  if (uncompressSync === undefined) {
    const bytes = lz4Output.decode(sizeAndBlock.subarray(LZ4_WORD_BYTES), outputBytesMax, frame.history.bytes);
    if (typeof bytes === 'string') throw undecodable(layerOffset, bytes);
    return lz4Output.take();
  }
  // The decoder makes room for all that it is told may come out: in every block that would cost fresh pages. Small blocks
  // hold little, and those that are larger than the frame says are rare.
  const most = Math.min(outputBytesMax, EXPANSION_MAX * (sizeAndBlock.length - LZ4_WORD_BYTES));
  const usual = Math.min(frame.blockBytesMax, most);
  const word = sizeAndBlock.readUInt32LE(0);
  const history = frame.history.bytes;
  let problem: unknown;
  // The decoder wants the output's size before the block: it is put where the block's own size stands.
  for (const limit of most > usual ? [usual, most] : [usual]) {
    try {
      sizeAndBlock.writeUInt32LE(limit, 0);
      return uncompressSync(sizeAndBlock, history.length > 0 ? history : undefined);
    } catch (error) {
      problem = error;
    } finally {
      sizeAndBlock.writeUInt32LE(word, 0);
    }
  }
  throw undecodable(layerOffset, problem instanceof Error ? problem.message : String(problem));
}

function undecodable(layerOffset: number, reason: string) {
  return layerError('XB_BAD_LAYER', 'an LZ4 block cannot be decoded', 'lz4', layerOffset, reason);
}

function wrongContentSize(frame: Frame, found: number) {
  return layerError(
    'XB_BAD_LAYER',
    'an LZ4 frame does not hold as much as it says',
    'lz4',
    frame.layerOffset,
    `expected ${frame.contentBytes ?? 'less'} bytes, found ${found}`,
  );
}
