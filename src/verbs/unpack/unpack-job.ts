/** What the threads are told that read an archive through, to unpack or to verify it. */
import type { BackupFinding } from '../../backup/backup-state.js';
import type { DecryptionKey } from '../../codec/codec.js';
import {
  encryptedAmong,
  keyRequired,
  keyWarning,
  type EncryptedPolicy,
} from '../../engine/decoding/encrypted-files.js';
import type { LaneTotals } from '../../engine/lane.js';
import type { ErrorRecord, XbstreamError } from '../../errors.js';
import type { StoredPath } from '../../format/stored-path.js';
import { work } from '../threads/start.js';
import type { ExtractOptions, VerifyOptions } from './unpack-options.js';

/** What an archive is read through for. */
export type UnpackJob = { verb: 'extract'; options: ExtractOptions } | { verb: 'verify'; options: VerifyOptions };

/** What there is to say when it has ended, well or badly. */
export interface UnpackSummary extends LaneTotals {
  /** How many problems there are; fewer may have been kept. */
  problemCount: number;
  /** Stored names of files that did not become complete though the reading went on; not all, where they are very many. */
  lost: StoredPath[];
  lostCount: number;
  /** The archive ends here, in bytes, in the middle of something, and all that came before was read. */
  cutAt: number | undefined;
  /** Partial files that were left, in the target. */
  partials: StoredPath[];
  digests: Record<string, string>;
  /** What the archive is, by the names of its files, selected or not; undefined where none of it was read. */
  backup: BackupFinding | undefined;
  /** Bytes free in the target's file system; only after a dry run. */
  freeBytes: number | undefined;
  /** What went wrong with what was to be made beside it, and not with the archive. */
  besides: readonly ErrorRecord[];
}

export const UNPACK = work<UnpackJob, UnpackSummary>('unpack');

/** What is undone of layers. */
export interface Undoing {
  decompress: boolean;
  key: DecryptionKey | undefined;
}

export function undoingOf(job: UnpackJob): Undoing {
  const { key } = job.options;
  if (job.verb === 'extract') return { decompress: job.options.decompress, key };
  return { decompress: job.options.deep, key: job.options.deep ? key : undefined };
}

/** Whether anything is. */
export function decodes({ decompress, key }: Undoing): boolean {
  return decompress || key !== undefined;
}

/** What comes of files that cannot be decrypted, where they should be looked into. */
export const NOT_LOOKED_AT = 'what is inside was not looked at';

/** What it means that files stay as they are stored, though decoding was asked for. */
export function encryptedPolicyOf({ options, verb }: UnpackJob): EncryptedPolicy {
  if (options.allowEncrypted) return 'allow';
  return verb === 'extract' && options.asXbstream === true ? 'warn' : 'refuse';
}

/**
 * Files that stay as they are stored, though decoding was asked for.
 *
 * @param policy what that means
 * @param consequence what comes of it, as the end of a sentence
 * @returns the error, where it is one; a warning is told
 */
export function leftEncrypted(
  files: Iterable<{ path: StoredPath; sizeBytes: number }>,
  { decompress, key }: { decompress: boolean; key?: DecryptionKey | undefined },
  policy: EncryptedPolicy,
  consequence: string,
  thread: { warning(message: string): void },
): XbstreamError[] {
  if (!decompress || key !== undefined || policy === 'allow') return [];
  const found = encryptedAmong(files);
  if (found === undefined) return [];
  if (policy === 'refuse') return [keyRequired(found, consequence)];
  thread.warning(keyWarning(found, consequence));
  return [];
}
