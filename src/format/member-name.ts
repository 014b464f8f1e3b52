/** The names that files get in an archive that is made. */
import { XbstreamError } from '../errors.js';
import { DirectoryNames } from './file-names.js';
import { MAX_PATH_BYTES, pathText, rawPath, type StoredPath } from './stored-path.js';

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
  const removed = rawPath(/^(?:.*\/)?\.\.(?:\/+|$)|^\/+/s.exec(path)?.[0] ?? '');
  return { name: rawPath(path.slice(removed.length)), removed };
}

/** The one plain form of a name: no `.` components, no repeated slashes. */
export function plainName(name: StoredPath): StoredPath {
  const absolute = name.startsWith('/') ? '/' : '';
  const components = name.split('/').filter((component) => component !== '' && component !== '.');
  return rawPath(absolute + components.join('/'));
}

/** @throws XbstreamError `XB_IO` for a name that no archive can hold */
function checkName(name: StoredPath, path: StoredPath): void {
  if (name.includes('\0')) {
    throw new XbstreamError('XB_IO', `a name with a NUL byte cannot be in an archive: ${pathText(path)}`, { path });
  }
  if (plainName(name) === '' || plainName(name) === '/') {
    throw new XbstreamError('XB_IO', `nothing is left of the name ${pathText(path)} for the archive`, { path });
  }
  if (name.length <= MAX_PATH_BYTES) return;
  throw new XbstreamError('XB_IO', `the name is too long for the format: ${pathText(path)}`, {
    path,
    details: [`it has ${name.length} bytes, ${MAX_PATH_BYTES} are possible`],
    hints: ['begin further down: tsxbstream create -C DIR ...'],
  });
}

export interface MemberNamesOptions {
  /** Cut nothing off. */
  absoluteNames: boolean;
  /** Give every name its plain form. */
  plain: boolean;
  /** Told, once for each, what is cut off. */
  onWarning: (message: string) => void;
}

/** The names of the files of a new archive, each of which is there once. */
export class MemberNames {
  readonly #options: MemberNamesOptions;
  readonly #taken = new Set<StoredPath>();
  readonly #directories = new DirectoryNames();
  readonly #removed = new Set<StoredPath>();

  constructor(options: MemberNamesOptions) {
    this.#options = options;
  }

  /**
   * The name of the next file.
   *
   * @param path as the user gave it
   * @param twice makes the error for a name that another file has, in its plain form
   * @throws XbstreamError `XB_IO` for a name that no archive can hold, `XB_TARGET_EXISTS` where a file would lie below
   *   another, and what `twice` makes
   */
  take(path: StoredPath, twice: (name: StoredPath) => XbstreamError): StoredPath {
    const { absoluteNames, plain } = this.#options;
    const { name: cut, removed } = absoluteNames ? { name: path, removed: rawPath('') } : memberName(path);
    if (removed !== '' && !this.#removed.has(removed)) {
      this.#removed.add(removed);
      this.#options.onWarning(`Removing leading \`${pathText(removed)}' from member names`);
    }
    const plainForm = plainName(cut);
    const name = plain ? plainForm : cut;
    checkName(name, path);
    if (this.#taken.has(plainForm)) throw twice(plainForm);
    const clash = this.#directories.take(plainForm, (directory) => this.#taken.has(directory));
    if (clash !== undefined) throw new XbstreamError('XB_TARGET_EXISTS', clash, { path: plainForm });
    this.#taken.add(plainForm);
    return name;
  }
}
