/** The names that the files of an archive have taken: no two the same, and no file where a directory must be. */
import { XbstreamError } from '../errors.js';
import { pathText, rawPath, type StoredPath } from './stored-path.js';

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
      const directory = rawPath(path.slice(0, slash));
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

export class FileNames {
  readonly #files = new Set<StoredPath>();
  readonly #directories = new DirectoryNames();

  /** @returns why a file cannot have this name; undefined when it has it now */
  take(path: StoredPath): string | undefined {
    if (this.#files.has(path)) return takenTwice(path);
    const clash = this.#directories.take(path, (directory) => this.#files.has(directory));
    if (clash === undefined) this.#files.add(path);
    return clash;
  }

  /** Whether a file has this name, or lies below it. */
  has(path: StoredPath): boolean {
    return this.#files.has(path) || this.#directories.has(path);
  }

  /** A file does not have this name any more. Directories stay. */
  free(path: StoredPath): void {
    this.#files.delete(path);
  }
}

/** Why a file cannot have a name that another has. */
export function takenTwice(path: StoredPath): string {
  return `two files of the archive would get the name ${pathText(path)}`;
}
