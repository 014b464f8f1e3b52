import type { BackupChoice } from '../backup/backup-state.js';
import type { DecryptionKey } from '../codec/codec.js';
import type { InputChoice } from '../input/open-source.js';
import type { EncryptedPolicy } from './encrypted-files.js';

/** Everything a verification can be told. */
export interface VerifyOptions {
  input: InputChoice;
  /** Also undo every layer, and hold all checksums inside. */
  deep: boolean;
  /** Whether it must be a finished backup. */
  backup: BackupChoice;
  /** Undoes encryption; without it encrypted files cannot be looked into. */
  key?: DecryptionKey | undefined;
  /** What it means that they could not, if `deep`. */
  encrypted: Exclude<EncryptedPolicy, 'warn'>;
  /** Most threads that decompress. */
  decompressThreads?: number | undefined;
  /** Most threads that decrypt. */
  decryptThreads?: number | undefined;
  /** Allow stored names that begin with `/`. */
  absoluteNames: boolean;
  /** Take an input without a single chunk for whole. */
  allowEmpty: boolean;
  /** Names of digests (as `node:crypto` knows them) of the raw archive bytes. */
  digests: readonly string[];
  /** Where to write `sha256sum -c` lines of the files, decoded if `deep`. */
  manifest?: string | undefined;
  /** Replace `manifest` where there is such a file. */
  overwrite: boolean;
  /** Most threads. */
  parallel?: number | undefined;
}
