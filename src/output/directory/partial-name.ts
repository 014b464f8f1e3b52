/** The names of files that are not whole yet. */
import * as fs from 'node:fs';
import { systemCodeOf } from '../../errors.js';
import { below, pathForSystem, rawPath, type StoredPath } from '../../format/stored-path.js';
import type { Directory } from './directory.js';
import { changeName } from './file-calls.js';

/** Most bytes in a file's name on the file systems that databases live on. */
const MAX_NAME_BYTES = 255;

export const PARTIAL_ENDING = '.partial';
const HASH_CHARACTERS = 16;
/** Room that a shortened name leaves for a number before the ending: `.` and five digits. */
const NUMBER_BYTES = 6;

/**
 * The name under which a file grows, beside its final place: `.NAME.partial`.
 *
 * A long NAME is cut, and then carries a hash of the whole, so that two long names do not share a partial one. So does one with a
 * number: NAME may end in one itself.
 *
 * @param name the final name, one character a byte, without directories
 * @param number above 1 for another try when the name is taken: `.NAME~0123456789abcdef.2.partial`
 */
export function partialName(name: StoredPath, number = 1): StoredPath {
  if (number === 1 && 1 + name.length + PARTIAL_ENDING.length <= MAX_NAME_BYTES)
    return rawPath(`.${name}${PARTIAL_ENDING}`);
  const middle = number > 1 ? `.${number}` : '';
  const { createHash } = process.getBuiltinModule('node:crypto');
  const hash = createHash('sha256').update(name, 'latin1').digest('hex').slice(0, HASH_CHARACTERS);
  let kept = MAX_NAME_BYTES - 1 - 1 - HASH_CHARACTERS - NUMBER_BYTES - PARTIAL_ENDING.length;
  // Not in the middle of a UTF-8 character: some file systems take no other names.
  while (kept > 0 && isContinuationByte(name.charCodeAt(kept))) kept -= 1;
  return rawPath(`.${name.slice(0, kept)}~${hash}${middle}${PARTIAL_ENDING}`);
}

/** Whether a file has a name as {@link partialName} makes them, wherever it lies. */
export function isPartialName(path: StoredPath): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return name.startsWith('.') && name.endsWith(PARTIAL_ENDING) && name.length > 1 + PARTIAL_ENDING.length;
}

function isContinuationByte(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/**
 * Gives a file of a directory a free partial name instead of the one it has.
 *
 * @param finalName what the partial name is made of
 * @param number the first to be tried, as in {@link partialName}
 * @returns the name it has now; whoever calls notes it among the directory's names
 * @throws what the system says
 */
export function moveAside(directory: Directory, from: StoredPath, finalName: StoredPath, number: number): StoredPath {
  for (; ; number += 1) {
    const name = partialName(finalName, number);
    if (directory.names.has(name)) continue;
    try {
      const { prefix } = directory;
      changeName(pathForSystem(below(prefix, from)), pathForSystem(below(prefix, name)), false);
    } catch (error) {
      if (systemCodeOf(error) === 'EEXIST') continue;
      throw error;
    }
    directory.names.delete(from);
    directory.changed = true;
    return name;
  }
}

/** The partial names of a file that an earlier run has left. */
export function staleNames(directory: Directory, finalName: StoredPath): StoredPath[] {
  const stale: StoredPath[] = [];
  for (let number = 1; ; number += 1) {
    const name = partialName(finalName, number);
    const state = directory.names.get(name);
    if (state === undefined) return stale;
    if (state === 'before') stale.push(name);
  }
}

/** Takes away partial files of an earlier run, which are superfluous once the file is whole. */
export function removeStale(directory: Directory, names: readonly StoredPath[]): void {
  for (const name of names) {
    // By now a stored file may have that very name.
    if (directory.names.get(name) !== 'before') continue;
    try {
      const path = directory.systemPath(name);
      if (fs.lstatSync(path, { throwIfNoEntry: false })?.isFile() !== true) continue;
      fs.unlinkSync(path);
      directory.names.delete(name);
    } catch {
      // It was another run's, and only in the way: no reason to fail this one.
    }
  }
}
