import * as fs from 'node:fs';
import { systemCodeOf, systemError, XbstreamError, type ErrorFacts } from '../../errors.js';
import { pathForSystem, type StoredPath } from '../../format/stored-path.js';

const NO_ROOM: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT']);

/**
 * The error for a write that the system refused; where that is for want of room it says of what, and how to go on.
 *
 * @param doing what was tried, as the start of a sentence: `cannot write db1/t1.ibd`
 * @param prefix a path in the file system concerned, one character a byte
 */
export function refusal(doing: string, error: unknown, prefix: StoredPath, facts: ErrorFacts = {}): XbstreamError {
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
