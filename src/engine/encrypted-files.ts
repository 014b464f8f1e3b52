import { allLayersOf } from '../codec/stored-layers.js';
import { XbstreamError } from '../errors.js';
import { pathText } from '../format/stored-path.js';
import type { OutputFile } from '../output/output.js';

/** The error for files that could not be looked into since no key was given, where there are any. */
export function encryptedFiles(files: Iterable<OutputFile>): XbstreamError[] {
  let count = 0;
  let first: string | undefined;
  for (const { path, sizeBytes } of files) {
    if (sizeBytes === 0 || !allLayersOf(path).includes('xbcrypt')) continue;
    count += 1;
    first ??= path;
  }
  if (first === undefined) return [];
  const what = count === 1 ? `${pathText(first)} is encrypted` : `${count} files are encrypted`;
  return [
    new XbstreamError('XB_KEY_REQUIRED', `${what} and no key was given: what is inside was not looked at`, {
      path: count === 1 ? first : undefined,
      details: count === 1 ? [] : [`the first of them is ${pathText(first)}`],
      hints: ['give the key: --decrypt=AES256 --encrypt-key-file=FILE', 'or leave out --deep'],
    }),
  ];
}
