import type { Context } from '../context.js';
import { judgeBackup, type BackupChoice, type BackupFinding } from '../backup/backup-state.js';
import type { XbstreamError } from '../errors.js';

/**
 * What is wrong with an archive that has ended well, because it is the beginning of a backup; a mere warning is told.
 *
 * @param archiveBytes where it ends; undefined where it is not read from an archive
 */
export function backupProblems(
  choice: BackupChoice,
  finding: BackupFinding,
  archiveBytes: number | undefined,
  context: Pick<Context, 'warning'>,
): XbstreamError[] {
  const { error, warning } = judgeBackup(choice, finding, archiveBytes);
  if (warning !== undefined) context.warning(warning);
  return error === undefined ? [] : [error];
}
