import { pathText, type StoredPath } from '../format/stored-path.js';

/** The names that the files of an archive have taken: no two the same, and no file where a directory must be. */
export class TakenNames {
  readonly #files = new Set<StoredPath>();
  readonly #directories = new Set<StoredPath>();

  /** @returns why a file cannot have this name; undefined when it has it now */
  take(path: StoredPath): string | undefined {
    if (this.#files.has(path)) return takenTwice(path);
    if (this.#directories.has(path)) return `${pathText(path)} would be a file and a directory`;
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const directory = path.slice(0, slash);
      if (this.#directories.has(directory)) break;
      if (this.#files.has(directory)) return `${pathText(path)} would lie in a directory that is a file`;
      this.#directories.add(directory);
    }
    this.#files.add(path);
    return undefined;
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
