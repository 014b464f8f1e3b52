import { allLayersOf } from '../../codec/stored-layers.js';
import { XbstreamError } from '../../errors.js';
import { pathText, type StoredPath } from '../../format/stored-path.js';

/** What files come to that stay encrypted though decoding was asked for, since there is no key. */
export type EncryptedPolicy =
  /** `XB_KEY_REQUIRED` */
  | 'refuse'
  /** A warning. */
  | 'warn'
  /** No word of it. */
  | 'allow';

/** Files that are encrypted. */
export interface EncryptedFiles {
  count: number;
  first: StoredPath;
}

/** The files that are encrypted, where there are any. What is empty is not: there is nothing in it. */
export function encryptedAmong(files: Iterable<{ path: StoredPath; sizeBytes: number }>): EncryptedFiles | undefined {
  let found: EncryptedFiles | undefined;
  for (const { path, sizeBytes } of files) {
    if (sizeBytes === 0 || !allLayersOf(path).includes('xbcrypt')) continue;
    if (found === undefined) found = { count: 1, first: path };
    else found.count += 1;
  }
  return found;
}

/** What else can be done, for those who name files by what they are decoded. */
export const TAKE_RAW = 'or take what is stored as it is: --raw';

const TAKE_ENCRYPTED = 'or take what is encrypted as it is: --allow-encrypted';
const GIVE_KEY = 'give the key: --encrypt-key-file=FILE, or the variable XBCRYPT_ENCRYPTION_KEY';

/**
 * The error for files that there is no key for.
 *
 * @param consequence what comes of it, as the end of a sentence
 * @param otherwise what can be done without a key
 */
export function keyRequired(
  { count, first }: EncryptedFiles,
  consequence: string,
  otherwise: string = TAKE_ENCRYPTED,
): XbstreamError {
  const isOne = count === 1;
  const what = isOne ? `${pathText(first)} is encrypted` : `${count} files are encrypted`;
  return new XbstreamError('XB_KEY_REQUIRED', `${what}, and no key was given: ${consequence}`, {
    path: isOne ? first : undefined,
    details: isOne ? [] : [`the first of them is ${pathText(first)}`],
    hints: [GIVE_KEY, otherwise],
  });
}

/** The same for people who asked as they ask xbstream, which takes it for no failure. */
export function keyWarning(found: EncryptedFiles, consequence: string): string {
  const { message, details } = keyRequired(found, consequence);
  return [message, ...details, GIVE_KEY].join('; ');
}
