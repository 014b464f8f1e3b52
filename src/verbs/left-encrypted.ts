import type { DecryptionKey } from '../codec/codec.js';
import { encryptedAmong, keyRequired, keyWarning, type EncryptedPolicy } from '../engine/encrypted-files.js';
import type { XbstreamError } from '../errors.js';
import type { StoredPath } from '../format/stored-path.js';

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
