import type { Hash } from 'node:crypto';
import { pathText, type StoredPath } from '../format/stored-path.js';
import { zeros } from '../format/zeros.js';
import { PIECE_ROOM_BYTES } from '../input/source.js';
import { outOfOrder, type ForeignCorrection, type LendableFile, type Output, type OutputFile } from './output.js';

/** What outputs have in common that write no files into a directory: nothing was there before, nothing is under way. */
export abstract class VirtualOutput implements Output {
  readonly isWritten: boolean = false;
  abstract readonly blockBytes: number;
  readonly #room = Buffer.allocUnsafeSlow(PIECE_ROOM_BYTES);

  abstract open(path: StoredPath): OutputFile;

  correctForeign(_path: StoredPath, _correction: ForeignCorrection): void {
    // Nothing was there before.
  }

  room(): Buffer {
    return this.#room;
  }

  endStep(): void {
    // What is kept was copied.
  }

  close(): void {
    // Files have their names already.
  }

  drain(): void {
    // Nothing is under way.
  }

  release(): void {
    // Nothing is held but memory.
  }
}

/** A file that is no file of a directory. */
export abstract class VirtualFile implements OutputFile {
  path: StoredPath;
  sizeBytes = 0;
  readonly kept: boolean = false;
  sha256: string | undefined;

  constructor(path: StoredPath) {
    this.path = path;
  }

  abstract write(bytes: Buffer, fileOffset: number): void;

  finish(sizeBytes: number, done: () => void): void {
    this.sizeBytes = sizeBytes;
    done();
  }

  remove(): void {
    // There is nothing of it.
  }

  rename(path: StoredPath, replaced: OutputFile | undefined): void {
    replaced?.remove();
    this.path = path;
  }

  setAside(): void {
    // It has no name that anybody sees.
  }

  restore(): void {
    // As above.
  }

  abandon(): undefined {
    return undefined;
  }
}

/** Throws everything away: for looking whether it is all right. */
export class DiscardingOutput extends VirtualOutput {
  /** No hole is worth leaving. */
  readonly blockBytes = 2 ** 30;
  readonly #hash: boolean;

  /** @param hash work out the SHA-256 of each file */
  constructor(hash: boolean) {
    super();
    this.#hash = hash;
  }

  open(path: StoredPath): OutputFile {
    return this.#hash ? new HashedFile(path) : new DiscardedFile(path);
  }

  borrow(path: StoredPath): Pick<OutputFile, 'write'> {
    return new DiscardedFile(path);
  }
}

class DiscardedFile extends VirtualFile implements LendableFile {
  /** There is no descriptor. */
  lend(): number {
    return -1;
  }

  restart(): void {
    // Nothing was written.
  }

  override write(): void {
    // That its checksums hold is all that counts.
  }
}

class HashedFile extends VirtualFile {
  readonly #hash: Hash = process.getBuiltinModule('node:crypto').createHash('sha256');
  #hashedBytes = 0;

  override write(bytes: Buffer, fileOffset: number): void {
    this.#fill(fileOffset);
    this.#hash.update(bytes);
    this.#hashedBytes += bytes.length;
  }

  override finish(sizeBytes: number, done: () => void): void {
    this.#fill(sizeBytes);
    this.sha256 = this.#hash.digest('hex');
    super.finish(sizeBytes, done);
  }

  /** Holes are zeros. */
  #fill(fileOffset: number): void {
    if (fileOffset < this.#hashedBytes) {
      throw outOfOrder(
        this.path,
        `no checksum of ${pathText(this.path)}: its content is not in order`,
        { expected: this.#hashedBytes, found: fileOffset },
        'unpack it: tsxbstream extract --manifest can do it',
      );
    }
    for (const piece of zeros(fileOffset - this.#hashedBytes)) this.#hash.update(piece);
    this.#hashedBytes = fileOffset;
  }
}
