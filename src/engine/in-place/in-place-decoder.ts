/** Decodes files where they lie: each is made under a partial name, gets its final name, and then its original goes. */
import type { DecryptionKey, LayerName } from '../../codec/codec.js';
import { XbstreamError } from '../../errors.js';
import { pathText, type StoredPath } from '../../format/stored-path.js';
import { PIECE_BYTES } from '../../input/source.js';
import { NO_ROOM } from '../../output/directory/file-calls.js';
import { InPlaceDirectory } from '../../output/directory/in-place-directory.js';
import type { OriginalFile } from '../../output/directory/original-file.js';
import { mayGive } from '../../output/directory/owner.js';
import type { ExistingFilePolicy, OutputFile } from '../../output/output.js';
import { Decoding } from '../decoding/decoding.js';
import { shownPath, type EncodedFile } from './find-encoded.js';

export interface InPlaceDecoderOptions {
  key: DecryptionKey | undefined;
  /** Originals stay. */
  keep: boolean;
  /** They go even where an old format of encryption cannot prove that the key was the right one. */
  removeOriginal: boolean;
  /**
   * What to do where a file of the final name is there: `keep-same-size` leaves both alone; `overwrite` replaces it; else it
   * must be what is decoded, byte for byte, as it is where a run was killed just before it had removed the original.
   */
  existing: ExistingFilePolicy;
  fsync: boolean;
  keepGoing: boolean;
}

/** What it works for. */
export interface InPlaceListener {
  isStopped: () => boolean;
  warning: (message: string) => void;
  /** A file is begun. */
  begin: (path: StoredPath) => void;
  /** Called with how many bytes were read. */
  read: (bytes: number) => void;
  /** A file is decoded. */
  file: (path: StoredPath, bytes: number) => void;
}

/** Only root can give files away. */
const NOT_GIVEN = 'some of these files are of another owner, and only root can give files away: what is decoded is not';
const UNPROVEN_STAY =
  'an old format of encryption cannot prove the key, so that the encrypted files stay beside what they decrypt to: look at that, then remove them (--remove-original does)';

export class InPlaceDecoder {
  files = 0;
  bytes = 0;
  keptFiles = 0;
  readonly problems: XbstreamError[] = [];
  readonly #options: InPlaceDecoderOptions;
  readonly #listener: InPlaceListener;
  readonly #directories = new Map<StoredPath, InPlaceDirectory>();
  readonly #decoding: Decoding;
  #isOwnerToldOf = false;

  constructor(options: InPlaceDecoderOptions, listener: InPlaceListener) {
    this.#options = options;
    this.#listener = listener;
    const { key, removeOriginal, keep } = options;
    const choice = { decompress: true, decrypt: key !== undefined };
    this.#decoding = new Decoding(
      { choose: () => choice, key },
      { onUnprovenKey: () => (keep || removeOriginal ? undefined : listener.warning(UNPROVEN_STAY)) },
    );
  }

  /**
   * Decodes a file. What goes wrong with it is among the problems.
   *
   * @returns whether to go on with others
   */
  async decode(file: EncodedFile): Promise<boolean> {
    this.#listener.begin(shownPath(file));
    return this.#noting(file, () => this.#decode(file));
  }

  /** Has everything on the disk that is to be there, and gives back what it holds. */
  async close(): Promise<void> {
    for (const directory of this.#directories.values()) {
      await this.#noting(undefined, () => {
        directory.removeReplaced();
        directory.close();
      });
      directory.release();
    }
  }

  async #noting(file: EncodedFile | undefined, work: () => Promise<void> | void): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof XbstreamError)) throw error;
      const { keepGoing, existing } = this.#options;
      this.problems.push(toldInPlace(error, file, keepGoing, existing === 'overwrite'));
      return keepGoing;
    }
  }

  async #decode(file: EncodedFile): Promise<void> {
    const directory = this.#directoryOf(file.root);
    if (this.#options.existing === 'keep-same-size' && directory.has(file.finalPath)) {
      this.keptFiles += 1;
      return;
    }
    const original = directory.original(file.path);
    try {
      this.#lookAtOwner(original);
      await this.#make(file, original, directory);
    } finally {
      original.close();
    }
  }

  async #make(file: EncodedFile, original: OriginalFile, directory: InPlaceDirectory): Promise<void> {
    if (original.sizeBytes === 0) assertMayBeEmpty(this.#decoding.layersOf(file.path).layers, file.path);
    const open = (path: StoredPath): OutputFile => directory.open(path, original.metadata);
    const output = { open, blockBytes: directory.blockBytes };
    const content = this.#decoding.open(file.path, output, original.sizeBytes === 0);
    try {
      if (!(await this.#copy(original, content, directory))) {
        content.abandon(true);
        return;
      }
    } catch (error) {
      // What is decoded of it so far is no use while the original is there.
      content.abandon(true);
      throw error;
    }
    if (content.kept) directory.keep(file.finalPath);
    if (this.#goes(file)) directory.replace(original);
    this.files += 1;
    this.bytes += content.sizeBytes;
    if (content.kept) this.keptFiles += 1;
    this.#listener.file(shownPath({ root: file.root, path: file.finalPath }), content.sizeBytes);
  }

  /** @returns whether all of it is there; not where it was told to stop */
  async #copy(original: OriginalFile, content: OutputFile, directory: InPlaceDirectory): Promise<boolean> {
    const { room } = this.#decoding;
    let position = 0;
    for (;;) {
      if (this.#listener.isStopped()) return false;
      const bytes = original.read(room, 0, PIECE_BYTES, position);
      if (bytes === 0) break;
      content.write(room.subarray(0, bytes), position);
      position += bytes;
      await this.#decoding.caughtUp();
      directory.endStep();
      this.#listener.read(bytes);
    }
    original.assertUnchanged(position);
    const named = { isDone: false };
    content.finish(position, () => {
      named.isDone = true;
    });
    await this.#decoding.allDecoded();
    directory.endStep();
    if (!named.isDone) throw new Error(`${pathText(original.path)} was decoded, and has not got its name`);
    return true;
  }

  /** Whether the original has served its purpose. */
  #goes({ path }: EncodedFile): boolean {
    const { keep, removeOriginal } = this.#options;
    if (keep) return false;
    // What was compressed before it was encrypted proves the key: garbage cannot be decompressed.
    const isProven = !this.#decoding.unproven.has(path) || this.#decoding.layersOf(path).layers.length > 1;
    return isProven || removeOriginal;
  }

  #lookAtOwner(original: OriginalFile): void {
    if (this.#isOwnerToldOf || mayGive(original.metadata)) return;
    this.#isOwnerToldOf = true;
    this.#listener.warning(NOT_GIVEN);
  }

  #directoryOf(root: StoredPath): InPlaceDirectory {
    const known = this.#directories.get(root);
    if (known !== undefined) return known;
    const { existing, fsync } = this.#options;
    const directory = new InPlaceDirectory({ root: pathText(root), overwrite: existing === 'overwrite', fsync });
    this.#directories.set(root, directory);
    return directory;
  }
}

