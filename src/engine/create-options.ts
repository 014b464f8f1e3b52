import type { BackupChoice } from '../backup/backup-state.js';
import type { StoredPath } from '../format/stored-path.js';
import type { InputChoice } from '../input/open-source.js';
import type { OutputChoice } from '../output/archive-target.js';

/** Files that a new archive is made of. */
export interface FilesSource {
  kind: 'files';
  /** Files, and where {@link recurse} is set directories, in the order wanted. */
  paths: readonly StoredPath[];
  /** More of them, out of a list. */
  list?: { input: InputChoice; nullSeparated: boolean } | undefined;
  /** What relative paths are relative to. */
  directory: string;
  /** Take directories with all that is in them, and give every name its plain form. */
  recurse: boolean;
}

/** What a new archive is made of. */
export type CreateSource =
  | FilesSource
  /** With `backup`: whether the tar must hold a finished backup. */
  | { kind: 'tar'; input: InputChoice; backup: BackupChoice };

/** Everything the making of an archive can be told. */
export interface CreateOptions {
  source: CreateSource;
  output: OutputChoice;
  /** Keep names as they are: do not cut off what stands before `..`, and leading slashes. */
  absoluteNames: boolean;
  /** Leave out aligned blocks of zeros (Percona's sparse chunks; mbstream does not read them). */
  sparse: boolean;
  /** Make an archive without files where there are none. */
  allowEmpty: boolean;
  /** Most bytes of a file in a chunk. */
  chunkBytes: number;
}

/** What the C tools put into a chunk, in bytes. */
export const DEFAULT_CHUNK_BYTES = 10 * 1024 * 1024;
