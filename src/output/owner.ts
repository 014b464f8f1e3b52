import * as fs from 'node:fs';
import { XbstreamError } from '../errors.js';

/** Whom files are given to, by the system's numbers; what is undefined stays as it is. */
export interface Owner {
  uid?: number | undefined;
  gid?: number | undefined;
}

/** Gives an open file or directory away. */
export function giveTo({ uid = -1, gid = -1 }: Owner, descriptor: number): void {
  fs.fchownSync(descriptor, uid, gid);
}

/**
 * Looks whether this process may give files to somebody: after hours it would be too late to find out.
 *
 * @throws XbstreamError `XB_IO`
 */
export function assertMayGive({ uid, gid }: Owner): void {
  const own = process.geteuid?.();
  if (own === 0) return;
  const groups = [process.getegid?.(), ...(process.getgroups?.() ?? [])];
  if ((uid === undefined || uid === own) && (gid === undefined || groups.includes(gid))) return;
  throw new XbstreamError('XB_IO', 'only root can give files to somebody else', {
    systemCode: 'EPERM',
    details: ['nothing was written'],
    hints: ['run it as root (sudo), or unpack without --chown and give the files away later: chown -R'],
  });
}
