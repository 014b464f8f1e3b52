/**
 * What says where tablespaces lie that are not in the data directory (by `DATA DIRECTORY`, or general ones): `.isl` files,
 * one for each, and `xtrabackup_tablespaces` of MySQL 8, for all of them.
 */
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

/**
 * The directories that `xtrabackup_tablespaces` names. What it says of undo tablespaces holds for the server that was backed up alone.
 *
 * @param text JSON; what is none names none
 */
export function externalDirectories(text: string): string[] {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return [];
  }
  const list = (found as { external_tablespaces?: unknown } | null)?.external_tablespaces;
  if (!Array.isArray(list)) return [];
  return (list as ({ file_name?: unknown; tablespace_type?: unknown } | null)[]).flatMap((entry) => {
    if (typeof entry?.file_name !== 'string' || entry.tablespace_type === 'UNDO_LOG') return [];
    return linkedDirectory(entry.file_name) ?? [];
  });
}
