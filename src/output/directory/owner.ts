import * as fs from 'node:fs';
import { XbstreamError } from '../../errors.js';

/** Whom files are given to, by the system's numbers; what is undefined stays as it is. */
export interface Owner {
  uid?: number | undefined;
  gid?: number | undefined;
}

/** The largest number that means somebody: the one above it says "as it is" (chown(2)). */
export const ID_MAX = 2 ** 32 - 2;

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
export function assertMayGive({ uid, gid }: Owner): void {
  if (mayGiveToAnybody()) return;
  const own = process.geteuid?.();
  const groups = [process.getegid?.(), ...(process.getgroups?.() ?? [])];
  if ((uid === undefined || uid === own) && (gid === undefined || groups.includes(gid))) return;
  throw new XbstreamError('XB_IO', 'only root can give files to somebody else', {
    systemCode: 'EPERM',
    details: [
      'it takes the capabilities CAP_CHOWN and CAP_DAC_OVERRIDE, which a container may lack',
      'nothing was written',
    ],
    hints: ['run it as root (sudo), or unpack without --chown and give the files away later: chown -R'],
  });
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
