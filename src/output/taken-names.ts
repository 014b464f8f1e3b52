import { DirectoryNames } from '../format/directory-names.js';
import { pathText, type StoredPath } from '../format/stored-path.js';

/** The names that the files of an archive have taken: no two the same, and no file where a directory must be. */
export class TakenNames {
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
