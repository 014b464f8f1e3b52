/**
 * How xbcloud lays out a backup in an object store: each chunk is an object by itself, `BACKUP/db/t.ibd.00000000000000000000`. What
 * stands behind the stored name counts the chunks of that file from 0 on, in 20 digits; the last of them is its end chunk. With
 * `xbcloud put --md5` there is also `BACKUP.md5`: a line for each object, its MD5 in hex, two spaces, its name below `BACKUP/`.
 */
import { pathText, type StoredPath, rawPath } from '../../format/stored-path.js';

const OBJECT = /^(.+)\.(\d{20})$/s;
const DIGITS = 20;

/** An object of a backup. */
export interface StoredObject {
  /** Its name below the backup, one character a byte. */
  readonly key: StoredPath;
  readonly bytes: number;
}

/** What a backup's objects come to. */
export interface ObjectLayout<Found extends StoredObject> {
  /** Those that make the archive, in its order. What comes behind a missing one of the same file is left out: so the file has no end. */
  objects: readonly Found[];
  /** Of each file of which any is known to be missing, the first that is. */
  missing: ReadonlyMap<StoredPath, StoredPath>;
  /** The object that would follow the last one of a file: where that is no end chunk, this one is missing. */
  nextOf: (path: StoredPath) => StoredPath | undefined;
}

/** The most other files before the first one that is named like an object: a directory with more is no directory of objects. */
export const OTHERS_MAX = 1000;

/** A name as that of a chunk of a stored file; undefined for what is no such object. */
export function objectName(key: string): { path: StoredPath; number: bigint } | undefined {
  const [, path, digits] = OBJECT.exec(key) ?? [];
  return path === undefined || digits === undefined ? undefined : { path: rawPath(path), number: BigInt(digits) };
}

function keyOf(path: StoredPath, number: number): StoredPath {
  return rawPath(`${path}.${String(number).padStart(DIGITS, '0')}`);
}

/** The objects that a `BACKUP.md5` names. */
export function keysOfSums(text: string): StoredPath[] {
  const keys: StoredPath[] = [];
  // Not all lines at once: a file of nothing but their ends would have more than there is memory for.
  for (let at = 0; at < text.length;) {
    const end = text.indexOf('\n', at);
    const line = text.slice(at, end === -1 ? text.length : end);
    const key = /^[0-9a-fA-F]{32} [ *](.+?)\r?$/.exec(line)?.[1];
    if (key !== undefined) keys.push(rawPath(key));
    at += line.length + 1;
  }
  return keys;
}

/**
 * Puts objects in order: file by file, by their names; in each by number.
 *
 * @param found whatever lies there; what is no object of xbcloud's is passed over
 * @param expected names of objects that there must be, as far as that is known
 */
export function layOut<Found extends StoredObject>(
  found: Iterable<Found>,
  expected: readonly StoredPath[] = [],
): ObjectLayout<Found> {
  const files = new Map<StoredPath, { number: bigint; object: Found }[]>();
  for (const object of found) {
    const name = objectName(object.key);
    if (name === undefined) continue;
    const file = files.get(name.path) ?? [];
    if (file.length === 0) files.set(name.path, file);
    // No chunk is empty: what is was cut off whole.
    if (object.bytes > 0) file.push({ number: name.number, object });
  }
  const counts = new Map<StoredPath, number>();
  for (const key of expected) {
    const name = objectName(key);
    if (name === undefined) continue;
    if (!files.has(name.path)) files.set(name.path, []);
    const count = Number(name.number) + 1;
    if (Number.isSafeInteger(count)) counts.set(name.path, Math.max(count, counts.get(name.path) ?? 0));
  }
  const objects: Found[] = [];
  const missing = new Map<StoredPath, StoredPath>();
  const lengths = new Map<StoredPath, number>();
  for (const path of [...files.keys()].sort()) {
    const file = files.get(path)!.sort((a, b) => (a.number < b.number ? -1 : 1));
    const gap = file.findIndex(({ number }, index) => number !== BigInt(index));
    const length = gap === -1 ? file.length : gap;
    for (const { object } of file.slice(0, length)) objects.push(object);
    if (gap !== -1 || length === 0 || length < (counts.get(path) ?? 0)) missing.set(path, keyOf(path, length));
    lengths.set(path, length);
  }
  const nextOf = (path: StoredPath): StoredPath | undefined => {
    const length = lengths.get(path);
    return length === undefined ? undefined : keyOf(path, length);
  };
  return { objects, missing, nextOf };
}

/** What to say of a file that objects are missing of. */
export function missingText(key: StoredPath): string {
  return `the object ${pathText(key)} is missing, or empty`;
}
