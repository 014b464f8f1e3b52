import { systemCodeOf } from '../../errors.js';
import { pathForSystem, type StoredPath } from '../../format/stored-path.js';
import type { Directory } from './directory.js';
import { changeName } from './file-calls.js';
import { partialName } from './partial-name.js';

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
      changeName(pathForSystem(prefix + from), pathForSystem(prefix + name), false);
    } catch (error) {
      if (systemCodeOf(error) === 'EEXIST') continue;
      throw error;
    }
    directory.names.delete(from);
    directory.changed = true;
    return name;
  }
}
