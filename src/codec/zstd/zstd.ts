/** Decodes zstd frames. Where Node has a decoder of its own a frame is decoded block by block, as it comes; else as a whole. */
import { layerError } from '../codec.js';
import type { Found } from '../unit-decoder.js';
import { passOn, ZstdFrames } from './zstd-frames.js';
import { ZSTD_CHECKSUM_BYTES } from './zstd-header.js';
import { canStreamZstd, giveBackZstdStream, takeZstdStream, ZstdFailure, type ZstdStream } from './zstd-stream.js';
import { ZstdWalk, type ZstdFrame } from './zstd-walk.js';

/** What a frame may decode to that has to be in memory as a whole, in bytes. */
const WHOLE_FRAME_OUTPUT_BYTES_MAX = 64 << 20;
/** And how long it may be: what does not compress has three bytes more for each 128 KiB. */
const WHOLE_FRAME_BYTES_MAX = WHOLE_FRAME_OUTPUT_BYTES_MAX + (1 << 20);

export class ZstdDecoder extends ZstdWalk {
  protected readonly isStreamed = canStreamZstd();
  /** Decodes the frame at hand. */
  #stream: ZstdStream | undefined;
  /** What is counted of it. */
  #streamBytes = 0;
  readonly #frames = new ZstdFrames();
  /** The whole frame that is being decoded. */
  #whole: ZstdFrame | undefined;

  protected walk(window: Buffer, at: number, available: number): Found {
    return this.isStreamed
      ? this.measureBlock(this.frame!, window, at, available)
      : this.#measureFrame(this.frame!, window, at, available);
  }

  protected beginFrame(window: Buffer, at: number, available: number): Found {
    const frame = this.header(window, at, available);
    if (frame === undefined) return 'more';
    this.frame = frame;
    if (!this.isStreamed) return this.#measureFrame(frame, window, at, available);
    frame.walkedBytes = 0;
    this.unitBytes = frame.headerBytes;
    return 'unit';
  }

  /** A whole frame. */
  #measureFrame(frame: ZstdFrame, window: Buffer, at: number, available: number): Found {
    while (!frame.lastBlockWalked) {
      if (!this.walkBlock(frame, window, at, available)) return 'more';
      if (frame.outputBytesMax > WHOLE_FRAME_OUTPUT_BYTES_MAX || frame.walkedBytes > WHOLE_FRAME_BYTES_MAX) {
        const hint = `it can hold more than ${WHOLE_FRAME_OUTPUT_BYTES_MAX >> 20} MiB; this is Node ${process.versions.node}`;
        throw this.unsupported('a zstd frame of this size needs Node 22.15 or later', at, hint);
      }
    }
    this.unitBytes = frame.walkedBytes + (frame.hasChecksum ? ZSTD_CHECKSUM_BYTES : 0);
    this.unitNeedsBytes = this.unitBytes;
    return available < this.unitBytes ? 'more' : 'unit';
  }

  protected decode(unit: Buffer): void {
    const frame = this.frame!;
    if (!this.isStreamed) {
      this.frame = undefined;
      const before = this.#takeWhole();
      this.count(frame.outputBytesMax);
      this.#frames.begin(unit);
      this.#whole = frame;
      // While this one is being decoded.
      before?.();
      if (this.isCrowded) this.#takeWhole()?.();
      return;
    }
    this.#decoding(frame, () => {
      const stream = (this.#stream ??= takeZstdStream());
      this.#countStream(stream.begin(frame.windowBytes));
      stream.decode(unit, (piece) => this.#putOut(frame, piece));
      if (frame.lastBlockWalked) stream.assertEnded();
    });
    if (!frame.lastBlockWalked) return;
    this.frame = undefined;
    // To make one anew takes long, where frames are small and windows large.
    if (this.#stream!.isSmall) {
      giveBackZstdStream(this.#stream!);
      this.#stream = undefined;
      this.#countStream(0);
    }
    assertContentSize(frame);
  }

  #countStream(bytes: number): void {
    if (bytes === this.#streamBytes) return;
    this.count(bytes - this.#streamBytes);
    this.#streamBytes = bytes;
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
    this.count(-frame.outputBytesMax);
    const answer = this.#frames.take();
    return () => {
      this.#decoding(frame, () => passOn(answer, (piece) => this.#putOut(frame, piece)));
      assertContentSize(frame);
    };
  }

  #decoding(frame: ZstdFrame, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof ZstdFailure)) throw error;
      throw layerError('XB_BAD_LAYER', 'a zstd frame cannot be decoded', 'zstd', frame.layerOffset, error.message);
    }
  }

  #putOut(frame: ZstdFrame, piece: Buffer): void {
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

function assertContentSize({ layerOffset, contentBytes, producedBytes }: ZstdFrame): void {
  if (contentBytes === undefined || contentBytes === producedBytes) return;
  const found = `expected ${contentBytes} bytes, found ${producedBytes}`;
  throw layerError('XB_BAD_LAYER', 'a zstd frame does not hold as much as it says', 'zstd', layerOffset, found);
}
