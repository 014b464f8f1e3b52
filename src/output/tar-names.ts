import { XbstreamError } from '../errors.js';
import { pathText, type StoredPath } from '../format/stored-path.js';

/** The names in a tar: they must be such that it can be unpacked. */
export class TarNames {
  readonly #files = new Set<StoredPath>();
  readonly #directories = new Set<StoredPath>();

  /** @throws XbstreamError `XB_TARGET_EXISTS` for two files of one name, or a file where a directory must be */
  take(path: StoredPath): void {
    if (this.#files.has(path)) throw taken(path, 'would be in it twice');
    if (this.#directories.has(path)) throw taken(path, 'is a file and a directory');
    this.#files.add(path);
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const directory = path.slice(0, slash);
      if (this.#directories.has(directory)) break;
      if (this.#files.has(directory)) throw taken(path, 'lies in a directory that is a file, too');
      this.#directories.add(directory);
    }
  }
}

function taken(path: StoredPath, how: string): XbstreamError {
  return new XbstreamError('XB_TARGET_EXISTS', `the tar could not be unpacked: ${pathText(path)} ${how}`, { path });
}
