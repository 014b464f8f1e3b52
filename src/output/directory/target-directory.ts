/** The directory that an archive is unpacked into. Nothing outside it is touched but by absolute names, where allowed. */
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { systemCodeOf, systemError, XbstreamError } from '../../errors.js';
import { shellWord } from '../../format/shell-word.js';
import { pathFromText, pathText, rawPath, type StoredPath } from '../../format/stored-path.js';
import { closeRead } from '../../input/close.js';
import { isSameFile, type FileIdentity } from '../file-identity.js';
import { DescriptorPool } from './descriptor-pool.js';
import { Directory, findDescriptorFolder, type DirectoryContext } from './directory.js';
import { givePath, type Owner } from './owner.js';

export interface TargetOptions {
  /** Make the target and its parents when it is missing. */
  create: boolean;
  /** Follow symbolic links inside it. */
  allowSymlinks: boolean;
  /** The owner of directories that are made. */
  owner?: Owner | undefined;
}

/** A place for a file: a directory of the target and a name in it. */
export interface Place {
  directory: Directory;
  name: StoredPath;
}

export class TargetDirectory {
  readonly pool: DescriptorPool;
  readonly #context: DirectoryContext;
  readonly #root: Directory;
  /** Paths of directories above it, in which one was made. */
  readonly #madeIn: string[] = [];
  /** Where absolute names begin. */
  #absoluteRoot: Directory | undefined;

