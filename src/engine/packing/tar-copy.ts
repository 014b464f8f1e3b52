/** Copies files of an archive that can be read at any place into a tar, one after the other. */
import type { IndexEntry } from '../../archive/index.js';
import { SMALL_PIECE_BYTES, type ExtentReader } from '../../archive/extents.js';
import { freeNativeMemory } from '../../codec/native-memory.js';
import { XbstreamError } from '../../errors.js';
import { pathText, type StoredPath } from '../../format/stored-path.js';
import { PIECE_BYTES } from '../../input/source.js';
import type { OutputFile } from '../../output/output.js';
import { WAITING_PARTS_MAX, SpooledFile } from '../../output/spool/spooled-files.js';
import type { TarWriter } from '../../tar/writer.js';
import { VirtualFile } from '../../output/virtual-output.js';
import type { Decoding } from '../decoding/decoding.js';

/** A decoded file up to this size is decoded once, into memory; a larger one twice: tar wants its size first. */
const DECODED_IN_MEMORY_BYTES = 16 * 1024 * 1024;
/** Holes are worth leaving from here on, in bytes: a tar's are whole blocks of the disks it is unpacked to. */
const BLOCK_BYTES = 4096;

export interface TarCopyOptions {
  tar: TarWriter;
  extents: ExtentReader;
  decoding: Decoding | undefined;
  /** Holes are kept. */
  sparse: boolean;
  /**
   * Called after each piece of the archive; may throw.
   *
   * @param bytes of the entry's content so far; from its start again where it is read twice
   */
  onPiece: (bytes: number) => void;
}

export class TarCopy {
  readonly #options: TarCopyOptions;

  constructor(options: TarCopyOptions) {
    this.#options = options;
  }

  /**
   * @param entry with its extents
   * @returns name and size of the file as it was written
   * @throws XbstreamError whatever is wrong with it
   */
  async copy(entry: IndexEntry): Promise<{ path: StoredPath; bytes: number }> {
    const { tar, decoding, sparse } = this.#options;
    const { layers, finalName: path } = decoding?.layersOf(entry.path) ?? { layers: [], finalName: entry.path };
    decoding?.renamed(entry.contentPath, entry.path);
    const isDecoded = layers.length > 0 && entry.bytes > 0;
    if (!isDecoded && !(sparse && entry.sparse)) {
      await tar.begin(path, entry.bytes, undefined);
      await this.#write(entry, new TarredFile(path, tar, false));
      await tar.finish();
      return { path, bytes: entry.bytes };
    }
    const memoryBytes = isDecoded ? DECODED_IN_MEMORY_BYTES : 0;
    const measured = new SpooledFile(path, { spool: undefined, memoryBytes, partsLeft: WAITING_PARTS_MAX });
    await this.#write(entry, measured);
    await tar.begin(path, measured.sizeBytes, sparse ? measured.extents : undefined);
    if (measured.hasContent) {
      await writeSpooled(tar, measured);
    } else {
      await this.#write(entry, new TarredFile(path, tar, isDecoded));
      await tar.finish();
    }
    return { path, bytes: measured.sizeBytes };
  }

  /** Gives an entry's content to a file, decoded where that is wanted. */
  async #write(entry: IndexEntry, target: OutputFile): Promise<void> {
    const { tar, extents, decoding, onPiece } = this.#options;
    const isEmpty = entry.bytes === 0;
    const file = decoding?.open(entry.path, { blockBytes: BLOCK_BYTES, open: () => target }, isEmpty) ?? target;
    const isDecoded = file !== target;
    let takenBytes = 0;
    const afterPiece = async (): Promise<void> => {
      onPiece(takenBytes);
      await decoding?.caughtUp();
      await tar.drained();
    };
    const take = (bytes: Buffer, fileOffset: number): void => {
      takenBytes += bytes.length;
      file.write(bytes, fileOffset);
    };
    const pieceBytes = isDecoded ? SMALL_PIECE_BYTES : PIECE_BYTES;
    if (entry.extents !== undefined) await extents.read(entry.extents, { take, afterPiece }, pieceBytes);
    file.finish(entry.bytes, () => undefined);
  }
}

/** Writes a file that has waited. */
export async function writeSpooled(tar: TarWriter, file: SpooledFile): Promise<void> {
  for (const { bytes, fileOffset } of file.content()) {
    tar.write(bytes, fileOffset);
    await tar.drained();
  }
  await tar.finish();
}

/** The file of a tar that is being written. */
class TarredFile extends VirtualFile {
  readonly #tar: TarWriter;
  readonly #isOneCall: boolean;

  /** @param isOneCall what is written is lent for the call only, not until the tar is drained */
  constructor(path: StoredPath, tar: TarWriter, isOneCall: boolean) {
    super(path);
    this.#tar = tar;
    this.#isOneCall = isOneCall;
  }

  write(bytes: Buffer, fileOffset: number): void {
    if (!this.#isOneCall) {
      this.#tar.write(bytes, fileOffset);
      return;
    }
    const copy = Buffer.allocUnsafeSlow(bytes.length);
    bytes.copy(copy);
    // The collector may be late: what a few bytes decode to would add up until then.
    this.#tar.write(copy, fileOffset, () => freeNativeMemory(copy));
  }

  override remove(): never {
    throw this.#final();
  }

  override rename(): never {
    throw this.#final();
  }

  #final(): XbstreamError {
    return new XbstreamError('XB_UNSUPPORTED_ORDER', `${pathText(this.path)} was written already`);
  }
}
