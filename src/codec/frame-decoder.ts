/** What the decoders of LZ4 and zstd have in common: frames that follow each other, some of them to be skipped. */
import { hex32 } from '../format/crc32.js';
import { layerError, type DecoderContext } from './codec.js';
import { UnitDecoder, type Found } from './unit-decoder.js';

const MAGIC_BYTES = 4;
/** Sixteen magics from here on are frames to be skipped, in LZ4 and zstd alike. */
const SKIPPABLE_MAGIC = 0x184d2a50;
export const SKIPPABLE_HEADER_BYTES = 8;

/** Whether what begins with this magic is to be skipped. */
export function isSkippable(magic: number): boolean {
  return (magic & 0xfffffff0) === SKIPPABLE_MAGIC;
}

/** What a format of frames is, for a {@link FrameDecoder}. */
export interface FrameFormat {
  magic: number;
  /** What people call it. */
  title: string;
  /** Its full name. */
  name: string;
}

export abstract class FrameDecoder extends UnitDecoder {
  readonly #format: FrameFormat;
  /** Bytes left of a frame that is skipped. */
  #skipBytes = 0;

  constructor(format: FrameFormat, context: DecoderContext) {
    super(context);
    this.#format = format;
  }

  /** Whether a frame has begun and not ended. */
  protected abstract get isInFrame(): boolean;

  /** As {@link measure}, inside of a frame. */
  protected abstract walk(window: Buffer, at: number, available: number): Found;

  /** As {@link measure}, at a frame's magic. */
  protected abstract beginFrame(window: Buffer, at: number, available: number): Found;

  protected override measure(window: Buffer, at: number): Found {
    const available = window.length - at;
    if (this.#skipBytes > 0) {
      this.unitNeedsBytes = 1;
      if (available === 0) return 'more';
      this.unitBytes = Math.min(available, this.#skipBytes);
      this.#skipBytes -= this.unitBytes;
      return 'skip';
    }
    if (this.isInFrame) return this.walk(window, at, available);
    this.unitNeedsBytes = MAGIC_BYTES;
    if (available < MAGIC_BYTES) return 'more';
    const magic = window.readUInt32LE(at);
    if (isSkippable(magic)) {
      this.unitNeedsBytes = SKIPPABLE_HEADER_BYTES;
      if (available < SKIPPABLE_HEADER_BYTES) return 'more';
      this.recognised = true;
      this.unitBytes = SKIPPABLE_HEADER_BYTES;
      this.#skipBytes = window.readUInt32LE(at + MAGIC_BYTES);
      return 'skip';
    }
    const expected = this.#format.magic;
    if (magic !== expected) {
      const message = this.recognised
        ? `no ${this.#format.title} frame where one should begin`
        : `the file is not compressed in the ${this.#format.name}`;
      throw this.damage(message, at, `expected magic ${hex32(expected)}, found ${hex32(magic)}`);
    }
    this.recognised = true;
    return this.beginFrame(window, at, available);
  }

  protected override finish(rest: Buffer): void {
    if (!this.isInFrame && this.#skipBytes === 0 && rest.length === 0) return;
    throw layerError(
      'XB_LAYER_TRUNCATED',
      `the ${this.#format.title} data ends inside a frame`,
      this.layer,
      this.windowOffset + rest.length,
      `expected at least ${Math.max(this.unitNeedsBytes, this.#skipBytes) - rest.length} bytes more`,
    );
  }

  /** @param at where, in the window */
  protected damage(message: string, at: number, ...found: string[]) {
    return layerError('XB_BAD_LAYER', message, this.layer, this.windowOffset + at, ...found);
  }

  /** @param at where, in the window */
  protected unsupported(message: string, at: number, ...found: string[]) {
    return layerError('XB_UNSUPPORTED_LAYER', message, this.layer, this.windowOffset + at, ...found);
  }
}
