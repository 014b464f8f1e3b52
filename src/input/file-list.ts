import * as fs from 'node:fs';
import { memberName, plainName } from '../archive/member-name.js';
import { systemError, XbstreamError } from '../errors.js';
import { MAX_PATH_BYTES, pathForSystem, pathFromText, pathText, type StoredPath } from '../format/stored-path.js';

/** A file that is to go into an archive. */
export interface ListedFile {
  /** Where it lies. */
  path: StoredPath;
  /** What it is called in the archive. */
  name: StoredPath;
}

export interface FileListOptions {
  /** What relative paths are relative to. */
  directory: string;
  recurse: boolean;
  absoluteNames: boolean;
  onWarning: (message: string) => void;
}

/**
 * The files that go into an archive, found before the first is read: what cannot be stored is known before anything is
 * written.
 */
export class FileList {
  readonly files: ListedFile[] = [];
  readonly #options: FileListOptions;
  readonly #base: StoredPath;
  readonly #names = new Set<StoredPath>();
  readonly #removed = new Set<StoredPath>();

  constructor(options: FileListOptions) {
    this.#options = options;
    const base = pathFromText(options.directory);
    this.#base = base === '.' ? '' : base.endsWith('/') ? base : `${base}/`;
  }

  /**
   * Adds a file, or a directory with all that is in it, its files in the order of their names' bytes.
   *
   * @param path as the user gave it
   * @throws XbstreamError `XB_IO`
   */
  add(path: StoredPath): void {
    const { recurse } = this.#options;
    const place = path.startsWith('/') ? path : this.#base + path;
    let stat: fs.Stats;
    try {
      stat = fs.statSync(pathForSystem(place));
    } catch (error) {
      throw systemError(`cannot read ${pathText(path)}`, error);
    }
    if (stat.isFile()) this.#file(place, path);
    else if (stat.isDirectory() && recurse) this.#directory(place, path);
    else throw unstorable(path, stat, recurse);
  }

  #directory(place: StoredPath, path: StoredPath): void {
    const found: StoredPath[] = [];
    const visit = (inside: StoredPath): void => {
      let listed: fs.Dirent[];
      try {
        const directory = inside === '' ? place : `${place}/${inside}`;
        listed = fs.readdirSync(pathForSystem(directory), { encoding: 'latin1', withFileTypes: true });
      } catch (error) {
        throw systemError(`cannot read the directory ${pathText(`${path}/${inside}`)}`, error);
      }
      if (listed.length === 0) {
        this.#warn(
          `the empty directory ${pathText(plainName(`${path}/${inside}`))} is not stored: an archive holds files only`,
        );
      }
      for (const entry of listed) {
        const name = inside === '' ? entry.name : `${inside}/${entry.name}`;
        if (entry.isDirectory()) visit(name);
        else if (entry.isFile()) found.push(name);
        else if (entry.isSocket()) this.#warn(`the socket ${pathText(`${path}/${name}`)} is not stored`);
        else throw unstorable(`${path}/${name}`, entry, true);
      }
    };
    visit('');
    // One character a byte: this is the order of the bytes.
    for (const name of found.sort()) this.#file(`${place}/${name}`, `${path}/${name}`);
  }

  #file(place: StoredPath, path: StoredPath): void {
    const { recurse, absoluteNames } = this.#options;
    const { name: cut, removed } = absoluteNames ? { name: path, removed: '' } : memberName(path);
    if (removed !== '' && !this.#removed.has(removed)) {
      this.#removed.add(removed);
      this.#warn(`Removing leading \`${pathText(removed)}' from member names`);
    }
    const plain = plainName(cut);
    const name = recurse ? plain : cut;
    checkName(name, path);
    if (this.#names.has(plain)) {
      throw new XbstreamError('XB_IO', `two files would get the name ${pathText(plain)} in the archive`, {
        path: plain,
        details: [`the second of them is ${pathText(path)}`],
      });
    }
    this.#names.add(plain);
    this.files.push({ path: place, name });
  }

  #warn(message: string): void {
    this.#options.onWarning(message);
  }
}

/** @throws XbstreamError `XB_IO` for a name that no archive can hold */
export function checkName(name: StoredPath, path: StoredPath): void {
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
      ? [`to store all that is in it: tsxbstream create ${pathText(path)}`]
      : [];
  return new XbstreamError('XB_IO', `${pathText(path)} is ${what}, not a regular file: it cannot be stored`, {
    path,
    hints,
  });
}
