/**
 * A directory of the target, reached component by component without following symbolic links and then held open.
 *
 * It knows every name in it: one that this run made is empty, one that was there is listed once. That tells before a file is
 * begun whether its name was free then; whether it still is shows when the file gets it.
 */
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { systemCodeOf, systemError, XbstreamError } from '../../errors.js';
import { below, pathForSystem, pathText, rawPath, type StoredPath } from '../../format/stored-path.js';
import { closeRead } from '../../input/close.js';
import type { DescriptorHolder, DescriptorPool } from './descriptor-pool.js';
import { refusal } from './file-calls.js';
import { givePath, giveTo, type Owner } from './owner.js';

const DIRECTORY_MODE = 0o750;
const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = fs.constants;

/** What stands under a name in a directory. */
export type NameState =
  /** It was there when this run first looked. */
  | 'before'
  /** A file of this run, whole or to be, or a directory. */
  | 'ours'
  /** A partial file of this run. */
  | PartialName;

/** Has a partial name, and can take another. */
export interface PartialName {
  yieldName(): void;
}

/** What all directories of one target share. */
export interface DirectoryContext {
  pool: DescriptorPool;
  allowSymlinks: boolean;
  /** The owner of directories that are made; undefined: the user of this process. */
  owner: Owner | undefined;
  /**
   * The directories there are, by device and inode: an absolute path, or a symbolic link that is followed, may lead to one
   * that was reached before, and whose names must be known by both ways.
   */
  known: Map<string, Directory>;
  /**
   * Where the system shows open descriptors as files (`/proc/PID/fd/`); undefined where it does not. Node has no openat:
   * a path that begins with an open directory's entry there does the same, so that nobody can slip a symbolic link into
   * the way between a check and its use.
   */
  descriptorFolder: string | undefined;
}

/** Finds {@link DirectoryContext.descriptorFolder}. The process may have another number in a /proc of another namespace. */
export function findDescriptorFolder(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const folder = `/proc/${fs.readlinkSync('/proc/self')}/fd/`;
    fs.accessSync(folder);
    return folder;
  } catch {
    return undefined;
  }
}

export class Directory implements DescriptorHolder {
  lastUse = 0;
  readonly names = new Map<StoredPath, NameState>();
  /** Files were created, renamed or removed in it. */
  changed = false;
  /** Its path below the target's root, with a slash at its end unless it is the root; for messages. */
  readonly path: StoredPath;

  readonly #context: DirectoryContext;
  readonly #parent: Directory | undefined;
  readonly #name: StoredPath;
  readonly #children = new Map<StoredPath, Directory>();
  #descriptor: number | undefined;
  /**
   * Its plain path, where nobody but root and this user can change what that path leads to: then it says the same as the
   * way through the descriptor folder, and the system walks it in half the time.
   */
  readonly #safePrefix: StoredPath | undefined;
  readonly #device: number;
  readonly #inode: number;

  /** @param isNew this run has made it just now */
  private constructor(
    context: DirectoryContext,
    parent: Directory | undefined,
    name: StoredPath,
    path: StoredPath,
    isNew: boolean,
  ) {
    this.#context = context;
    this.#parent = parent;
    this.#name = name;
    this.path = path;
    this.#descriptor = this.#open();
    if (isNew && context.owner !== undefined) this.#give(context.owner);
    const stat = this.#stat();
    this.#device = stat.dev;
    this.#inode = stat.ino;
    this.#safePrefix = this.#findSafePrefix(stat);
    this.#list();
  }

  /**
   * The directory that everything else is reached from. The path to it is the user's own: links in it are followed.
   *
   * @param name its path, in the form of stored paths
   * @throws XbstreamError `XB_IO`
   */
  static root(context: DirectoryContext, name: StoredPath, path: StoredPath): Directory {
    return new Directory(context, undefined, name, path, false).#orKnown();
  }

