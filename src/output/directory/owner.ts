/** Gives files to the owner that was asked for. */
import * as fs from 'node:fs';
import { systemCodeOf, XbstreamError } from '../../errors.js';

/** An owner of files, by the system's numbers; what is undefined stays as it is. */
export interface Owner {
  uid?: number | undefined;
  gid?: number | undefined;
}

/** The largest number that means somebody: the one above it says "as it is" (chown(2)). */
export const ID_MAX = 2 ** 32 - 2;

/** What a file has beside its content. */
export interface FileMetadata {
  /** As `stat` gives it. */
  mode: number;
  uid: number;
  gid: number;
}

/**
 * Gives an open file the owner and the permissions of another, as far as this process may: where it may not give it to the
 * group, the group's permissions are none of the new one's.
 */
export function makeLike({ mode, uid, gid }: FileMetadata, descriptor: number): void {
  const isOwned = tryTo(() => fs.fchownSync(descriptor, uid, gid));
  const isGroups = isOwned || tryTo(() => fs.fchownSync(descriptor, -1, gid));
  fs.fchmodSync(descriptor, mode & (isGroups ? 0o777 : 0o707));
}

function tryTo(give: () => void): boolean {
  try {
    give();
    return true;
  } catch (error) {
    if (systemCodeOf(error) !== 'EPERM') throw error;
    return false;
  }
}

/** Gives an open file or directory away. */
export function giveTo({ uid = -1, gid = -1 }: Owner, descriptor: number): void {
  fs.fchownSync(descriptor, uid, gid);
}

/** Gives something away by its path; a symbolic link is not followed. */
export function givePath({ uid = -1, gid = -1 }: Owner, path: string | Buffer): void {
  fs.lchownSync(path, uid, gid);
}

/**
 * Looks whether this process may give files to somebody: after hours it would be too late to find out.
 *
 * @throws XbstreamError `XB_IO`
 */
export function assertMayGive(owner: Owner): void {
  if (mayGive(owner)) return;
  throw new XbstreamError('XB_IO', 'only root can give files to somebody else', {
    systemCode: 'EPERM',
    details: [
      'it takes the capabilities CAP_CHOWN and CAP_DAC_OVERRIDE, which a container may lack',
      'nothing was written',
    ],
    hints: ['run it as root (sudo), or unpack without --chown and give the files away later: chown -R'],
  });
}

/** Whether this process may give files to somebody. */
export function mayGive({ uid, gid }: Owner): boolean {
  const own = process.geteuid?.();
  const groups = [process.getegid?.(), ...(process.getgroups?.() ?? [])];
  if ((uid === undefined || uid === own) && (gid === undefined || groups.includes(gid))) return true;
  return mayGiveToAnybody();
}

/**
 * Root may, as a rule; in a container it need not have the capabilities, and others may have them (capabilities(7)):
 * CAP_CHOWN, and CAP_DAC_OVERRIDE to go on in directories that are somebody else's.
 */
function mayGiveToAnybody(): boolean {
  try {
    const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(fs.readFileSync('/proc/self/status', 'latin1'))![1]!;
    return (BigInt(`0x${capabilities}`) & 3n) === 3n;
  } catch {
    return process.geteuid?.() === 0;
  }
}
