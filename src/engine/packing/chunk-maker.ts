/** Makes chunks of a file's pieces, with holes where there are zeros. */
import type { ArchiveWriter, SparsePair } from '../../archive/writer.js';
import { crc32 } from '../../format/crc32.js';
import type { StoredPath } from '../../format/stored-path.js';

/** Blocks of zeros of this size, aligned in the file, become holes. It is the block size of nearly every file system. */
const BLOCK_BYTES = 4096;
const ZEROS = Buffer.alloc(BLOCK_BYTES);

export class ChunkMaker {
  readonly #writer: ArchiveWriter;

  constructor(writer: ArchiveWriter) {
    this.#writer = writer;
  }

  /** Writes a piece as a chunk without holes. */
  plain(path: StoredPath, fileOffset: number, bytes: Buffer): void {
    this.#writer.payload(path, fileOffset, bytes, crc32(bytes));
  }

  /** Writes a piece as a sparse chunk where it has blocks of zeros, else as {@link plain}. */
  sparse(path: StoredPath, fileOffset: number, bytes: Buffer): void {
    const pairs: SparsePair[] = [];
    const data: Buffer[] = [];
    let holeFrom = 0;
    let dataFrom = 0;
    // Blocks are aligned in the file, which a chunk need not be.
    for (let at = 0, end; at < bytes.length; at = end) {
      end = Math.min(bytes.length, at + BLOCK_BYTES - ((fileOffset + at) % BLOCK_BYTES));
      const isHole = bytes[at] === 0 && ZEROS.compare(bytes, at, end, 0, end - at) === 0;
      if (!isHole) continue;
      if (at > dataFrom) {
        pairs.push([dataFrom - holeFrom, at - dataFrom]);
        data.push(bytes.subarray(dataFrom, at));
        holeFrom = at;
      }
      dataFrom = end;
    }
    if (dataFrom === 0) {
      this.plain(path, fileOffset, bytes);
      return;
    }
    pairs.push([dataFrom - holeFrom, bytes.length - dataFrom]);
    if (dataFrom < bytes.length) data.push(bytes.subarray(dataFrom));
    this.#writer.sparse(path, fileOffset, pairs, data);
  }
}