  /**
   * @param path as the user gave it
   * @param beforeSuspend called before descriptors of its files and directories are closed for a while
   * @throws XbstreamError `XB_IO`
   */
  constructor(path: string, options: TargetOptions, beforeSuspend: () => void = () => undefined) {
    this.pool = new DescriptorPool(beforeSuspend);
    this.#context = {
      pool: this.pool,
      allowSymlinks: options.allowSymlinks,
      owner: options.owner,
      known: new Map(),
      descriptorFolder: findDescriptorFolder(),
    };
    this.#root = openTarget(this.#context, path, options.create, this.#madeIn);
  }

  /** A path to it, for calls that need one: with a slash at its end, one character a byte. */
  get prefix(): StoredPath {
    return this.#root.prefix;
  }

  /**
   * Where a stored path goes.
   *
   * @param path normalized
   * @param create make the directories that are missing; without it the result may be undefined
   * @throws XbstreamError `XB_UNSAFE_PATH`, `XB_IO`
   */
  place(path: StoredPath, create: true): Place;
  place(path: StoredPath, create: boolean): Place | undefined;
  place(path: StoredPath, create: boolean): Place | undefined {
    const slash = path.lastIndexOf('/');
    if (slash < 0) return { directory: this.#root, name: path };
    const directory = this.#directory(rawPath(path.slice(0, slash)), create);
    return directory && { directory, name: rawPath(path.slice(slash + 1)) };
  }

  /** Has all new names on the disk. */
  sync(): void {
    for (const path of this.#madeIn.splice(0)) syncDirectory(path);
    this.#root.syncTree();
    this.#absoluteRoot?.syncTree();
  }

  /** Chunks of one file follow each other: the last answer is likely the next. */
  #lastPath: StoredPath | undefined;
  #lastDirectory: Directory | undefined;

  #directory(path: StoredPath, create: boolean): Directory | undefined {
    if (path === this.#lastPath) return this.#lastDirectory;
    let directory: Directory | undefined = this.#root;
    let relative = path;
    if (path === '' || path.startsWith('/')) {
      directory = this.#absoluteRoot ??= Directory.root(this.#context, rawPath('/'), rawPath('/'));
      relative = rawPath(path.slice(1));
    }
    for (const component of relative === '' ? [] : relative.split('/')) {
      directory = directory.child(rawPath(component), create);
      if (directory === undefined) return undefined;
    }
    this.#lastPath = path;
    this.#lastDirectory = directory;
    return directory;
  }
}

/** @param madeIn is given the paths of directories in which one was made */
function openTarget(context: DirectoryContext, path: string, create: boolean, madeIn: string[]): Directory {
  const name = pathFromText(path);
  try {
    return Directory.root(context, name, rawPath(''));
  } catch (error) {
    const code = systemCodeOf(error);
    if (code !== 'ENOENT') throw systemError(`cannot unpack into ${path}`, error);
    if (!create) {
      throw new XbstreamError('XB_IO', `the target directory ${path} does not exist`, {
        systemCode: code,
        hints: [`make it first: mkdir -p ${shellWord(path)}`],
      });
    }
  }
  try {
    makeDirectories(path, context.owner, madeIn);
    return Directory.root(context, name, rawPath(''));
  } catch (error) {
    throw systemError(`cannot make the target directory ${pathText(name)}`, error);
  }
}

/** Not by `recursive`: Node goes round in circles where a system says of a name that it cannot be made, as /proc does. */
function makeDirectories(path: string, owner: Owner | undefined, madeIn: string[]): void {
  const parent = dirname(path);
  if (parent !== path && !fs.existsSync(parent)) makeDirectories(parent, owner, madeIn);
  try {
    fs.mkdirSync(path, 0o750);
  } catch (error) {
    if (systemCodeOf(error) !== 'EEXIST') throw error;
    return;
  }
  madeIn.push(parent);
  if (owner !== undefined) givePath(owner, path);
}

function syncDirectory(path: string): void {
  try {
    const descriptor = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
    try {
      fs.fsyncSync(descriptor);
    } finally {
      closeRead(descriptor);
    }
  } catch (error) {
    throw systemError(`cannot write the directory ${path} to the disk`, error);
  }
}

/** The error for a final name that is taken. */
export function targetExists({ directory, name }: Place): XbstreamError {
  return new XbstreamError('XB_TARGET_EXISTS', `${pathText(directory.pathOf(name))} exists in the target already`, {
    path: directory.pathOf(name),
    details: ['it was not touched'],
    hints: [
      'unpack into an empty directory, or tell what to do with files that are there:',
      'tsxbstream extract --overwrite (replace them) or --skip-existing (keep those of the same size)',
    ],
  });
}

/**
 * Looks at what is in the place of a file, before it gives way: a directory does not, and no more does the archive that is read.
 *
 * @param archive the files that it is read from
 * @throws XbstreamError `XB_TARGET_EXISTS`
 */
export function assertGivesWay({ directory, name }: Place, archive: readonly FileIdentity[]): void {
  const there = directory.look(name);
  if (there === undefined) return;
  const path = directory.pathOf(name);
  if (there.isDirectory()) {
    throw new XbstreamError('XB_TARGET_EXISTS', `${pathText(path)} exists in the target already, as a directory`, {
      path,
      details: ['it was not touched'],
      hints: ['move it away, or unpack into an empty directory'],
    });
  }
  if (!archive.some((read) => isSameFile(read, there))) return;
  throw new XbstreamError(
    'XB_TARGET_EXISTS',
    `${pathText(path)} is the archive that is read: nothing takes its place`,
    {
      path,
      details: ['it holds a file of that name'],
      hints: ['unpack into another directory'],
    },
  );
}

/** The error for a correction that means no file of the archive, but what another of its files needs. */
export function notStored(path: StoredPath): XbstreamError {
  return new XbstreamError(
    'XB_TARGET_EXISTS',
    `the archive wants ${pathText(path)} removed or renamed, but did not store it`,
    {
      path,
      details: ['other files of the archive are there'],
    },
  );
}

/**
 * The error for a final name that cannot be had beside another file of the archive.
 *
 * @param clash why
 * @param stripped components that are left out of stored names
 */
export function nameTaken(path: StoredPath, clash: string, stripped: number): XbstreamError {
  return new XbstreamError('XB_TARGET_EXISTS', clash, {
    path,
    hints: stripped > 0 ? ['strip fewer components'] : [],
  });
}
