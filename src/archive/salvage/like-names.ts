/** Which names damage may have made of others. */
import type { StoredPath } from '../../format/stored-path.js';

const PLAIN_NAME = /^[\x20-\x7e]+$/;
// eslint-disable-next-line no-control-regex -- it is these that are looked for
const CONTROL = /[\x00-\x1f\x7f]/;

/** Whether a name is as backup programs write them; bytes that are there by chance are seldom like that. */
export function isPlain(path: StoredPath): boolean {
  return PLAIN_NAME.test(path);
}

/** Whether a name holds control characters, as no backup program, and hardly anybody, writes them. */
export function isWorn(path: StoredPath): boolean {
  return CONTROL.test(path);
}

/**
 * Whether damage that left a chunk readable may have made one name of another: no more than one byte differs; bytes that no
 * backup program writes tell nothing of what stood there.
 *
 * @param path as it was found
 * @param other as it may have been
 */
export function mayHaveBeen(path: StoredPath, other: StoredPath): boolean {
  if (path.length !== other.length) return false;
  let different = 0;
  let unlikely = 0;
  for (let at = 0; at < path.length; at += 1) {
    const byte = path.charCodeAt(at);
    if (byte === other.charCodeAt(at)) continue;
    if (byte < 0x20 || byte > 0x7e) unlikely += 1;
    else if ((different += 1) > 1) return false;
  }
  return different === 0 || (different === 1 && unlikely !== 1);
}

/**
 * Whether damage of several bytes may have made one name of another: at least as many of those that differ as not are bytes that no backup
 * program writes.
 *
 * @param path as it was found
 * @param other as it may have been
 */
export function mayBeWorn(path: StoredPath, other: StoredPath): boolean {
  if (path.length !== other.length) return false;
  let unlikely = 0;
  let different = 0;
  for (let at = 0; at < path.length; at += 1) {
    if (path[at] === other[at]) continue;
    if (isPlain(path[at] as StoredPath)) different += 1;
    else unlikely += 1;
  }
  return unlikely > 0 && different <= unlikely;
}

/** Whether bytes in a row were left out of one name, so that the other was left. */
export function areCut(path: StoredPath, longer: StoredPath): boolean {
  const missing = longer.length - path.length;
  if (missing <= 0) return false;
  let same = 0;
  while (same < path.length && path[same] === longer[same]) same += 1;
  return longer.endsWith(path.slice(same));
}

/**
 * Whether bytes in a row were put into a name, whose length said as much as before: its last ones are no part of it any more. Behind those
 * that were put in as many must be left to tell.
 *
 * @param path as it was found
 * @param other as it may have been
 */
export function isShifted(path: StoredPath, other: StoredPath): boolean {
  if (path.length !== other.length) return false;
  let same = 0;
  while (same < path.length && path[same] === other[same]) same += 1;
  for (let at = same + 1; at - same <= path.length - at; at += 1) {
    if (other.startsWith(path.slice(at), same)) return true;
  }
  return false;
}

/** Whether damage may have made either name of the other. */
export function areLike(path: StoredPath, other: StoredPath): boolean {
  return mayHaveBeen(path, other) || mayHaveBeen(other, path);
}
