import { XbstreamError } from '../errors.js';
import { chunkEnd, type ChunkHeader, type PayloadHeader, type SparseHeader } from '../format/chunk.js';
import type { StoredPath } from '../format/stored-path.js';

/** A file that backup programs write when all others are whole. */
const LAST_FILE = /^(?:xtrabackup|mariadb_backup)_info(?:\.(?:qp|lz4|zst|xbcrypt))*$/;

const [X, M] = ['x', 'm'].map((letter) => letter.charCodeAt(0));

/** A whole archive follows another. */
export class SecondArchive extends XbstreamError {}

/** Notices that an archive begins anew behind its end, as two that were written to the same place one after the other do. */
export class ArchiveEnd {
  /** A second archive has begun: nothing of it is taken. */
  isOver = false;
  /** The first content of the archive. */
  #first: PayloadHeader | SparseHeader | undefined;
  /** A backup ends here, in the archive: its last file is whole. */
  #backupEnd: number | undefined;

  content(header: ChunkHeader): void {
    if (this.#first === undefined && (header.type === 'payload' || header.type === 'sparse')) this.#first = header;
  }

  whole(path: StoredPath, endChunk: ChunkHeader): void {
    // The expression alone takes longer than all else that is done for a file.
    const first = path.charCodeAt(0);
    if ((first === X || first === M) && LAST_FILE.test(path)) this.#backupEnd ??= chunkEnd(endChunk);
  }

  /**
   * A file that is whole begins again, and nothing says that it is to be replaced.
   *
   * @param openFiles how many files are not whole
   * @throws SecondArchive where all begins again with it
   */
  assertNoSecond(header: ChunkHeader, openFiles: number): void {
    const isAsFirst = openFiles === 0 && isSameContent(header, this.#first);
    if (isAsFirst) this.#throwSecond(header);
    this.assertNotEnded(header);
  }

  /**
   * A file that is whole begins again, and its chunk has the bit of those that replace it. mariabackup replaces nothing when
   * its last file is whole; newer xtrabackup sets that bit on every chunk of a file.
   *
   * @throws SecondArchive where a backup has ended before
   */
  assertNotEnded(header: ChunkHeader): void {
    if (this.#backupEnd !== undefined) this.#throwSecond(header);
  }

  #throwSecond(header: ChunkHeader): never {
    this.isOver = true;
    const archiveOffset = this.#backupEnd ?? header.archiveOffset;
    throw new SecondArchive('XB_DUPLICATE_PATH', `a second archive begins at byte ${archiveOffset}`, {
      archiveOffset,
      details: ['all that comes before it is an archive of its own'],
      hints: [`to unpack the second one: tail -c +${archiveOffset + 1} ARCHIVE | tsxbstream -x -C ANOTHER_DIR`],
    });
  }
}

/** Whether two headers are those of the same content under the same name. */
function isSameContent(header: ChunkHeader, other: ChunkHeader | undefined): boolean {
  if ((header.type !== 'payload' && header.type !== 'sparse') || other?.type !== header.type) return false;
  const { path, payloadBytes, crc32 } = header;
  return path === other.path && payloadBytes === other.payloadBytes && crc32 === other.crc32;
}
