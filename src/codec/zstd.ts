import { createRequire } from 'node:module';
import { XbstreamError } from '../errors.js';
import {
  layerError,
  type DecodeJob,
  type JobOutput,
  type JobRunner,
  type OutputSink,
  type ZstdJob,
  type WalkerOptions,
} from './codec.js';
import { freeNativeMemory } from './native-memory.js';
import { FrameWalker } from './frame-walker.js';
import type { Found } from './piece-walker.js';
import { canStreamZstd, ZstdStream } from './zstd-stream.js';

const FORMAT = { magic: 0xfd2fb528, title: 'zstd', name: 'zstd format' };
const MAGIC_BYTES = 4;
const CHECKSUM_BYTES = 4;

const FLAG_SINGLE_SEGMENT = 0x20;
const FLAG_RESERVED = 0x08;
const FLAG_CHECKSUM = 0x04;

const BLOCK_HEADER_BYTES = 3;
const BLOCK_BYTES_MAX = 128 << 10;
const BLOCK_RLE = 1;
const BLOCK_COMPRESSED = 2;
const BLOCK_RESERVED = 3;

/** The decoder's own limit: what `zstd --long=27` makes. */
const WINDOW_BYTES_MAX = 128 << 20;
/**
 * A frame that can decode to more than this is decoded as it comes, in parts. Where Node cannot do that, larger ones are
 * still decoded in one go, at the cost of memory: input, output and window may take three times as much.
 */
const WHOLE_FRAME_OUTPUT_BYTES_MAX = canStreamZstd() ? 16 << 20 : 64 << 20;
/** So is one that is longer: what does not compress has three bytes more for each 128 KiB. */
const WHOLE_FRAME_BYTES_MAX = WHOLE_FRAME_OUTPUT_BYTES_MAX + (1 << 20);
/** Small frames are put together to jobs of this much output; parts of a large frame are of this size too. */
const JOB_BYTES_TARGET = 1 << 20;

interface Frame {
  blockBytesMax: number;
  contentBytes: number | undefined;
  hasChecksum: boolean;
  /** Bytes walked from the start of the frame, or of its part. */
  walkedBytes: number;
  /** The most these bytes can decode to. */
  outputBytesMax: number;
  lastBlockWalked: boolean;
  /** Set where it goes out in parts. */
  nextPart?: 'first' | 'later';
}

/**
 * Finds zstd frames (format.md, section 5; RFC 8878). The walk over a frame's block headers finds its end and the most
 * that can come out of it.
 */
export class ZstdWalker extends FrameWalker {
  readonly layer = 'zstd';
  #frame: Frame | undefined;
  #part: ZstdJob['part'];
  #stream: ZstdStream | undefined;

  constructor({ memory }: WalkerOptions) {
    super(FORMAT, memory, true, true);
    this.jobOutputBytesMax = JOB_BYTES_TARGET;
  }

  protected override measure(window: Buffer, at: number): Found {
    this.unitStandsAlone = false;
    return super.measure(window, at);
  }

  protected get isInFrame(): boolean {
    return this.#frame !== undefined;
  }

  protected walk(window: Buffer, at: number, available: number): Found {
    return this.#walk(this.#frame!, window, at, available);
  }

  protected beginFrame(window: Buffer, at: number, available: number): Found {
    this.#frame = this.#header(window, at, available);
    return this.#frame ? this.#walk(this.#frame, window, at, available) : 'more';
  }

