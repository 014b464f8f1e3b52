import type { StoredPath } from '../../format/stored-path.js';

/** A stored file begins. */
export interface FileEntry {
  readonly kind: 'file';
  /** Its name at this point of the archive, without `./`, `//` and the like. */
  readonly path: StoredPath;
  /** What was done to it, outermost first, as its name tells: `xbcrypt`, `zstd`, `lz4`, `qpress`. */
  readonly layers: readonly string[];
  /** Where the archive first mentions it, in bytes. */
  readonly archiveOffset: number;
  /** It takes the place of an earlier file of the same name. */
  readonly rewrites: boolean;
  /** Its size so far in bytes, holes included. */
  readonly bytes: number;
  /** Its chunks so far, with its end chunk. */
  readonly chunks: number;
  /** Its end chunk has come, no part of it is missing and all its checksums have held. */
  readonly complete: boolean;
  /**
   * Its content as it is stored, in order, holes as zeros; what is given must not be changed. It ends when the file is
   * complete. To be called before the next entry is asked for, and once; the content of other files is passed over (and
   * checked all the same).
   */
  content(): AsyncIterable<Buffer>;
}

/** An earlier file is taken away. */
export interface RemovedEntry {
  readonly kind: 'remove';
  readonly path: StoredPath;
  readonly archiveOffset: number;
  /** False where there was no such file. */
  readonly effective: boolean;
}

/** An earlier file gets another name, and takes the place of what had that. */
export interface RenamedEntry {
  readonly kind: 'rename';
  readonly path: StoredPath;
  readonly newPath: StoredPath;
  readonly archiveOffset: number;
  /** False where there was no such file: then nothing has happened to the other either. */
  readonly effective: boolean;
}

/** What an archive says about its files, in its order. Only MariaDB's archives have other kinds than `file`. */
export type ArchiveEntry = FileEntry | RemovedEntry | RenamedEntry;
