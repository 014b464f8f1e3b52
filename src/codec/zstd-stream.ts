import { setImmediate } from 'node:timers/promises';
import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { layerError, type OutputSink } from './codec.js';
import { freeNativeMemory } from './native-memory.js';

type CreateZstdDecompress = (options: { chunkSize: number }) => Transform;

/** Not in Node 20, nor in 22 before 22.15. */
const createZstdDecompress = (zlib as { createZstdDecompress?: CreateZstdDecompress }).createZstdDecompress;

const OUTPUT_PIECE_BYTES = 256 << 10;

const SENTINEL = Buffer.from('every byte was out before these.', 'latin1');
/** A whole frame of one raw block: single segment, content size in one byte, the last block. */
const SENTINEL_FRAME = Buffer.concat([
  Buffer.from([
    0x28,
    0xb5,
    0x2f,
    0xfd,
    0x20,
    SENTINEL.length,
    ((SENTINEL.length << 3) & 0xff) | 1,
    SENTINEL.length >>> 5,
    0,
  ]),
  SENTINEL,
]);

/** Whether this Node can decode zstd as it comes. */
export function canStreamZstd(): boolean {
  return createZstdDecompress !== undefined;
}

/**
 * Decodes frames that are too large for memory, as they come. One decoder serves all frames of a file: Node gives the
 * memory of each back late, which is up to 128 MiB.
 *
 * Some Node 22 return short output without an error. So another frame, made here, follows each: what
 * it holds comes out last, and only when the decoder has seen the end and the checksum of the one before and lost nothing.
 */
export class ZstdStream {
  readonly #decoder = createZstdDecompress!({ chunkSize: OUTPUT_PIECE_BYTES });
  #layerOffset = 0;
  #contentBytes: number | undefined;
  #sink: OutputSink = () => undefined;
  #outputBytes = 0;
  #failure: { error: unknown } | undefined;
  #onClose: () => void = () => undefined;

  constructor() {
    this.#decoder.on('data', (piece: Buffer) => {
      try {
        this.#sink(piece);
      } catch (error) {
        this.#fail(error);
      }
      // What comes behind a piece that reaches to the end of its memory lies in new memory.
      const { buffer, byteOffset, length } = piece;
      if (byteOffset + length === buffer.byteLength) freeNativeMemory(Buffer.from(buffer));
    });
    this.#decoder.on('close', () => this.#onClose());
    this.#decoder.on('error', (error) => this.#fail(this.#damage('a zstd frame cannot be decoded', error.message)));
  }

  /**
   * A frame begins.
   *
   * @param layerOffset where; only for messages
   * @param contentBytes what it says it holds, if it does
   */
  begin(layerOffset: number, contentBytes: number | undefined): void {
    this.#layerOffset = layerOffset;
    this.#contentBytes = contentBytes;
    this.#outputBytes = 0;
  }

  /** Decodes a part of the frame; resolves when what it holds has gone to `sink`. */
  async decode(bytes: Uint8Array, sink: OutputSink): Promise<void> {
    this.#sink = (piece) => {
      this.#outputBytes += piece.length;
      sink(piece);
    };
    await this.#write(bytes);
  }

  /** The frame has come to its end: all of it must be out. @throws XbstreamError `XB_BAD_LAYER` */
  async finish(sink: OutputSink): Promise<void> {
    const last: Buffer[] = [];
    this.#sink = (piece) => last.push(Buffer.from(piece));
    await this.#write(SENTINEL_FRAME);
    const output = Buffer.concat(last);
    const contentBytes = output.length - SENTINEL.length;
    if (contentBytes < 0 || !output.subarray(contentBytes).equals(SENTINEL)) {
      throw this.#damage(
        'a zstd frame was not decoded to its end',
        `${this.#outputBytes} bytes came out of it, Node ${process.versions.node}`,
      );
    }
    this.#outputBytes += contentBytes;
    if (contentBytes > 0) sink(output.subarray(0, contentBytes));
    if (this.#contentBytes !== undefined && this.#contentBytes !== this.#outputBytes) {
      throw this.#damage(
        'a zstd frame does not hold as much as it says',
        `expected ${this.#contentBytes} bytes, found ${this.#outputBytes}`,
      );
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (!this.#decoder.destroyed) {
      await new Promise<void>((resolve) => {
        // A stream that fails or is closed meanwhile may never call back.
        this.#onClose = resolve;
        this.#decoder.write(bytes, () => resolve());
      });
    }
    // Pieces that the stream has queued come with its next turn.
    while (this.#decoder.readableLength > 0 && !this.#decoder.destroyed) await setImmediate();
    if (this.#failure) throw this.#failure.error;
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.close();
  }

  close(): void {
    this.#decoder.destroy();
  }

  #damage(message: string, found: string) {
    return layerError('XB_BAD_LAYER', message, 'zstd', this.#layerOffset, found);
  }
}
