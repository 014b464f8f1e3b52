import type { DecryptionKey, LayerName } from '../../codec/codec.js';
import { DecodeChain } from '../../codec/decode-chain.js';
import { XbstreamError } from '../../errors.js';
import { pathText, type StoredPath } from '../../format/stored-path.js';
import { outOfOrder, type OutputFile } from '../../output/output.js';
import type { DecodeHelpers, HelpedChain } from './decode-helpers.js';
import { ofFile } from './file-error.js';
import { FilteredFile } from './filtered-file.js';

export interface DecodedFileOptions {
  layers: readonly LayerName[];
  key: DecryptionKey | undefined;
  /** Size of the output's disk blocks, in bytes. */
  blockBytes: number;
  /** Threads that decode; without them it is done in this one. */
  helpers: DecodeHelpers | undefined;
  /** Whether the output can take no more for now. */
  isFull: (() => boolean) | undefined;
  /** It cannot be decoded, or written: this came up while nobody was calling. */
  onFailure: (error: Error) => void;
  /** Not all that was given is decoded: {@link DecodedFile.resume} goes on. */
  onPause: (file: DecodedFile) => void;
  onUnprovenKey: () => void;
}

/** A file whose layers are undone on its way into an output. */
export class DecodedFile extends FilteredFile {
  readonly #storedPath: StoredPath;
  readonly #options: DecodedFileOptions;
  readonly #chain: DecodeChain | HelpedChain;
  /** Bytes of the stored file so far. */
  #storedBytes = 0;
  /** To be called when it is in the output. */
  #done: () => void = () => undefined;
  /** What has gone wrong: from then on nothing is decoded, and the file is never finished. */
  #failure: Error | undefined;

  /** @param file takes the decoded content */
  constructor(storedPath: StoredPath, file: OutputFile, options: DecodedFileOptions) {
    super(file, options.blockBytes);
    this.#storedPath = storedPath;
    this.#options = options;
    const { layers, key, helpers, isFull } = options;
    const output = (piece: Buffer): void => this.pages.push(piece);
    this.#chain =
      helpers?.open(layers, key, {
        output,
        ended: (isKeyUnproven) => this.#complete(isKeyUnproven),
        failed: (error) => options.onFailure(this.#told(error)),
      }) ?? new DecodeChain({ layers, key, output, ...(isFull && { isFull }) });
  }

  override write(bytes: Buffer, fileOffset: number): void {
    if (this.#failure !== undefined) return;
    if (fileOffset !== this.#storedBytes) throw this.#told(this.#outOfOrder(fileOffset));
    this.#storedBytes += bytes.length;
    this.#decode((chain) => chain.push(bytes));
  }

  /** Goes on where the output was full. */
  resume(): void {
    this.#decode((chain) => {
      if (chain instanceof DecodeChain) chain.resume();
    });
  }

  override finish(sizeBytes: number, done: () => void): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (sizeBytes !== this.#storedBytes) throw this.#told(this.#outOfOrder(sizeBytes));
    this.#done = done;
    this.#decode((chain) => chain.end());
    if (this.#chain instanceof DecodeChain) this.#complete(this.#chain.isKeyUnproven);
  }

  /** All of it is decoded. */
  #complete(isKeyUnproven: boolean): void {
    if (isKeyUnproven) this.#options.onUnprovenKey();
    this.file.finish(this.pages.fileBytes, this.#done);
  }

  #decode(step: (chain: DecodeChain | HelpedChain) => void): void {
    try {
      step(this.#chain);
    } catch (error) {
      throw this.#told(error);
    }
    if (this.#chain instanceof DecodeChain && this.#chain.isPaused) this.#options.onPause(this);
  }

  /** What a decoder keeps of a file counts against what all may keep: sound files need it. */
  giveUp(): void {
    if (this.#chain instanceof DecodeChain) this.#chain.close();
    else this.#chain.giveUp();
  }

  override abandon(removePartial: boolean): StoredPath | undefined {
    this.#chain.close();
    return super.abandon(removePartial);
  }

  /** Takes note of what has gone wrong. */
  #told(error: unknown): Error {
    this.#failure ??= ofFile(error, this.#storedPath);
    return this.#failure;
  }

  #outOfOrder(fileOffset: number): XbstreamError {
    return outOfOrder(
      this.#storedPath,
      `${pathText(this.#storedPath)} cannot be decoded: its content does not come in order`,
      { expected: this.#storedBytes, found: fileOffset },
      'unpack it as it is, without --decompress and a key, and decode the file afterwards: tsxbstream decode',
    );
  }
}
