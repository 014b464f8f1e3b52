/** Opens files of an archive in an output so that what was done to them is undone on the way. */
import type { DecryptionKey, LayerName, OutputSink } from '../../codec/codec.js';
import { DecodeChain } from '../../codec/decode-chain.js';
import { layersOf, type LayerChoice, type StoredLayers } from '../../codec/stored-layers.js';
import { XbstreamError } from '../../errors.js';
import { pathText, type StoredPath } from '../../format/stored-path.js';
import { PIECE_ROOM_BYTES } from '../../input/source.js';
import type { Output, OutputFile } from '../../output/output.js';
import type { DecodeHelpers } from './decode-helpers.js';
import { DecodedFile } from './decoded-file.js';
import { keyRequired, TAKE_RAW } from './encrypted-files.js';

/** Which layers are undone while unpacking. */
export interface DecodingChoice {
  /** Which of a stored file's layers. */
  choose: (path: StoredPath) => LayerChoice;
  /** Undoes encryption; it is an error where that is chosen and there is none. */
  key: DecryptionKey | undefined;
}

/** What decoding for an output that is written asynchronously needs: a few bytes may decode to gigabytes. */
export interface SlowOutput {
  /** Whether so much waits in memory that decoding has to pause. */
  isFull: () => boolean;
  /** Has what waits written. */
  drain: () => Promise<void>;
}

export interface DecodingTools {
  /** Called once, when data is decrypted with a key that its old format cannot prove. */
  onUnprovenKey: () => void;
  /** Set where the output does not write what it is given at once. */
  slowOutput?: SlowOutput | undefined;
  /** Starts threads that decode, when there is something to decode. Without it all is done in this one. */
  startHelpers?: (() => DecodeHelpers) | undefined;
}

export class Decoding {
  /** Room for a piece of the archive, not shared with the thread that writes: V8 copies from shared memory at a third of the speed. */
  readonly room = Buffer.allocUnsafeSlow(PIECE_ROOM_BYTES);
  readonly #options: DecodingChoice;
  readonly #tools: DecodingTools;
  #helpers: DecodeHelpers | undefined;
  /** What went wrong with files while nobody was calling. */
  readonly #failures: Error[] = [];
  /** Files whose content is decoded up to where the output was full. */
  readonly #paused = new Set<DecodedFile>();
  /** Files that were decrypted with a key that their old format cannot prove. */
  readonly unproven = new Set<StoredPath>();

  constructor(options: DecodingChoice, tools: DecodingTools) {
    this.#options = options;
    this.#tools = tools;
  }

  /** What is undone of a stored file. @throws XbstreamError `XB_UNSAFE_PATH` */
  layersOf(path: StoredPath): StoredLayers {
    return layersOf(path, this.#options.choose(path));
  }

  /** What decodes the frames of one layer from a place in the stored file on, in this thread. */
  chainFrom(layer: LayerName, startOffset: number, output: OutputSink): DecodeChain {
    return new DecodeChain({ layers: [layer], key: this.#options.key, output, startOffset });
  }

  /**
   * Begins a file in `output`, under the name it has when its layers are undone.
   *
   * @param empty it has no content, and so nothing to undo
   * @throws XbstreamError what {@link Output.open} throws, `XB_UNSAFE_PATH`, `XB_KEY_REQUIRED`
   */
  open(path: StoredPath, output: Pick<Output, 'open' | 'blockBytes'>, empty: boolean): OutputFile {
    const { layers, finalName } = this.layersOf(path);
    const isDecoded = layers.length > 0 && !empty;
    if (isDecoded && layers.includes('xbcrypt') && this.#options.key === undefined) {
      throw keyRequired({ count: 1, first: path }, 'it cannot be decoded', TAKE_RAW);
    }
    const file = output.open(finalName);
    if (!isDecoded) return file;
    this.#helpers ??= this.#tools.startHelpers?.();
    return new DecodedFile(path, file, {
      layers,
      key: this.#options.key,
      blockBytes: output.blockBytes,
      helpers: this.#helpers,
      isFull: this.#tools.slowOutput?.isFull,
      onFailure: (error) => this.#failures.push(error),
      onPause: (paused) => this.#paused.add(paused),
      onUnprovenKey: () => {
        if (this.unproven.size === 0) this.#tools.onUnprovenKey();
        this.unproven.add(path);
      },
    });
  }

  /**
   * The name of a file that a correction renames. What was undone of it must be what the new name tells of.
   *
   * @throws XbstreamError `XB_UNSUPPORTED_ORDER`
   */
  renamed(oldPath: StoredPath, newPath: StoredPath): StoredPath {
    const before = this.layersOf(oldPath);
    const after = this.layersOf(newPath);
    if (before.layers.join() === after.layers.join()) return after.finalName;
    throw new XbstreamError(
      'XB_UNSUPPORTED_ORDER',
      `${pathText(oldPath)} is renamed to ${pathText(newPath)}, which would be decoded differently`,
      { path: oldPath, hints: ['unpack it without --decompress and --decrypt'] },
    );
  }

  /** {@link caughtUp} has to be waited for before more is given. */
  get isPaused(): boolean {
    return this.#paused.size > 0 || this.#failures.length > 0 || this.#helpers?.isFull === true;
  }

  /** Files that have ended are not decoded to their end: {@link allDecoded} waits for that. */
  get isBusy(): boolean {
    return this.#helpers?.isBusy === true;
  }

  /** Resolves when more may be given. @throws what decoding and the output throw: that of one file, each time */
  async caughtUp(): Promise<void> {
    this.#throwFailure();
    if (this.#helpers?.isFull === true) await this.#helpers.turn();
    this.#throwFailure();
    while (this.#paused.size > 0) {
      await this.#tools.slowOutput!.drain();
      for (const file of [...this.#paused]) {
        this.#paused.delete(file);
        file.resume();
      }
    }
  }

  /** Resolves when all files that have ended are decoded, and in the output. @throws as {@link caughtUp} */
  async allDecoded(): Promise<void> {
    await this.caughtUp();
    while (this.#helpers?.isBusy === true) {
      await this.#helpers.answer();
      this.#throwFailure();
    }
  }

  /** Ends the threads that help. */
  close(): void {
    this.#helpers?.close();
  }

  #throwFailure(): void {
    const failure = this.#failures.shift();
    if (failure !== undefined) throw failure;
  }
}
