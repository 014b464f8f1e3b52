/** `.isl` files: each says where a tablespace lies that is not in the data directory (by `DATA DIRECTORY`). */
import { dirname } from 'node:path';

/** As long as a path can be. */
const MAX_PATH_BYTES = 4096;

/**
 * The directory that a link names.
 *
 * @param text what is in it: the absolute path of a tablespace
 * @returns undefined where that is no such path
 */
export function linkedDirectory(text: string): string | undefined {
  const path = text.trimEnd();
  const isPath = path.startsWith('/') && path.length <= MAX_PATH_BYTES && !/[\0\n]/.test(path);
  return isPath ? dirname(path) : undefined;
}
