/** Which names damage may have made of others. */
import type { StoredPath } from '../../format/stored-path.js';

const PLAIN_NAME = /^[\x20-\x7e]+$/;

/** Whether a name is as backup programs write them; bytes that are there by chance are seldom like that. */
export function isPlain(path: StoredPath): boolean {
  return PLAIN_NAME.test(path);
}

/** Whether one name may have become the other by damage that left the chunk readable: no more than one bit differs. */
export function isClose(a: StoredPath, b: StoredPath): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let at = 0; at < a.length; at += 1) {
    const bits = a.charCodeAt(at) ^ b.charCodeAt(at);
    if (bits === 0) continue;
    if (difference !== 0 || (bits & (bits - 1)) !== 0) return false;
    difference = bits;
  }
  return true;
}

/** Whether a name may be what damage has made of another: it is close to it, or like no name that a backup has. */
export function mayHaveBeen(path: StoredPath, other: StoredPath): boolean {
  return isClose(path, other) || (path.length === other.length && !isPlain(path));
}
