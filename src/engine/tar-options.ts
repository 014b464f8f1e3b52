import type { SelectionOptions } from '../archive/selection/selection.js';
import type { BackupChoice } from '../backup/backup-state.js';
import type { DecryptionKey } from '../codec/codec.js';
import type { InputChoice } from '../input/open-source.js';
import type { OutputChoice } from '../output/archive-target.js';
import type { EncryptedPolicy } from './encrypted-files.js';

/** Everything a conversion to tar can be told. */
export interface TarOptions {
  input: InputChoice;
  output: OutputChoice;
  selection: SelectionOptions;
  /** Undo compression, by the stored names' suffixes. */
  decompress: boolean;
  /** Undo encryption with this key. */
  key?: DecryptionKey | undefined;
  /** What it means that files stay encrypted without it, where `decompress` was asked for. */
  encrypted: Exclude<EncryptedPolicy, 'warn'>;
  decompressThreads?: number | undefined;
  decryptThreads?: number | undefined;
  parallel?: number | undefined;
  /** Allow stored names that begin with `/`. */
  absoluteNames: boolean;
  /** Take an input without a single chunk for whole. */
  allowEmpty: boolean;
  /** Whether it must be a finished backup. */
  backup: BackupChoice;
  /** Keep holes, as GNU tar does, instead of writing zeros. */
  sparse: boolean;
  /** Time of all files, in seconds since 1970. */
  mtime: number;
  /** Write each file of a pipe as soon as it is whole. */
  stream: boolean;
  /** Where files of a pipe wait. */
  tmpDir: string;
}
