import { XbstreamError } from '../errors.js';
import { pathText, type StoredPath } from './stored-path.js';

/** No server has so many databases. Without a limit a few MB of archive could name more directories than memory holds. */
const NAMES_MAX = 250_000;

/** The directories that the paths of files need: no file can have the name of one, nor lie below another file. */
export class DirectoryNames {
  readonly #names = new Set<StoredPath>();

  has(path: StoredPath): boolean {
    return this.#names.has(path);
  }

  /**
   * Notes the directories above a file.
   *
   * @param isFile whether a file has a name
   * @returns why there can be no such file; undefined when there can
   * @throws XbstreamError `XB_UNSAFE_PATH` where it would be too many
   */
  take(path: StoredPath, isFile: (path: StoredPath) => boolean): string | undefined {
    if (this.#names.has(path)) return `${pathText(path)} would be a file and a directory`;
    const needed: StoredPath[] = [];
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const directory = path.slice(0, slash);
      if (this.#names.has(directory)) break;
      if (isFile(directory)) return `${pathText(path)} would lie in a directory that is a file`;
      if (this.#names.size + needed.length === NAMES_MAX) {
        throw new XbstreamError('XB_UNSAFE_PATH', `${pathText(path)} would need more directories than a backup has`, {
          path,
          details: [`${NAMES_MAX} are supported`],
        });
      }
      needed.push(directory);
    }
    for (const directory of needed) this.#names.add(directory);
    return undefined;
  }
}
