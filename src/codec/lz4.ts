import {
  type DecodeJob,
  type JobOutput,
  type JobRunner,
  type Lz4Job,
  type OutputSink,
  type WalkerOptions,
} from './codec.js';
import { LZ4_HISTORY_BYTES, wrongContentChecksum, wrongContentSize } from './lz4-blocks.js';
import { FrameWalker } from './frame-walker.js';
import type { Found } from './piece-walker.js';
import { xxHash32, XxHash32 } from './xxhash32.js';

const FORMAT = { magic: 0x184d2204, title: 'LZ4', name: 'LZ4 frame format' };
const FLAGS_AT = 4;
const DESCRIPTOR_AT = 5;
const CONTENT_SIZE_AT = 6;
/** Magic, flags, block descriptor and header checksum. */
const HEADER_BYTES_MIN = 7;

const FLAG_VERSION_MASK = 0xc0;
const FLAG_VERSION = 0x40;
const FLAG_INDEPENDENT = 0x20;
const FLAG_BLOCK_CHECKSUM = 0x10;
const FLAG_CONTENT_SIZE = 0x08;
const FLAG_CONTENT_CHECKSUM = 0x04;
const FLAG_RESERVED = 0x02;
const FLAG_DICTIONARY = 0x01;

const WORD_BYTES = 4;
const STORED_BIT = 0x80000000;
/** No block decodes to more, whatever a frame says. */
const BLOCK_BYTES_MAX = 4 << 20;
/** A job holds so much of a frame: its output is still in the CPU's caches when it is hashed and written. */
const PART_BYTES_MAX = 1 << 20;
/** A frame that says that it holds no more is one job: its checksum is worked out where it is decoded, and other frames beside it. */
const WHOLE_FRAME_BYTES_MAX = 16 << 20;

interface Frame {
  blockBytesMax: number;
  blockChecksums: boolean;
  hasContentChecksum: boolean;
  contentBytes: number | undefined;
  linked: boolean;
  /** Jobs of it have been made. */
  begun: boolean;
}

/** What is known of the output of a frame that is more than one job. */
class FrameContent {
  readonly hash = new XxHash32();
  bytes = 0;
  tail: Buffer = Buffer.alloc(0);
}

/** Finds the blocks of LZ4 frames (format.md, section 4; lz4_Frame_format.md). */
export class Lz4Walker extends FrameWalker {
  readonly layer = 'lz4';
  #frame: Frame | undefined;
  /** The end mark of the current frame was met; the job to be made is its last. */
  #ending = false;
  #contentChecksum: number | undefined;
  #content = new FrameContent();

  constructor({ concurrent, memory }: WalkerOptions) {
    super(FORMAT, memory, concurrent, concurrent);
  }

  protected get isInFrame(): boolean {
    return this.#frame !== undefined;
  }

  protected walk(window: Buffer, at: number, available: number): Found {
    return this.#block(this.#frame!, window, at, available);
  }

  protected beginFrame(window: Buffer, at: number, available: number): Found {
    this.unitNeedsBytes = HEADER_BYTES_MIN;
    if (available < HEADER_BYTES_MIN) return 'more';
    const flags = window[at + FLAGS_AT]!;
    const headerBytes =
      HEADER_BYTES_MIN +
      ((flags & FLAG_CONTENT_SIZE) !== 0 ? 8 : 0) +
      ((flags & FLAG_DICTIONARY) !== 0 ? WORD_BYTES : 0);
    this.unitNeedsBytes = headerBytes;
    if (available < headerBytes) return 'more';
    const expected = window[at + headerBytes - 1]!;
    const found = (xxHash32(window.subarray(at + FLAGS_AT, at + headerBytes - 1)) >>> 8) & 0xff;
    if (expected !== found) {
      throw this.damage(
        'checksum mismatch in an LZ4 frame header',
        at,
        `expected ${expected.toString(16)}, found ${found.toString(16)}`,
      );
    }
    this.#openFrame(window, at, flags);
    this.unitBytes = headerBytes;
    return 'skip';
  }

