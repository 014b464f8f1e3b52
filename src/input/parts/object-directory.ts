/** A directory that holds the objects of a backup, as `aws s3 sync` copies them. */
import * as fs from 'node:fs';
import { resolve } from 'node:path';
import { systemCodeOf, systemError, XbstreamError } from '../../errors.js';
import {
  below,
  inside,
  pathForSystem,
  pathFromText,
  pathText,
  rawPath,
  type StoredPath,
} from '../../format/stored-path.js';
import type { PositionedBytes } from '../positioned.js';
import { openFile } from './file-parts.js';
import { keysOfSums, layOut, objectName, OTHERS_MAX } from './object-layout.js';
import { assertOwn, ObjectsSource, type ReadableObject } from './objects.js';

/**
 * Opens a directory of objects.
 *
 * @returns undefined where none of its files is called as an object is
 * @throws XbstreamError `XB_IO`
 */
export function openObjectDirectory(path: string, isStopped: () => boolean): ObjectsSource | undefined {
  const root = path.replace(/(?<=.)\/+$/, '');
  const objects = objectsIn(pathFromText(root), isStopped);
  if (objects.length === 0) return undefined;
  assertOwn(objects, root);
  return ObjectsSource.of(layOut(objects, expectedBeside(root)), `${root}/`, isStopped);
}

/** An object as a file. */
class FileObject implements ReadableObject {
  readonly key: StoredPath;
  readonly bytes: number;
  readonly #root: StoredPath;

  constructor(root: StoredPath, key: StoredPath, bytes: number) {
    this.#root = root;
    this.key = key;
    this.bytes = bytes;
  }

  open(): PositionedBytes {
    const path = inside(this.#root, this.key);
    return openFile(pathForSystem(path), pathText(path));
  }
}

/**
 * All below a directory that is called as an object is.
 *
 * @throws XbstreamError `XB_IO` also where a link leads to what may be more of it: links are not followed, and a backup would
 *   seem to be whole without that
 */
function objectsIn(root: StoredPath, isStopped: () => boolean): FileObject[] {
  const found: FileObject[] = [];
  const waiting = [rawPath('')];
  let others = 0;
  let passedOver: StoredPath | undefined;
  for (let place = waiting.pop(); place !== undefined && !isStopped(); place = waiting.pop()) {
    const directory = inside(root, place);
    try {
      const entries = fs.readdirSync(pathForSystem(directory), { encoding: 'latin1', withFileTypes: true });
      for (const entry of entries) {
        const key = below(place, rawPath(entry.name));
        if (entry.isDirectory()) waiting.push(rawPath(`${key}/`));
        else if (entry.isFile() && objectName(key) !== undefined) {
          found.push(new FileObject(root, key, fs.lstatSync(pathForSystem(inside(root, key))).size));
        } else {
          others += 1;
          if (objectName(key) !== undefined || leadsToDirectory(entry, inside(root, key))) passedOver ??= key;
        }
      }
      if (found.length === 0 && others > OTHERS_MAX) return [];
    } catch (error) {
      throw systemError(`cannot read the directory ${pathText(directory)}`, error);
    }
  }
  if (passedOver !== undefined && found.length > 0) throw noFile(inside(root, passedOver));
  return found;
}

function leadsToDirectory(entry: fs.Dirent, path: StoredPath): boolean {
  if (!entry.isSymbolicLink()) return false;
  try {
    return fs.statSync(pathForSystem(path), { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    // What cannot be looked at may be one.
    return true;
  }
}

function noFile(path: StoredPath): XbstreamError {
  return new XbstreamError('XB_IO', `${pathText(path)} is no file, and objects that it stands for would be missing`, {
    details: ['symbolic links among the objects of a backup are not followed'],
    hints: ['put there what it leads to, or mount that there (mount --bind)'],
  });
}

/**
 * The objects that `BACKUP.md5` beside the directory names; none where there is no such file. The name of the backup is that of
 * the directory, which may have been given as `.`, or by a link.
 */
function expectedBeside(root: string): StoredPath[] {
  let path: string | Buffer = `${resolve(root)}.md5`;
  try {
    if (!fs.existsSync(path)) path = Buffer.concat([fs.realpathSync(root, 'buffer'), Buffer.from('.md5')]);
    return keysOfSums(fs.readFileSync(path, 'latin1'));
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return [];
    throw systemError(`cannot read ${path.toString()}`, error);
  }
}
