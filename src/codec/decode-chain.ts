import { XbstreamError } from '../errors.js';
import {
  layerError,
  type Decoder,
  type DecoderContext,
  type DecryptionKey,
  type LayerName,
  type OutputSink,
} from './codec.js';
import { GzipDecoder } from './gzip.js';
import { Lz4Decoder } from './lz4/lz4.js';
import { QpressDecoder } from './qpress/qpress.js';
import { XbcryptDecoder } from './xbcrypt/xbcrypt.js';
import { ZstdDecoder } from './zstd/zstd.js';

export interface DecodeChainOptions {
  /** The layers to undo, outermost first; at least one. */
  layers: readonly LayerName[];
  /** Needed when `xbcrypt` is among them. */
  key?: DecryptionKey | undefined;
  /** Takes the decoded bytes in order; a piece is only lent until the call returns. What it throws, the chain throws. */
  output: OutputSink;
  /** Whether the output can take no more for now. A few bytes may decode to gigabytes: the rest waits for {@link DecodeChain.resume}. */
  isFull?: () => boolean;
  /** Where in the stored file it begins, in bytes: at a frame of a file with one layer. */
  startOffset?: number;
}

/**
 * Undoes the layers of one file as its bytes come: what is pushed is decoded, and has gone to the output, when the call
 * returns. After an error the chain is closed, and further calls do nothing.
 */
export class DecodeChain {
  /** Outermost first. */
  readonly #decoders: Decoder[] = [];
  #isClosed = false;

  /** @throws XbstreamError `XB_KEY_REQUIRED` */
  constructor({ layers, key, output, isFull = () => false, startOffset = 0 }: DecodeChainOptions) {
    let sink = output;
    for (const layer of [...layers].reverse()) {
      const decoder = makeDecoder(layer, key, { output: sink, isFull, startOffset });
      this.#decoders.unshift(decoder);
      const around = layers[layers.indexOf(layer) - 1];
      sink = around === undefined ? sink : (piece) => this.#describing(decoder, () => decoder.push(piece));
    }
  }

  /**
   * True when something has been decrypted with a key that its version of xbcrypt cannot prove to be the right one. Tell the
   * user.
   */
  get isKeyUnproven(): boolean {
    return this.#decoders.some(({ isKeyUnproven }) => isKeyUnproven === true);
  }

  /** It has stopped where the output was full: what was given is not decoded to its end. */
  get isPaused(): boolean {
    return !this.#isClosed && this.#decoders.some(({ isPaused }) => isPaused);
  }

  /**
   * @param bytes the next bytes of the file, lent until the call returns
   * @throws XbstreamError `XB_BAD_LAYER`, `XB_WRONG_KEY`, `XB_KEY_REQUIRED`, `XB_UNSUPPORTED_LAYER`; what `output` throws
   */
  push(bytes: Buffer): void {
    this.#run(() => this.#decoders[0]!.push(bytes));
  }

  /** Goes on after a pause; may pause again. @throws as {@link push} */
  resume(): void {
    this.#run(() => {
      // What is further in has come before.
      for (
        let i = this.#decoders.length - 1;
        i >= 0 && (i === this.#decoders.length - 1 || !this.#decoders[i + 1]!.isPaused);
        i--
      ) {
        const decoder = this.#decoders[i]!;
        this.#describing(decoder, () => decoder.resume());
      }
    });
  }

  /** The file is complete; there must be no pause. @throws as {@link push}, and `XB_LAYER_TRUNCATED` */
  end(): void {
    this.#run(() => {
      for (const decoder of this.#decoders) this.#describing(decoder, () => decoder.end());
    });
    this.close();
  }

  /** Gives up: no more output. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const decoder of this.#decoders) decoder.close();
  }

  #run(step: () => void): void {
    if (this.#isClosed) return;
    try {
      step();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Old versions of xbcrypt decrypt with any key; that the next layer does not appear tells that it was the wrong one. */
  #describing(decoder: Decoder, step: () => void): void {
    try {
      step();
    } catch (error) {
      if (!(error instanceof XbstreamError) || !this.isKeyUnproven || decoder.recognised) throw error;
      if (decoder === this.#decoders[0]) throw error;
      throw new XbstreamError('XB_WRONG_KEY', 'the key or the cipher is not the one the file was encrypted with', {
        details: [`what it decrypts to is no ${decoder.layer} data`, ...error.details],
      });
    }
  }
}

function makeDecoder(layer: LayerName, key: DecryptionKey | undefined, context: DecoderContext): Decoder {
  switch (layer) {
    case 'xbcrypt':
      if (!key) throw layerError('XB_KEY_REQUIRED', 'the file is encrypted and no key was given', layer, 0);
      return new XbcryptDecoder(key, context);
    case 'qpress':
      return new QpressDecoder(context);
    case 'lz4':
      return new Lz4Decoder(context);
    case 'zstd':
      return new ZstdDecoder(context);
    case 'gzip':
      return new GzipDecoder(context);
  }
}
