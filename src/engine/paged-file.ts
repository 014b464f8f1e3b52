import { PageHoles, storesZerosOfHoles } from '../codec/page-holes.js';
import type { StoredPath } from '../format/stored-path.js';
import type { OutputFile } from '../output/output.js';

/**
 * A page-compressed table of MariaDB on its way into an output as it is stored: the zeros that it was stored with where
 * the server has holes become holes again.
 */
export class PagedFile implements OutputFile {
  readonly #file: OutputFile;
  readonly #pages: PageHoles;
  /** What comes out of order is written as it is: which page it begins in the middle of nobody can tell. */
  #comesInOrder = true;

  /**
   * @param first the first content of a file, which begins with its first byte
   * @param blockBytes see {@link Output.blockBytes}
   * @returns what takes it, and all that follows: `file` itself where it cannot be such a table
   */
  static over(file: OutputFile, first: Buffer, blockBytes: number): OutputFile {
    const may = first.length > 0 && storesZerosOfHoles(first) !== false;
    return may ? new PagedFile(file, blockBytes) : file;
  }

  private constructor(file: OutputFile, blockBytes: number) {
    this.#file = file;
    this.#pages = new PageHoles(blockBytes, (fileOffset, bytes) => file.write(bytes, fileOffset));
  }

  get path(): StoredPath {
    return this.#file.path;
  }

  get sizeBytes(): number {
    return this.#file.sizeBytes;
  }

  get kept(): boolean {
    return this.#file.kept;
  }

  get sha256(): string | undefined {
    return this.#file.sha256;
  }

  write(bytes: Buffer, fileOffset: number): void {
    this.#comesInOrder &&= fileOffset === this.#pages.fileBytes;
    if (this.#comesInOrder) this.#pages.push(bytes);
    else this.#file.write(bytes, fileOffset);
  }

  finish(sizeBytes: number, done: () => void): void {
    this.#file.finish(sizeBytes, done);
  }

  remove(): void {
    this.#file.remove();
  }

  rename(path: StoredPath, replaced: OutputFile | undefined): void {
    this.#file.rename(path, replaced);
  }

  setAside(): void {
    this.#file.setAside();
  }

  restore(): void {
    this.#file.restore();
  }

  abandon(removePartial: boolean): StoredPath | undefined {
    return this.#file.abandon(removePartial);
  }
}
