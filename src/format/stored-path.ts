/**
 * A path as an archive stores it: one character (U+0000 to U+00FF) for each byte, since the format does not promise UTF-8
 * and two names that differ in a byte are two files. {@link pathText} gives the best reading.
 */
export type StoredPath = string & { readonly [stored]: true };
declare const stored: unique symbol;

/** What was read as Latin-1, or put together of stored paths and ASCII: the characters are the bytes of a path already. */
export const rawPath = (characters: string): StoredPath => characters as StoredPath;

/** What is called `name` in `directory`; that may be empty, where paths begin. */
export const inside = (directory: StoredPath, name: StoredPath): StoredPath =>
  directory === '' ? name : rawPath(`${directory}/${name}`);

/** What a name is called whose directory is known, with the slash at its end. */
export const below = (directory: StoredPath, name: StoredPath): StoredPath => rawPath(directory + name);

/** A well-formed chunk says at most this many bytes for a path (format.md, "Chunk"). */
export const MAX_PATH_BYTES = 511;

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
// eslint-disable-next-line no-control-regex
const ASCII = /^[\x00-\x7f]*$/;

/** The best reading of a stored path: UTF-8, with U+FFFD where the bytes are none. For messages, never for a file's name. */
export function pathText(path: StoredPath): string {
  return ASCII.test(path) ? path : utf8.decode(pathBytes(path));
}

/** The bytes of a stored path. */
export function pathBytes(path: StoredPath): Buffer {
  return Buffer.from(path, 'latin1');
}

/** A stored path in the form `node:fs` takes: a string where that is the same bytes, else the bytes themselves. */
export function pathForSystem(path: StoredPath): string | Buffer {
  return ASCII.test(path) ? path : pathBytes(path);
}

/** Turns a name that came from the system or a user (text) into the form of stored paths. */
export function pathFromText(text: string): StoredPath {
  return rawPath(ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1'));
}

/** Whether the bytes of a path are valid UTF-8, so that {@link pathText} loses nothing. */
export function isUtf8(path: StoredPath): boolean {
  if (ASCII.test(path)) return true;
  try {
    strictUtf8.decode(pathBytes(path));
    return true;
  } catch {
    return false;
  }
}
