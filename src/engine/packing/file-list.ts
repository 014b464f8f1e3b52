/**
 * The files that go into an archive, found before the first is read: what cannot be stored is known before anything is
 * written.
 */
import * as fs from 'node:fs';
import { systemError, XbstreamError } from '../../errors.js';
import { MemberNames, plainName } from '../../format/member-name.js';
import { shellWord } from '../../format/shell-word.js';
import {
  below,
  inside,
  pathForSystem,
  pathFromText,
  pathText,
  rawPath,
  type StoredPath,
} from '../../format/stored-path.js';
import { isPartialName } from '../../output/directory/partial-name.js';
import type { FileIdentity } from '../../output/file-identity.js';

/** A file that is to go into an archive. */
export interface ListedFile {
  /** Where it lies. */
  path: StoredPath;
  /** What it is called in the archive. */
  name: StoredPath;
  /** Which file was found there: whoever may write to a directory may put a link in its place. */
  identity: FileIdentity;
}

export interface FileListOptions {
  /** What relative paths are relative to. */
  directory: string;
  recurse: boolean;
  absoluteNames: boolean;
  /** The path of a file that the archive takes the place of: it is no part of it. */
  replaced: string | undefined;
  onWarning: (message: string) => void;
}

export class FileList {
  readonly files: ListedFile[] = [];
  readonly #options: FileListOptions;
  readonly #base: StoredPath;
  readonly #names: MemberNames;
  readonly #replaced: { dev: number; ino: number; path: string } | undefined;

  constructor(options: FileListOptions) {
    this.#options = options;
    const { absoluteNames, recurse, onWarning } = options;
    this.#names = new MemberNames({ absoluteNames, plain: recurse, onWarning });
    this.#replaced = options.replaced === undefined ? undefined : fileAt(options.replaced);
    const base = pathFromText(options.directory);
    this.#base = rawPath(base === '.' ? '' : base.endsWith('/') ? base : `${base}/`);
  }

  /**
   * Adds a file, or a directory with all that is in it, its files in the order of their names' bytes.
   *
   * @param path as the user gave it
   * @throws XbstreamError `XB_IO`
   */
  add(path: StoredPath): void {
    const { recurse } = this.#options;
    const place = path.startsWith('/') ? path : below(this.#base, path);
    let stat: fs.Stats;
    try {
      stat = fs.statSync(pathForSystem(place));
    } catch (error) {
      throw systemError(`cannot read ${pathText(path)}`, error);
    }
    if (stat.isFile()) this.#file(place, path, stat);
    else if (stat.isDirectory() && recurse) this.#directory(place, path);
    else throw unstorable(path, stat, recurse);
  }

  #directory(place: StoredPath, path: StoredPath): void {
    const found: { name: StoredPath; stat: fs.Stats }[] = [];
    const visit = (within: StoredPath): void => {
      let listed: fs.Dirent[];
      try {
        const directory = within === '' ? place : inside(place, within);
        listed = fs.readdirSync(pathForSystem(directory), { encoding: 'latin1', withFileTypes: true });
      } catch (error) {
        throw systemError(`cannot read the directory ${pathText(inside(path, within))}`, error);
      }
      if (listed.length === 0) {
        this.#warn(
          `the empty directory ${pathText(plainName(rawPath(`${path}/${within}`)))} is not stored: an archive holds files only`,
        );
      }
      for (const entry of listed) {
        const name = inside(within, rawPath(entry.name));
        if (entry.isDirectory()) visit(name);
        else if (entry.isFile()) found.push({ name, stat: this.#look(inside(place, name), inside(path, name)) });
        else if (entry.isSocket()) this.#warn(`the socket ${pathText(inside(path, name))} is not stored`);
        else throw unstorable(inside(path, name), entry, true);
      }
    };
    visit(rawPath(''));
    // One character a byte: this is the order of the bytes.
    found.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const { name, stat } of found) {
      if (isPartialName(name)) {
        this.#warn(
          `${pathText(inside(path, name))} is stored, though by its name an extraction has left it unfinished`,
        );
      }
      this.#file(inside(place, name), inside(path, name), stat);
    }
  }

  /** What a directory said is a file may be a link by now. */
  #look(place: StoredPath, path: StoredPath): fs.Stats {
    let stat: fs.Stats;
    try {
      stat = fs.lstatSync(pathForSystem(place));
    } catch (error) {
      throw systemError(`cannot read ${pathText(path)}`, error);
    }
    if (!stat.isFile()) throw unstorable(path, stat, true);
    return stat;
  }

  #file(place: StoredPath, path: StoredPath, { dev, ino, size, ctimeMs }: FileIdentity): void {
    if (this.#isReplaced(place, dev, ino)) {
      this.#warn(`${pathText(path)} is not stored: the archive takes its place`);
      return;
    }
    const name = this.#names.take(
      path,
      (plain) =>
        new XbstreamError('XB_IO', `two files would get the name ${pathText(plain)} in the archive`, {
          path: plain,
          details: [`the second of them is ${pathText(path)}`],
        }),
    );
    this.files.push({ path: place, name, identity: { dev, ino, size, ctimeMs } });
  }

  #isReplaced(place: StoredPath, dev: number, ino: number): boolean {
    const replaced = this.#replaced;
    if (replaced === undefined || replaced.dev !== dev || replaced.ino !== ino) return false;
    // Another hard link to it stays what it is.
    return replaced.path === fs.realpathSync.native(pathForSystem(place), 'buffer').toString('latin1');
  }

  #warn(message: string): void {
    this.#options.onWarning(message);
  }
}

/** @returns undefined where there is none, or it cannot be looked at: opening it says why */
function fileAt(path: string): { dev: number; ino: number; path: string } | undefined {
  try {
    const { dev, ino } = fs.statSync(path);
    return { dev, ino, path: fs.realpathSync.native(path, 'buffer').toString('latin1') };
  } catch {
    return undefined;
  }
}

type FileKind = Pick<fs.Stats, 'isDirectory' | 'isSymbolicLink' | 'isFIFO'>;

function unstorable(path: StoredPath, kind: FileKind, recurse: boolean): XbstreamError {
  const isDirectory = kind.isDirectory();
  const what = isDirectory
    ? 'a directory'
    : kind.isSymbolicLink()
      ? 'a symbolic link'
      : kind.isFIFO()
        ? 'a named pipe'
        : 'neither file nor directory';
  const hints = kind.isSymbolicLink()
    ? ['to store the file it points to, name it: tsxbstream create FILE...']
    : isDirectory && !recurse
      ? [`to store all that is in it: tsxbstream create ${shellWord(pathText(path))}`]
      : [];
  return new XbstreamError('XB_IO', `${pathText(path)} is ${what}, not a regular file: it cannot be stored`, {
    path,
    hints,
  });
}