  /** RFC 8878, 3.1.1.1. */
  #header(window: Buffer, at: number, available: number): Frame | undefined {
    this.unitNeedsBytes = MAGIC_BYTES + 1;
    if (available < this.unitNeedsBytes) return undefined;
    const flags = window[at + MAGIC_BYTES]!;
    const singleSegment = (flags & FLAG_SINGLE_SEGMENT) !== 0;
    const dictionaryAt = MAGIC_BYTES + 1 + (singleSegment ? 0 : 1);
    const contentSizeAt = dictionaryAt + [0, 1, 2, 4][flags & 3]!;
    const contentSizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][flags >>> 6]!;
    const headerBytes = contentSizeAt + contentSizeBytes;
    this.unitNeedsBytes = headerBytes;
    if (available < headerBytes) return undefined;
    if ((flags & FLAG_RESERVED) !== 0) {
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
    const windowBytes = singleSegment ? contentBytes! : windowSize(window[at + MAGIC_BYTES + 1]!);
    if (!singleSegment && windowBytes > WINDOW_BYTES_MAX) {
      const found = `window of ${windowBytes} bytes, at most ${WINDOW_BYTES_MAX} are supported (zstd --long=27)`;
      throw this.unsupported('the zstd frame needs too much memory to decode', at, found);
    }
    return {
      blockBytesMax: Math.min(windowBytes, BLOCK_BYTES_MAX),
      contentBytes,
      hasChecksum: (flags & FLAG_CHECKSUM) !== 0,
      walkedBytes: headerBytes,
      outputBytesMax: 0,
      lastBlockWalked: false,
    };
  }

  /** Goes from block header to block header (RFC 8878, 3.1.1.2) as far as the window goes. */
  #walk(frame: Frame, window: Buffer, at: number, available: number): Found {
    while (!frame.lastBlockWalked && !isPartFull(frame)) {
      this.unitNeedsBytes = frame.walkedBytes + BLOCK_HEADER_BYTES;
      if (available < this.unitNeedsBytes) return 'more';
      const header = window.readUIntLE(at + frame.walkedBytes, BLOCK_HEADER_BYTES);
      const type = (header >>> 1) & 3;
      const bytes = header >>> 3;
      if (type === BLOCK_RESERVED || bytes > frame.blockBytesMax) {
        const found = `block of type ${type} and ${bytes} bytes, at most ${frame.blockBytesMax} are allowed`;
        throw this.damage('impossible block in a zstd frame', at + frame.walkedBytes, found);
      }
      frame.lastBlockWalked = (header & 1) !== 0;
      frame.walkedBytes += BLOCK_HEADER_BYTES + (type === BLOCK_RLE ? 1 : bytes);
      frame.outputBytesMax += type === BLOCK_COMPRESSED ? frame.blockBytesMax : bytes;
      const tooLarge = frame.outputBytesMax > WHOLE_FRAME_OUTPUT_BYTES_MAX || frame.walkedBytes > WHOLE_FRAME_BYTES_MAX;
      if (tooLarge && frame.nextPart === undefined) {
        if (!canStreamZstd()) {
          const hint = `it can hold more than ${WHOLE_FRAME_OUTPUT_BYTES_MAX >> 20} MiB; this is Node ${process.versions.node}`;
          throw this.unsupported('a zstd frame of this size needs Node 22.15 or later', at, hint);
        }
        frame.nextPart = 'first';
      }
    }
    const unitBytes = frame.walkedBytes + (frame.lastBlockWalked && frame.hasChecksum ? CHECKSUM_BYTES : 0);
    this.unitNeedsBytes = unitBytes;
    if (available < unitBytes) return 'more';
    this.unitBytes = unitBytes;
    this.unitOutputBytes = frame.outputBytesMax;
    if (frame.nextPart) {
      this.unitStandsAlone = true;
      this.#part = { first: frame.nextPart === 'first', last: frame.lastBlockWalked, contentBytes: frame.contentBytes };
      frame.nextPart = 'later';
      frame.walkedBytes = 0;
      frame.outputBytesMax = 0;
    } else if (frame.contentBytes !== undefined) {
      if (frame.contentBytes > frame.outputBytesMax) {
        const found = `it says ${frame.contentBytes} bytes, its blocks can hold ${frame.outputBytesMax}`;
        throw this.damage('a zstd frame says that it holds more than it can', at, found);
      }
      this.unitOutputBytes = frame.contentBytes;
    }
    if (frame.lastBlockWalked) this.#frame = undefined;
    return 'unit';
  }

  protected makeJob(bytes: Buffer, layerOffset: number, outputBytesMax: number, alone: boolean): DecodeJob | undefined {
    if (bytes.length === 0) return undefined;
    const job: ZstdJob = { layer: this.layer, bytes, layerOffset, outputBytesMax };
    return alone && this.#part ? { ...job, inOrder: true, part: this.#part } : job;
  }

  async #runPart(job: ZstdJob, part: NonNullable<ZstdJob['part']>, sink: OutputSink): Promise<JobOutput> {
    const stream = (this.#stream ??= new ZstdStream());
    if (part.first) stream.begin(job.layerOffset, part.contentBytes);
    await stream.decode(job.bytes, sink);
    if (part.last) await stream.finish(sink);
    return { pieces: [] };
  }

  runInOrder(job: DecodeJob, run: JobRunner, sink: OutputSink): Promise<JobOutput> | undefined {
    return job.layer === 'zstd' && job.part ? this.#runPart(job, job.part, sink) : run(job, sink, true);
  }

  override close(): void {
    super.close();
    this.#stream?.close();
    this.#stream = undefined;
  }
}

