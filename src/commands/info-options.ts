import type { BackupChoice } from '../backup/backup-state.js';
import type { DecryptionKey } from '../codec/codec.js';
import type { InputChoice } from '../input/open-source.js';

/** Everything a description of a backup can be told. */
export interface InfoOptions {
  input: InputChoice;
  /** For small files that are encrypted. */
  key?: DecryptionKey | undefined;
  /** Allow stored names that begin with `/`. */
  absoluteNames: boolean;
  /** Take an input without a single chunk for whole. */
  allowEmpty: boolean;
  /** Whether it must be a finished backup. */
  backup: BackupChoice;
}
