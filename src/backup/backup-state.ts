import { layersOf } from '../codec/stored-layers.js';
import { XbstreamError } from '../errors.js';
import type { StoredPath } from '../format/stored-path.js';

/** What a backup of xtrabackup or mariabackup holds, and hardly anything else. */
const SIGNS: ReadonlySet<string> = new Set([
  'ibdata1',
  'ibdata1.delta',
  'ibdata1.meta',
  'backup-my.cnf',
  'xtrabackup_logfile',
  'xtrabackup_checkpoints',
  'mariadb_backup_checkpoints',
]);
/** What both write when all the rest is written. */
const LAST_FILES: ReadonlySet<string> = new Set(['xtrabackup_info', 'mariadb_backup_info']);
const BOTH = { decrypt: true, decompress: true };

/** Whether files are those of a backup, and whether the one that comes last is among them. */
export type BackupState = 'whole' | 'unfinished' | 'no backup';

/** What the files of an archive are, by their stored names. */
export function backupState(paths: Iterable<StoredPath>): BackupState {
  let isBackup = false;
  for (const path of paths) {
    if (path.length > 100 || path.includes('/')) continue;
    const name = plainName(path);
    if (LAST_FILES.has(name)) return 'whole';
    isBackup ||= SIGNS.has(name);
  }
  return isBackup ? 'unfinished' : 'no backup';
}

function plainName(path: StoredPath): string {
  try {
    return layersOf(path, BOTH).finalName;
  } catch {
    return path; // nothing but a suffix
  }
}

/** What is to be said of such an archive: framing cannot tell, if it was cut between two files. */
export const UNFINISHED_BACKUP =
  'this looks like a backup whose end is missing: it has no xtrabackup_info, which xtrabackup and mariabackup write last';

/** The error for an archive that was to be a whole backup. @param archiveBytes where it ends */
export function noBackup(archiveBytes: number): XbstreamError {
  return new XbstreamError('XB_UNFINISHED_BACKUP', 'the archive is no whole backup: xtrabackup_info is missing', {
    archiveOffset: archiveBytes,
    details: [
      'xtrabackup and mariabackup write that file last',
      `the archive ends at byte ${archiveBytes}, behind a whole file`,
    ],
    hints: ['look whether the program that made the backup ended well'],
  });
}