function isPartFull(frame: Frame): boolean {
  return (
    frame.nextPart !== undefined && (frame.outputBytesMax >= JOB_BYTES_TARGET || frame.walkedBytes >= JOB_BYTES_TARGET)
  );
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

type Decompress = (frames: Buffer) => Promise<Buffer>;

let native: Decompress | undefined | 'missing';

/** The package's decoder, where there is a binary of it for this machine. */
function nativeDecoder(): Decompress | undefined {
  try {
    native ??= (createRequire(import.meta.url)('@mongodb-js/zstd') as { decompress: Decompress }).decompress;
  } catch {
    native = 'missing';
  }
  return native === 'missing' ? undefined : native;
}

/** Decodes whole frames by what Node itself has. */
async function decodeByNode(job: ZstdJob): Promise<Buffer> {
  if (!canStreamZstd()) {
    throw new XbstreamError(
      'XB_IO',
      'zstd cannot be decoded: the package @mongodb-js/zstd is missing, or does not load',
      {
        details: [`Node has zstd of its own from 22.15 on; this is Node ${process.versions.node}`],
        hints: ['install the packages again (npm ci), or use a newer Node'],
      },
    );
  }
  const stream = new ZstdStream();
  const pieces: Buffer[] = [];
  let bytes = 0;
  const sink = (piece: Buffer): void => {
    bytes += piece.length;
    if (bytes > job.outputBytesMax) throw holdsTooMuch(job, bytes);
    pieces.push(Buffer.from(piece));
  };
  try {
    stream.begin(job.layerOffset, undefined);
    await stream.decode(job.bytes, sink);
    await stream.finish(sink);
  } finally {
    stream.close();
  }
  return Buffer.concat(pieces);
}

function holdsTooMuch({ layerOffset, outputBytesMax }: ZstdJob, found: number): XbstreamError {
  return layerError(
    'XB_BAD_LAYER',
    'a zstd frame holds more than its blocks can',
    'zstd',
    layerOffset,
    `at most ${outputBytesMax} bytes, found ${found}`,
  );
}

/**
 * Decodes whole frames. The decoder checks content sizes and checksums.
 *
 * @throws XbstreamError `XB_BAD_LAYER`, `XB_IO` where there is no decoder, as a rejection
 */
export async function decodeZstdFrames(job: ZstdJob): Promise<JobOutput> {
  const decompress = nativeDecoder();
  if (decompress === undefined) return { pieces: [await decodeByNode(job)] };
  let output: Buffer;
  try {
    output = await decompress(Buffer.from(job.bytes.buffer, job.bytes.byteOffset, job.bytes.length));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw layerError('XB_BAD_LAYER', 'a zstd frame cannot be decoded', 'zstd', job.layerOffset, reason);
  }
  const outputBytes = output.length;
  const release = (): void => freeNativeMemory(output);
  if (output.length > job.outputBytesMax) {
    release();
    throw holdsTooMuch(job, outputBytes);
  }
  return { pieces: [output], release };
}