  /** This directory, or the same one as it was reached before. */
  #orKnown(): Directory {
    const { allowSymlinks, known, pool } = this.#context;
    const key = `${this.#device}:${this.#inode}`;
    const before = known.get(key);
    // By other ways there is but one to each, and not every file system has numbers that tell its directories apart.
    if (before === undefined || !(allowSymlinks || this.path.startsWith('/'))) {
      known.set(key, this);
      return this;
    }
    this.suspend();
    pool.forget(this);
    return before;
  }

  /** What to put before a name in this directory to reach it. Good until the next call of the descriptor pool. */
  get prefix(): StoredPath {
    if (this.#safePrefix !== undefined) return this.#safePrefix;
    const { descriptorFolder } = this.#context;
    if (descriptorFolder === undefined) return rawPath(`${this.#systemPath}/`);
    return rawPath(`${descriptorFolder}${this.#opened()}/`);
  }

  /** The path of something in this directory below the target's root; for messages. */
  pathOf(name: StoredPath): StoredPath {
    return below(this.path, name);
  }

  /** The path of something in this directory as `node:fs` takes it. */
  systemPath(name: StoredPath): string | Buffer {
    return pathForSystem(below(this.prefix, name));
  }

  /**
   * A directory in this one.
   *
   * @param create make it when it is missing
   * @returns undefined when it is missing and not to be made
   * @throws XbstreamError `XB_TARGET_EXISTS` for a symbolic link, and where a file of this run has the name; `XB_IO`
   */
  child(name: StoredPath, create: boolean): Directory | undefined {
    const known = this.#children.get(name);
    if (known !== undefined) return known;
    const state = this.names.get(name);
    const path = rawPath(`${this.path}${name}/`);
    // A directory of this run is among the children: this is a file, though it may have its name only later.
    if (state === 'ours' && create) {
      throw new XbstreamError(
        'XB_TARGET_EXISTS',
        `${pathText(this.pathOf(name))} would be a file and a directory of the archive`,
        { path: this.pathOf(name) },
      );
    }
    if ((state === 'ours' || typeof state === 'object') && !create) return undefined;
    if (typeof state === 'object') state.yieldName();
    let child: Directory;
    try {
      child = new Directory(this.#context, this, name, path, false);
    } catch (error) {
      const code = systemCodeOf(error);
      if (code === 'ENOENT' && !create) return undefined;
      if (code !== 'ENOENT') throw this.#cannotEnter(name, error);
      try {
        const isNew = this.#make(name);
        this.changed = true;
        child = new Directory(this.#context, this, name, path, isNew);
      } catch (refused) {
        throw refusal(`cannot make the directory ${pathText(path)} in the target`, refused, this.prefix, {
          hints: whoMay(refused),
        });
      }
    }
    if (!this.names.has(name)) this.names.set(name, 'ours');
    child = child.#orKnown();
    this.#children.set(name, child);
    return child;
  }

  /** Makes a directory. @returns false where another thread of this run was faster */
  #make(name: StoredPath): boolean {
    try {
      fs.mkdirSync(this.systemPath(name), DIRECTORY_MODE);
      return true;
    } catch (error) {
      if (systemCodeOf(error) !== 'EEXIST') throw error;
      return false;
    }
  }

  /**
   * What stands under a name, links not followed; undefined when nothing does.
   *
   * @throws XbstreamError `XB_IO`, for a name that is too long for instance
   */
  look(name: StoredPath): fs.Stats | undefined {
    try {
      return fs.lstatSync(this.systemPath(name), { throwIfNoEntry: false });
    } catch (error) {
      throw systemError(`cannot look at ${pathText(this.pathOf(name))} in the target`, error);
    }
  }

  suspend(): void {
    if (this.#descriptor !== undefined) closeRead(this.#descriptor);
    this.#descriptor = undefined;
  }

  /** Has the names that were changed in it, and in all below it, on the disk. */
  syncTree(done = new Set<Directory>()): void {
    // Symbolic links that are followed may lead round in circles.
    if (done.has(this)) return;
    done.add(this);
    if (this.changed && this.#context.descriptorFolder !== undefined) {
      try {
        fs.fsyncSync(this.#opened());
        this.changed = false;
      } catch (error) {
        throw systemError(`cannot write the directory ${this.#shown} to the disk`, error);
      }
    }
    for (const child of this.#children.values()) child.syncTree(done);
  }

  /** Its descriptor, opened again where it was given up. */
  #opened(): number {
    if (this.#descriptor !== undefined) {
      this.#context.pool.touch(this);
      return this.#descriptor;
    }
    this.#descriptor = this.#open();
    const stat = this.#stat();
    if (stat.dev !== this.#device || stat.ino !== this.#inode) {
      throw new XbstreamError('XB_IO', `the directory ${this.#shown} was replaced by another while in use`);
    }
    return this.#descriptor!;
  }

  /** For messages: the target itself has no path in it. */
  get #shown(): string {
    return pathText(this.#parent === undefined ? this.#systemPath : this.path);
  }

  get #systemPath(): StoredPath {
    return this.#parent === undefined ? this.#name : rawPath(`${this.#parent.#systemPath}/${this.#name}`);
  }

  #open(): number | undefined {
    const { pool, allowSymlinks, descriptorFolder } = this.#context;
    const parent = this.#parent;
    if (descriptorFolder === undefined) {
      if (parent !== undefined && !allowSymlinks && fs.lstatSync(pathForSystem(this.#systemPath)).isSymbolicLink()) {
        throw Object.assign(new Error('a symbolic link'), { code: 'ELOOP' });
      }
      return undefined;
    }
    const follow = parent === undefined || allowSymlinks;
    const flags = O_RDONLY | O_DIRECTORY | (follow ? 0 : O_NOFOLLOW);
    return pool.open(this, () =>
      fs.openSync(parent === undefined ? pathForSystem(this.#name) : parent.systemPath(this.#name), flags),
    );
  }

  #give(owner: Owner): void {
    if (this.#descriptor !== undefined) giveTo(owner, this.#descriptor);
    else givePath(owner, pathForSystem(this.#systemPath));
  }

  #stat(): fs.Stats {
    if (this.#descriptor !== undefined) return fs.fstatSync(this.#descriptor);
    const stat = fs.statSync(pathForSystem(this.#systemPath));
    if (!stat.isDirectory()) throw Object.assign(new Error('no directory'), { code: 'ENOTDIR' });
    return stat;
  }

  #findSafePrefix(own: fs.Stats): StoredPath | undefined {
    const { descriptorFolder } = this.#context;
    if (descriptorFolder === undefined) return undefined;
    const parent = this.#parent;
    if (parent !== undefined) {
      // Below a symbolic link that was allowed the path would say something else.
      if (parent.#safePrefix === undefined || this.#context.allowSymlinks || !isOurs(own)) return undefined;
      return rawPath(`${parent.#safePrefix}${this.#name}/`);
    }
    const path = rawPath(fs.readlinkSync(`${descriptorFolder}${this.#descriptor!}`, { encoding: 'latin1' }));
    for (let above = path; ; above = rawPath(dirname(above))) {
      const stat = fs.lstatSync(pathForSystem(above), { throwIfNoEntry: false });
      if (stat === undefined || !isOurs(stat)) return undefined;
      if (above === path && (stat.ino !== own.ino || stat.dev !== own.dev)) return undefined;
      if (above === '/') break;
    }
    return path === '/' ? path : rawPath(`${path}/`);
  }

  #list(): void {
    const list = (): string[] => fs.readdirSync(pathForSystem(this.prefix), { encoding: 'latin1' });
    for (const name of this.#context.pool.briefly(list)) this.names.set(rawPath(name), 'before');
  }

  #cannotEnter(name: StoredPath, error: unknown): XbstreamError {
    const path = pathText(this.pathOf(name));
    const isLink = systemCodeOf(error) !== 'ENAMETOOLONG' && this.look(name)?.isSymbolicLink() === true;
    if (isLink && !this.#context.allowSymlinks) {
      return new XbstreamError('XB_TARGET_EXISTS', `${path} in the target is a symbolic link`, {
        path: this.pathOf(name),
        details: ['what the archive stores below it would land wherever the link leads'],
        hints: ['if that is meant: add --allow-symlinks'],
      });
    }
    return systemError(`cannot enter the directory ${path}/ in the target`, error);
  }
}

/** What to do where the system says that somebody else's rights are needed. */
function whoMay(error: unknown): string[] {
  const code = systemCodeOf(error);
  return code === 'EACCES' || code === 'EPERM' ? ["run it as the target's owner, or as root (sudo)"] : [];
}

/**
 * Whether only root and this user can put something else in the place of what is in a directory. In one with the sticky
 * bit (`/tmp`) everybody may add names, but not take away those of others. An access list that lets others write shows as
 * the group's bit.
 */
function isOurs({ uid, mode }: fs.Stats): boolean {
  const writableByOthers = (mode & 0o022) !== 0;
  const sticky = (mode & 0o1000) !== 0;
  return (uid === 0 || uid === process.geteuid?.()) && (!writableByOthers || sticky);
}
