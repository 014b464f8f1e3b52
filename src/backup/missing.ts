import type { BackupDescription } from '../ui/reporter.js';
import type { BackupFinding } from './backup-state.js';
import type { SmallTexts } from './describe.js';

/**
 * What an archive lacks to be restored, a sentence each.
 *
 * @param problems how many there are with the archive itself
 * @param texts what could be read
 * @param kind what that says it is
 */
export function missingFrom(
  problems: number,
  { state, isDataDirectory }: BackupFinding,
  texts: SmallTexts,
  kind: BackupDescription['kind'],
): string[] {
  if (problems > 0) {
    return ['a whole archive: this one is damaged or cut, and what is left of a backup cannot be prepared'];
  }
  if (isDataDirectory) {
    return [
      "nothing that a prepare would need: these are files of a server's data directory, which is no backup of xtrabackup or mariabackup",
    ];
  }
  switch (state) {
    case 'no backup':
      return ['a backup: no file in this archive is one that xtrabackup or mariabackup write'];
    case 'unfinished':
    case 'perhaps unfinished':
      return ['xtrabackup_info, which xtrabackup and mariabackup write last: the backup was not finished, or is cut'];
    case 'finished':
      break;
  }
  if (kind === undefined || (texts.info === undefined && texts.metadata === undefined)) {
    return ['what xtrabackup_info says: without it nobody knows whether the backup is full, incremental or partial'];
  }
  if (texts.checkpoints === undefined && texts.metadata === undefined) {
    return ['xtrabackup_checkpoints, which a prepare reads'];
  }
  return [];
}
