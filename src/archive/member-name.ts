import type { StoredPath } from '../format/stored-path.js';

/** The name that a file gets in an archive. */
export interface MemberName {
  name: StoredPath;
  /** What was cut off before it; empty mostly. */
  removed: StoredPath;
}

/**
 * The name of a file in an archive, as Percona's xbstream makes it: everything up to the last component `..` is cut off, and
 * slashes at the beginning, so that no archive asks to be unpacked elsewhere than where its reader wants it.
 *
 * @param path as the user gave it
 */
export function memberName(path: StoredPath): MemberName {
  // As far as the last `..` that is a whole component, and the slashes after it.
  const removed = /^(?:.*\/)?\.\.(?:\/+|$)|^\/+/s.exec(path)?.[0] ?? '';
  return { name: path.slice(removed.length), removed };
}

/** The one plain form of a name: no `.` components, no repeated slashes. */
export function plainName(name: StoredPath): StoredPath {
  const absolute = name.startsWith('/') ? '/' : '';
  return (
    absolute +
    name
      .split('/')
      .filter((component) => component !== '' && component !== '.')
      .join('/')
  );
}
