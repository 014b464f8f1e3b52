/** Tells a finished backup from the beginning of one, by the names of its files. */
import { XbstreamError } from '../errors.js';
import { pathText, type StoredPath } from '../format/stored-path.js';
import type { BackupState } from '../ui/reporter.js';
import { fileSign, undoneName, type FileSign } from './file-signs.js';

/** Whether an archive must be a finished backup: `auto` where it looks like one. */
export type BackupChoice = 'auto' | 'always' | 'never';

export interface BackupFinding {
  state: BackupState;
  /** It holds what backup programs never copy: a server's data directory that was packed. */
  isDataDirectory: boolean;
  /** A file of each kind that tells of a server or a backup, as it is stored. */
  signs: readonly StoredPath[];
}

/** Kinds that only a backup of a server has, if the archive holds two of them. */
const KINDS_OF_A_BACKUP = 2;

/**
 * What an archive is. A file that backup programs write for themselves shows a backup, and so do two kinds of file that a
 * server has only once: tables that somebody packed alone come without these. One kind, or tables, may mean either, and
 * nothing where there is among them what no server has.
 *
 * @param paths the stored names of all whole files
 */
export function backupFinding(paths: Iterable<StoredPath>): BackupFinding {
  const found = new Map<FileSign, StoredPath>();
  const told = new Set<string>();
  let last: Kind = { directory: '', suffix: '' };
  for (const path of paths) {
    // A database of thousands of tables says the same thousands of times.
    if (isOfKind(path, last)) continue;
    last = kindOf(path);
    const kind = last.directory + last.suffix;
    if (told.has(kind)) continue;
    told.add(kind);
    const sign = fileSign(undoneName(path));
    if (sign !== undefined && !found.has(sign)) found.set(sign, path);
  }
  const isDataDirectory = found.delete('data directory');
  const isMixed = found.delete('foreign');
  return { state: stateOf(found, isDataDirectory, isMixed), isDataDirectory, signs: [...found.values()] };
}

/** What names have in common that say the same. */
interface Kind {
  /** The first, with its slash; empty where there is none. */
  directory: string;
  /** From the first dot of the file's own name on; where there is no directory, all but its digits. */
  suffix: string;
}

function kindOf(path: StoredPath): Kind {
  const slash = path.indexOf('/');
  if (slash <= 0) return { directory: '', suffix: path.replace(/\d+/g, '0') };
  const dot = path.indexOf('.', path.lastIndexOf('/'));
  return { directory: path.slice(0, slash + 1), suffix: dot === -1 ? '' : path.slice(dot) };
}

/** The same without making strings, for most names that follow one another: false says nothing. */
function isOfKind(path: StoredPath, { directory, suffix }: Kind): boolean {
  const from = directory.length;
  if (from === 0 || suffix === '' || !path.startsWith(directory) || !path.endsWith(suffix)) return false;
  return path.indexOf('.', from) === path.length - suffix.length && !path.includes('/', from);
}

function stateOf(found: ReadonlyMap<FileSign, StoredPath>, isDataDirectory: boolean, isMixed: boolean): BackupState {
  if (found.has('info')) return 'finished';
  if (isDataDirectory) return 'no backup';
  const kinds = found.size - (found.has('table') ? 1 : 0);
  if (found.has('backup file') || kinds >= KINDS_OF_A_BACKUP) return 'unfinished';
  return found.size === 0 || isMixed ? 'no backup' : 'perhaps unfinished';
}

/** What is to be said of an archive in which nothing else is wrong. */
export interface BackupVerdict {
  error?: XbstreamError;
  warning?: string;
}

const LAST = 'xtrabackup_info, which xtrabackup and mariabackup write last';

/**
 * Judges an archive that has ended well: framing cannot tell if it was cut between two files.
 *
 * @param archiveBytes where it ends; undefined where it is not read from an archive
 * @returns an error `XB_UNFINISHED_BACKUP`, a warning, or nothing
 */
export function judgeBackup(
  choice: BackupChoice,
  { state, signs }: BackupFinding,
  archiveBytes: number | undefined,
): BackupVerdict {
  if (choice === 'never' || state === 'finished') return {};
  if (choice === 'always' || state === 'unfinished') return { error: unfinished(state, signs, archiveBytes) };
  if (state !== 'perhaps unfinished') return {};
  return {
    warning: `this may be the beginning of a backup: it holds ${named(signs)}, and no ${LAST} (--backup=always makes that an error, --backup=never ends this warning)`,
  };
}

function unfinished(state: BackupState, signs: readonly StoredPath[], archiveBytes: number | undefined): XbstreamError {
  const what =
    state === 'unfinished' || state === 'perhaps unfinished'
      ? 'this looks like a backup whose end is missing'
      : 'this is no finished backup';
  return new XbstreamError('XB_UNFINISHED_BACKUP', `${what}: there is no ${LAST}`, {
    archiveOffset: archiveBytes,
    details: [
      ...(signs.length === 0 ? [] : [`of a server or a backup it holds ${named(signs)}`]),
      ...(archiveBytes === undefined ? [] : [`it ends at byte ${archiveBytes}, behind a whole file`]),
    ],
    hints: [
      'look whether the program that made the backup ended well, and take the backup again if not',
      'if it is meant to be no backup, or only a part of one: --backup=never',
    ],
  });
}

function named(signs: readonly StoredPath[]): string {
  return signs.map(pathText).join(', ');
}
