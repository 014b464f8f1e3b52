import type { SelectionOptions } from '../archive/selection/selection.js';
import type { BackupChoice } from '../backup/backup-state.js';
import type { DecryptionKey } from '../codec/codec.js';
import type { InputChoice } from '../input/open-source.js';
import type { ExistingFilePolicy } from '../output/output.js';
import type { Owner } from '../output/directory/owner.js';
import type { EncryptedPolicy } from './encrypted-files.js';

/** Everything an extraction can be told. */
export interface ExtractOptions {
  input: InputChoice;
  /** The directory to unpack into. */
  target: string;
  /** Make `target` (and its parents) when it is missing. */
  createTarget: boolean;
  selection: SelectionOptions;
  existing: ExistingFilePolicy;
  /** Undo compression, by the stored names' suffixes. */
  decompress: boolean;
  /** Undo encryption with this key; without it encrypted files are unpacked as they are. */
  key?: DecryptionKey | undefined;
  /** What it means that they are, where `decompress` was asked for. */
  encrypted: EncryptedPolicy;
  /** Most threads that decompress. */
  decompressThreads?: number | undefined;
  /** Most threads that decrypt. */
  decryptThreads?: number | undefined;
  /** How many leading components each stored name loses. */
  stripComponents: number;
  /** Allow stored names that begin with `/`. */
  absoluteNames: boolean;
  /** Follow symbolic links inside the target. */
  allowSymlinks: boolean;
  /** Take an input without a single chunk for whole. */
  allowEmpty: boolean;
  /** Whether it must be a finished backup. */
  backup: BackupChoice;
  /** Write nothing; check everything and say what would be written. */
  dryRun: boolean;
  /** Have every file on the disk, not only in its cache, before its name is final. */
  fsync: boolean;
  /** Who gets the files, each when it is whole, and the directories that are made. */
  owner?: Owner | undefined;
  /** After damage go on at the next chunk that makes sense, and give every undamaged file its final name. */
  keepGoing?: boolean | undefined;
  /** After a failure remove this run's own partial files. */
  removePartial: boolean;
  /** Names of digests (as `node:crypto` knows them) of the raw archive bytes. */
  digests: readonly string[];
  /** Where to write `sha256sum -c` lines of the files as written. */
  manifest?: string | undefined;
  /** Most lanes (threads); more than help are not used. */
  parallel?: number | undefined;
}
