import type { DecryptionKey } from '../../codec/codec.js';
import {
  encryptedAmong,
  keyRequired,
  keyWarning,
  type EncryptedPolicy,
} from '../../engine/decoding/encrypted-files.js';
import type { XbstreamError } from '../../errors.js';
import type { StoredPath } from '../../format/stored-path.js';
import type { ExtractOptions } from '../extract.js';
import type { VerifyOptions } from '../verify.js';

/** What an archive is read through for. */
export type UnpackJob = { verb: 'extract'; options: ExtractOptions } | { verb: 'verify'; options: VerifyOptions };

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
