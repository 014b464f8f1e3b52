import { pathText, type StoredPath } from './stored-path.js';

/** The directories that the paths of files need: no file can have the name of one, nor lie below another file. */
export class DirectoryNames {
  readonly #names = new Set<StoredPath>();

  /**
   * Notes the directories above a file.
   *
   * @param isFile whether a file has a name
   * @returns why there can be no such file; undefined when there can
   */
  take(path: StoredPath, isFile: (path: StoredPath) => boolean): string | undefined {
    if (this.#names.has(path)) return `${pathText(path)} would be a file and a directory`;
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const directory = path.slice(0, slash);
      if (this.#names.has(directory)) break;
      if (isFile(directory)) return `${pathText(path)} would lie in a directory that is a file`;
      this.#names.add(directory);
    }
    return undefined;
  }
}
