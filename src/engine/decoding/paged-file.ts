import { storesZerosOfHoles } from '../../codec/page-holes.js';
import type { OutputFile } from '../../output/output.js';
import { FilteredFile } from './filtered-file.js';

/**
 * A page-compressed table of MariaDB on its way into an output as it is stored: the zeros that it was stored with where
 * the server has holes become holes again.
 */
export class PagedFile extends FilteredFile {
  /** What comes out of order is written as it is: which page it begins in the middle of nobody can tell. */
  #comesInOrder = true;

  /**
   * @param first the first content of a file, which begins with its first byte
   * @param blockBytes see {@link Output.blockBytes}
   * @returns what takes it, and all that follows: `file` itself where it cannot be such a table, or where layers are undone
   *   first: what they hold is looked at behind them
   */
  static over(file: OutputFile, first: Buffer, blockBytes: number): OutputFile {
    const may = !(file instanceof FilteredFile) && first.length > 0 && storesZerosOfHoles(first) !== false;
    return may ? new PagedFile(file, blockBytes) : file;
  }

  override write(bytes: Buffer, fileOffset: number): void {
    this.#comesInOrder &&= fileOffset === this.pages.fileBytes;
    if (this.#comesInOrder) this.pages.push(bytes);
    else this.file.write(bytes, fileOffset);
  }
}
