/** What decoders have in common: layers, ciphers, keys, and the errors of a layer. */
import { XbstreamError, type XbstreamErrorCode } from '../errors.js';
import type { StreamKey } from '../input/open-source.js';

/** What can have been done to a stored file, or to an archive as a whole (`gzip` only that), named as users know it. */
export type LayerName = 'xbcrypt' | 'zstd' | 'lz4' | 'qpress' | 'gzip';

export type CipherName = StreamKey['cipher'];

/** A key, and the cipher that it is for. `bytes` is empty for the cipher `NONE`. */
export type DecryptionKey = StreamKey;

/** Takes output in order. A piece is only lent: its bytes are good until the call returns. */
export type OutputSink = (piece: Buffer) => void;

/**
 * Undoes one layer of a file, at once and in this thread: what it is given comes in pieces of any size, and what is in them
 * goes to its {@link OutputSink} before the call returns. It believes no size: memory grows with the bytes that have come, up
 * to a fixed bound.
 */
export interface Decoder {
  readonly layer: LayerName;
  /** The layer's magic has been seen. */
  readonly recognised: boolean;
  /** Data has been decrypted with a key that this version of the format cannot prove to be the right one. */
  readonly isKeyUnproven?: boolean;
  /**
   * @param bytes lent until the call returns
   * @throws XbstreamError `XB_BAD_LAYER`, `XB_WRONG_KEY`, `XB_KEY_REQUIRED`, `XB_UNSUPPORTED_LAYER`, and whatever the sink
   *   throws
   */
  push(bytes: Buffer): void;
  /** It has stopped in the middle of what it was given, since its sink is full. */
  readonly isPaused: boolean;
  /** Goes on there. @throws as {@link push} */
  resume(): void;
  /** All of it has come. @throws XbstreamError `XB_LAYER_TRUNCATED`, and as {@link push} */
  end(): void;
  /** Frees what it holds; it is not used again. */
  close(): void;
}

/** What every decoder is made with. */
export interface DecoderContext {
  output: OutputSink;
  /** Asked after each unit: where the sink can take no more for now, the rest waits for {@link Decoder.resume}. */
  isFull: () => boolean;
  /** Where in the layer's data it begins, in bytes: at a unit that does not need those before. 0 unless given. */
  startOffset?: number;
}

const TITLES: Readonly<Record<LayerName, string>> = {
  xbcrypt: 'xbcrypt',
  zstd: 'zstd',
  lz4: 'LZ4',
  qpress: 'qpress',
  gzip: 'gzip',
};

/**
 * An error at a place in a layer's data.
 *
 * @param layerOffset where in the layer's data, in bytes
 * @param found further lines: what was expected, what was found
 */
export function layerError(
  code: XbstreamErrorCode,
  message: string,
  layer: LayerName,
  layerOffset: number,
  ...found: string[]
): XbstreamError {
  return new XbstreamError(code, message, {
    details: [`at byte ${layerOffset} of the ${TITLES[layer]} data`, ...found],
  });
}
