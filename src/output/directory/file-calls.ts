/** System calls that write, rename and make files, and what a refusal means. */
import * as fs from 'node:fs';
import { systemCodeOf, systemError, XbstreamError, type ErrorFacts } from '../../errors.js';
import { pathForSystem, type StoredPath } from '../../format/stored-path.js';

/** Under the umask, as Percona's xbstream has it. */
export const FILE_MODE = 0o640;

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = fs.constants;
export const NEW_FILE_FLAGS = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;

/** Writes all of `bytes`; a single call may take less than it is given (a disk that is nearly full, a signal). */
export function writeAll(descriptor: number, bytes: Buffer, fileOffset: number): void {
  const { length } = bytes;
  for (let done = 0; done < length;) {
    done += fs.writeSync(descriptor, bytes, done, length - done, fileOffset + done);
  }
}

/** What systems say where a file cannot have two names. */
const NO_LINKS: readonly (string | undefined)[] = ['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/**
 * Gives a file another name in the same file system. Where `replace` is false, nothing that has that name gives way, whoever
 * made it and when: then it throws with the system code `EEXIST`.
 *
 * A name that was free when its directory was listed may be taken hours later, by a second restore into the same target for
 * instance. Node has no call for a rename that replaces nothing; two names for a moment are the next best.
 */
export function changeName(from: string | Buffer, to: string | Buffer, replace: boolean): void {
  if (replace) {
    fs.renameSync(from, to);
    return;
  }
  try {
    fs.linkSync(from, to);
  } catch (error) {
    if (!NO_LINKS.includes(systemCodeOf(error))) throw error;
    if (fs.lstatSync(to, { throwIfNoEntry: false }) !== undefined) {
      throw Object.assign(new Error('the name is taken'), { code: 'EEXIST' });
    }
    fs.renameSync(from, to);
    return;
  }
  try {
    fs.unlinkSync(from);
  } catch (error) {
    // What is told to have failed must not have its final name.
    fs.unlinkSync(to);
    throw error;
  }
}

/**
 * Makes a file whose whole content is at hand, by way of its partial name. When it fails nothing is left of it.
 *
 * @param partialPath one character a byte, as the other
 * @param replace what has the final name gives way
 */
export function makeFile(partialPath: StoredPath, finalPath: StoredPath, bytes: Buffer, replace: boolean): void {
  const partial = pathForSystem(partialPath);
  const descriptor = fs.openSync(partial, NEW_FILE_FLAGS, FILE_MODE);
  try {
    try {
      writeAll(descriptor, bytes, 0);
    } finally {
      fs.closeSync(descriptor);
    }
    changeName(partial, pathForSystem(finalPath), replace);
  } catch (error) {
    fs.unlinkSync(partial);
    throw error;
  }
}

/** What the system calls a want of room. */
export const NO_ROOM: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT']);

/**
 * The error for a write that the system refused; where that is for want of room it says of what, and how to go on.
 *
 * @param doing what was tried, as the start of a sentence: `cannot write db1/t1.ibd`
 * @param prefix a path in the file system concerned, one character a byte
 */
export function refusal(doing: string, error: unknown, prefix: StoredPath, facts: ErrorFacts): XbstreamError {
  const code = systemCodeOf(error);
  if (!NO_ROOM.has(code)) return systemError(doing, error, facts);
  const isOutOfFiles = code === 'ENOSPC' && isOutOfInodes(prefix);
  const room = isOutOfFiles ? 'remove files there (each takes an inode)' : 'make room';
  const hints = [
    ...(facts.hints ?? []),
    `${room}, or choose another target with -C`,
    'to go on where this run stopped: the same command with --skip-existing',
  ];
  if (!isOutOfFiles) return systemError(doing, error, { ...facts, hints });
  const reason = 'no free inodes: the file system has room, but takes no more files (ENOSPC)';
  return new XbstreamError('XB_IO', `${doing}: ${reason}`, { systemCode: code, cause: error, ...facts, hints });
}

function isOutOfInodes(prefix: StoredPath): boolean {
  try {
    const { files, ffree, bavail } = fs.statfsSync(pathForSystem(prefix));
    // Some file systems (btrfs) have no number of inodes: they say 0.
    return files > 0 && ffree === 0 && bavail > 0;
  } catch {
    return false;
  }
}
