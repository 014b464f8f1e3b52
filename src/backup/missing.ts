import type { BackupDescription } from '../ui/reporter.js';
import type { BackupFinding } from './backup-state.js';
import type { SmallTexts } from './describe.js';

type KindFacts = Pick<BackupDescription, 'kind' | 'partial'>;

/** Whether it is known what a backup is. An `xtrabackup_info` that does not say whether it is partial is cut. */
export function isKnown(texts: SmallTexts, { kind, partial }: KindFacts): boolean {
  if (kind === undefined) return false;
  return texts.info === undefined ? texts.metadata !== undefined : partial !== undefined;
}

/**
 * What an archive lacks to be restored, a sentence each.
 *
 * @param problems how many there are with the archive itself
 * @param texts what could be read
 * @param facts what these say it is
 */
export function missingFrom(
  problems: number,
  { state, isDataDirectory }: BackupFinding,
  texts: SmallTexts,
  facts: KindFacts,
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
  if (!isKnown(texts, facts)) {
    const what = texts.info === undefined ? 'says' : 'says, whole and not contradicted by other files';
    return [`what xtrabackup_info ${what}: without it nobody knows whether the backup is full, incremental or partial`];
  }
  if (texts.checkpoints === undefined && texts.metadata === undefined) {
    return ['xtrabackup_checkpoints, which a prepare reads'];
  }
  return [];
}