/**
 * Of an empty file in an archive checksums say that it came so. Of one that lies here nobody does: a power failure leaves such
 * files, and no program makes one, for what is empty is compressed to a frame, too.
 *
 * @throws XbstreamError `XB_LAYER_TRUNCATED`
 */
function assertMayBeEmpty(layers: readonly LayerName[], path: StoredPath): void {
  if (!layers.includes('zstd') && !layers.includes('lz4')) return;
  throw new XbstreamError('XB_LAYER_TRUNCATED', `${pathText(path)} is empty, which no compressed file is`, {
    path,
    details: ['what it held may be lost, as by a power failure'],
    hints: ['unpack it anew; or, where nothing was in it, remove it'],
  });
}

const AGAIN = 'the same command goes on where this run stopped';

/**
 * An error of the output, or of a codec, as whoever decodes a file where it lies knows it: its names are those below the root, and its hints those of an extraction.
 *
 * @param file which file it is about, if one
 * @param keepGoing the others are decoded all the same
 * @param isReplacing files that are there give way
 */
function toldInPlace(
  error: XbstreamError,
  file: EncodedFile | undefined,
  keepGoing: boolean,
  isReplacing: boolean,
): XbstreamError {
  if (file === undefined) return error;
  const shown = shownPath(file);
  if (error.code === 'XB_TARGET_EXISTS' && error.path === file.finalPath) return exists(error, file, isReplacing);
  const { code, message, path, details, systemCode, cause } = error;
  const hints = NO_ROOM.has(systemCode) ? [`make room; ${AGAIN}`] : [...error.hints];
  if (!keepGoing) hints.push(`to decode the others: --keep-going; ${AGAIN}`);
  return new XbstreamError(code, withRoot(message, path, file.root), {
    path: shown,
    details: [...details, `${pathText(shown)} stays as it was`],
    ...{ hints, systemCode, cause },
  });
}

function exists(error: XbstreamError, file: EncodedFile, isReplacing: boolean): XbstreamError {
  const shown = shownPath(file);
  const final = shownPath({ root: file.root, path: file.finalPath });
  const message = `${pathText(final)} exists already, and is not what ${pathText(shown)} is decoded`;
  return new XbstreamError('XB_TARGET_EXISTS', message, {
    path: final,
    details: [...error.details.filter((detail) => !detail.includes('touched')), 'neither was touched'],
    hints: isReplacing ? ['move it away'] : ['to replace it: --overwrite', 'to leave both alone: --skip-existing'],
  });
}

function withRoot(message: string, path: StoredPath | undefined, root: StoredPath): string {
  if (path === undefined) return message;
  return message.replace(pathText(path), () => pathText(shownPath({ root, path })));
}
