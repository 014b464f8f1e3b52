import type { IndexEntry } from '../archive/index.js';
import type { ExtentReader } from '../archive/read-extents.js';
import { XbstreamError } from '../errors.js';
import { pathText, type StoredPath } from '../format/stored-path.js';
import type { Output, OutputFile } from '../output/output.js';
import { SpooledFile } from '../output/spooled-file.js';
import type { TarWriter } from '../output/tar-writer.js';
import type { Decoding } from './decoding.js';

/** A decoded file up to this size is decoded once, into memory; a larger one twice: tar wants its size first. */
const DECODED_IN_MEMORY_BYTES = 16 * 1024 * 1024;

export interface TarCopyOptions {
  tar: TarWriter;
  extents: ExtentReader;
  decoding: Decoding | undefined;
  /** Holes are kept. */
  sparse: boolean;
  /** Called after each piece of the archive; may throw. */
  onPiece: () => void;
}

/** Copies files of an archive that can be read at any place into a tar, one after the other. */
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
    const isDecoded = layers.length > 0 && entry.bytes > 0;
    if (!isDecoded && !(sparse && entry.sparse)) {
      await tar.begin(path, entry.bytes, undefined);
      await this.#write(entry, new TarredFile(path, tar, false));
      await tar.finish();
      return { path, bytes: entry.bytes };
    }
    const memoryBytes = isDecoded ? DECODED_IN_MEMORY_BYTES : 0;
    const measured = new SpooledFile(path, { spool: undefined, memoryBytes });
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
    const file = decoding?.open(entry.path, onlyFile(target), entry.bytes === 0) ?? target;
    const settled = async (): Promise<void> => {
      onPiece();
      await decoding?.ready();
      await tar.settled();
    };
    if (entry.extents !== undefined) {
      await extents.read(entry.extents, { take: (bytes, fileOffset) => file.write(bytes, fileOffset), settled });
    }
    file.finish(entry.bytes, () => undefined);
    await decoding?.pending.until(0);
  }
}

/** Writes a file that has waited. */
export async function writeSpooled(tar: TarWriter, file: SpooledFile): Promise<void> {
  for (const { bytes, fileOffset } of file.content()) {
    tar.write(bytes, fileOffset);
    await tar.settled();
  }
  await tar.finish();
}

/** The file of a tar that is being written. */
class TarredFile implements OutputFile {
  readonly path: StoredPath;
  readonly kept = false;
  readonly sha256 = undefined;
  sizeBytes = 0;
  readonly #tar: TarWriter;
  readonly #isOneCall: boolean;

  /** @param isOneCall what is written is lent for the call only, not until the tar has settled */
  constructor(path: StoredPath, tar: TarWriter, isOneCall: boolean) {
    this.path = path;
    this.#tar = tar;
    this.#isOneCall = isOneCall;
  }

  write(bytes: Buffer, fileOffset: number): void {
    this.#tar.write(this.#isOneCall ? Buffer.from(bytes) : bytes, fileOffset);
  }

  finish(sizeBytes: number, done: () => void): void {
    this.sizeBytes = sizeBytes;
    done();
  }

  remove(): never {
    throw this.#final();
  }

  rename(): never {
    throw this.#final();
  }

  abandon(): undefined {
    return undefined;
  }

  #final(): XbstreamError {
    return new XbstreamError('XB_UNSUPPORTED_ORDER', `${pathText(this.path)} was written already`);
  }
}

/** An output that has one file to give. */
function onlyFile(file: OutputFile): Output {
  const nothing = (): void => undefined;
  return {
    blockBytes: 4096,
    open: () => file,
    correctForeign: nothing,
    room: () => Buffer.alloc(0),
    endStep: nothing,
    close: nothing,
    drain: nothing,
    release: nothing,
  };
}
