import { XbstreamError } from '../errors.js';
import { pathText, rawPath, type StoredPath } from './stored-path.js';

/**
 * Checks a stored path and brings it into its one plain form: `./a` and `a//b` are `a` and `a/b` (format.md, section 7).
 *
 * @param raw the path's bytes as they stand in the chunk
 * @param archiveOffset position of the chunk in the archive, in bytes; only for messages
 * @param absoluteNames whether a leading `/` is allowed; the result then keeps one
 * @throws XbstreamError `XB_UNSAFE_PATH` for an empty path, a NUL byte, a `..` component, a path that can only name a
 *   directory, and an absolute one where those are not allowed
 */
export function normalizePath(raw: StoredPath, archiveOffset: number, absoluteNames: boolean): StoredPath {
  // Nearly every path of a real archive is plain already; this one test spares them the rest.
  if (/^[^/.\0][^/\0]*(?:\/[^/.\0][^/\0]*)*$/.test(raw)) return raw;

  const unsafe = (what: string, hints: readonly string[] = []): XbstreamError =>
    new XbstreamError('XB_UNSAFE_PATH', `unsafe path in the archive: ${what}`, {
      path: raw,
      archiveOffset,
      details: [`the stored path is "${pathText(raw)}"`],
      hints,
    });

  if (raw.includes('\0')) throw unsafe('it contains a NUL byte');
  const absolute = raw.startsWith('/');
  if (absolute && !absoluteNames) {
    const name = `/${raw.split('/').filter(isComponent).join('/')}`;
    throw unsafe('it is absolute', [
      // A name with quotes or worse in it is nobody's own; it must not become a command line.
      `to leave it out: add --exclude ${/^[\w./@%+=,#-]+$/.test(name) ? name : 'with a pattern that matches it'}`,
      'if this archive may write there: add -P (--absolute-names)',
    ]);
  }
  const components = raw.split('/').filter(isComponent);
  if (components.includes('..')) throw unsafe('it climbs out of a directory with ".."');
  if (components.length === 0) throw unsafe('it names no file');
  if (/\/\.?$/.test(raw)) throw unsafe('it names a directory, not a file');
  return rawPath((absolute ? '/' : '') + components.join('/'));
}

/** Whether a part of a path, between slashes, says anything. */
export function isComponent(component: string): boolean {
  return component !== '' && component !== '.';
}