  #openFrame(window: Buffer, at: number, flags: number): void {
    const descriptor = window[at + DESCRIPTOR_AT]!;
    const blockSizeCode = descriptor >>> 4;
    if (
      (flags & FLAG_VERSION_MASK) !== FLAG_VERSION ||
      (flags & FLAG_RESERVED) !== 0 ||
      (descriptor & 0x8f) !== 0 ||
      blockSizeCode < 4
    ) {
      const found = `flags ${flags.toString(16)}, block descriptor ${descriptor.toString(16)} (hex)`;
      throw this.unsupported('the LZ4 frame is of a version that is not known', at, found);
    }
    if ((flags & FLAG_DICTIONARY) !== 0) {
      throw this.unsupported('the LZ4 frame needs a dictionary, which a backup does not carry', at);
    }
    const linked = (flags & FLAG_INDEPENDENT) === 0;
    // Sizes beyond what a number can hold exactly are refused when the content ends before them.
    const contentBytes =
      (flags & FLAG_CONTENT_SIZE) !== 0 ? Number(window.readBigUInt64LE(at + CONTENT_SIZE_AT)) : undefined;
    this.#frame = {
      blockBytesMax: 1 << (8 + 2 * blockSizeCode),
      blockChecksums: (flags & FLAG_BLOCK_CHECKSUM) !== 0,
      hasContentChecksum: (flags & FLAG_CONTENT_CHECKSUM) !== 0,
      contentBytes,
      linked,
      begun: false,
    };
    if (contentBytes !== undefined) {
      const isOneJob = contentBytes <= WHOLE_FRAME_BYTES_MAX;
      this.jobOutputBytesMax = isOneJob ? Infinity : PART_BYTES_MAX;
      this.jobBytesExpected = isOneJob ? compressedBytesMax(contentBytes) : 0;
    } else {
      // Linked blocks need those before them.
      this.jobOutputBytesMax = linked ? WHOLE_FRAME_BYTES_MAX : PART_BYTES_MAX;
    }
  }

  #block(frame: Frame, window: Buffer, at: number, available: number): Found {
    this.unitNeedsBytes = WORD_BYTES;
    if (available < WORD_BYTES) return 'more';
    const word = window.readUInt32LE(at);
    if (word === 0) return this.#endMark(frame, window, at, available);
    const stored = word >= STORED_BIT;
    const bytes = stored ? word - STORED_BIT : word;
    // Two real writers made blocks larger than their frames say; where the content size is known, that is the limit.
    const outputBytesMax =
      frame.contentBytes === undefined ? frame.blockBytesMax : Math.min(frame.contentBytes, BLOCK_BYTES_MAX);
    const bytesMax = stored ? outputBytesMax : compressedBytesMax(Math.max(outputBytesMax, frame.blockBytesMax));
    if (bytes > bytesMax) {
      throw this.damage(
        'an LZ4 block is larger than its frame allows',
        at,
        `at most ${bytesMax} bytes, found ${bytes}`,
      );
    }
    this.unitBytes = WORD_BYTES + bytes + (frame.blockChecksums ? WORD_BYTES : 0);
    this.unitOutputBytes = stored ? bytes : Math.min(outputBytesMax, 255 * bytes);
    this.unitNeedsBytes = this.unitBytes;
    return available < this.unitBytes ? 'more' : 'unit';
  }

  #endMark(frame: Frame, window: Buffer, at: number, available: number): Found {
    const bytes = WORD_BYTES + (frame.hasContentChecksum ? WORD_BYTES : 0);
    this.unitNeedsBytes = bytes;
    if (available < bytes) return 'more';
    this.#contentChecksum = frame.hasContentChecksum ? window.readUInt32LE(at + WORD_BYTES) : undefined;
    this.#ending = true;
    this.unitBytes = bytes;
    return 'skip';
  }

  protected makeJob(bytes: Buffer, layerOffset: number, outputBytesMax: number): DecodeJob | undefined {
    const frame = this.#frame;
    const ending = this.#ending;
    if (frame === undefined || (bytes.length === 0 && !ending)) return undefined;
    const wholeFrame = ending && !frame.begun;
    const isPossible = frame.contentBytes !== undefined && frame.contentBytes <= outputBytesMax;
    const job: Lz4Job = {
      layer: this.layer,
      bytes,
      layerOffset,
      outputBytesMax: Math.min(outputBytesMax, frame.contentBytes ?? Infinity),
      outputBytes: wholeFrame && isPossible ? frame.contentBytes : undefined,
      blockBytesMax: frame.blockBytesMax,
      contentBytes: frame.contentBytes,
      blockChecksums: frame.blockChecksums,
      linked: frame.linked,
      inOrder: frame.linked && !wholeFrame,
      wholeFrame,
      lastOfFrame: ending,
    };
    frame.begun = true;
    this.jobOutputBytesMax = PART_BYTES_MAX;
    if (ending) {
      if (this.#contentChecksum !== undefined) job.contentChecksum = this.#contentChecksum;
      this.#frame = undefined;
      this.#ending = false;
    }
    return job;
  }

  runInOrder(job: DecodeJob, run: JobRunner, sink: OutputSink): Promise<JobOutput> | undefined {
    if (job.layer === 'lz4') job.history = this.#content.tail;
    return run(job, sink, true);
  }

  checkOutput(job: DecodeJob, piece: Buffer): void {
    if (job.layer !== 'lz4' || job.wholeFrame) return;
    const content = this.#content;
    content.bytes += piece.length;
    if (content.bytes > (job.contentBytes ?? Infinity)) throw wrongContentSize(job, content.bytes);
    content.hash.update(piece);
    if (job.linked) content.tail = lastBytes(content.tail, piece);
  }

  override jobDone(job: DecodeJob): void {
    super.jobDone(job);
    if (job.layer !== 'lz4' || job.wholeFrame || !job.lastOfFrame) return;
    const { bytes, hash } = this.#content;
    this.#content = new FrameContent();
    if (job.contentBytes !== undefined && job.contentBytes !== bytes) throw wrongContentSize(job, bytes);
    if (job.contentChecksum !== undefined && job.contentChecksum !== hash.digest())
      throw wrongContentChecksum(job, hash.digest());
  }
}

/** The worst case of the LZ4 block format. */
function compressedBytesMax(bytes: number): number {
  return bytes + Math.floor(bytes / 255) + 16;
}

function lastBytes(before: Buffer, piece: Buffer): Buffer {
  if (piece.length >= LZ4_HISTORY_BYTES) return Buffer.from(piece.subarray(piece.length - LZ4_HISTORY_BYTES));
  const keep = before.subarray(Math.max(0, before.length + piece.length - LZ4_HISTORY_BYTES));
  return Buffer.concat([keep, piece]);
}
