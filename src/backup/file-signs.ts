import { layersOf } from '../codec/stored-layers.js';
import type { StoredPath } from '../format/stored-path.js';

/** What a stored file says of the archive that it is in. */
export type FileSign =
  /** What xtrabackup and mariabackup write when all the rest is written. */
  | 'info'
  /** Another of the files in which they tell of the backup, or its redo log. */
  | 'backup file'
  /** What a server has once, and tables that are copied alone come without. */
  | 'system tablespace'
  | 'redo log'
  | 'Aria log'
  | 'undo tablespace'
  | 'system schema'
  /** Pages that an incremental backup adds to a tablespace. */
  | 'increment'
  /** A file of any table. */
  | 'table'
  /** What a server keeps for itself: backup programs do not copy it; an archive of a data directory has it. */
  | 'data directory'
  /** What no data directory holds: somebody has packed this archive. */
  | 'foreign';

const DATA_DIRECTORY_FILES: ReadonlySet<string> = new Set([
  'auto.cnf',
  'ddl_recovery.log',
  'mariadb_upgrade_info',
  'multi-master.info',
  'mysql_upgrade_history',
  'mysql_upgrade_info',
]);

/** Galera's scripts send these before the backup, or instead of it: they are no part of one. */
const TRANSFER_FILES: ReadonlySet<string> = new Set([
  'xtrabackup_galera_info',
  'mariadb_backup_galera_info',
  'xtrabackup_ist',
]);

/** Names without layers; the first that fits counts. */
const PATTERNS: readonly (readonly [RegExp, FileSign])[] = [
  // A target directory that was given as it is makes the name absolute.
  [/^(?:\/.*\/)?(?:xtrabackup|mariadb_backup)_info$/, 'info'],
  [/^(?:(?:xtrabackup|mariadb_backup)_\w+|backup-my\.cnf|backup_metadata\.json)$/, 'backup file'],
  [/^ibdata\d+(?:\.delta|\.meta)?$/, 'system tablespace'],
  [/^(?:ib_logfile\d+|#innodb_redo\/.+)$/, 'redo log'],
  [/^aria_log(?:_control|\.\d+)$/, 'Aria log'],
  [/^undo_?\d+(?:\.ibu)?(?:\.delta|\.meta)?$/, 'undo tablespace'],
  [/^(?:mysql|performance_schema|sys)\/./, 'system schema'],
  [/^mysql\.ibd(?:\.delta|\.meta)?$/, 'system schema'],
  [/\.(?:ibd|new)\.(?:delta|meta)$/, 'increment'],
  [/^[^/]+\/.+\.(?:ibd|frm)$/, 'table'],
];

/** What a data directory holds beside all these: more files of tables, binary logs, what the buffer pool held. */
const OF_A_SERVER =
  /(?:\.(?:ibd|ibu|cfg|cfp|MY[DI]|MA[DI]|CS[MV]|AR[MZ]|MRG|TRG|TRN|opt|par|sdi|isl|new|ren|del|crpt|delta|meta|index|state|\d{6,})|^ib_buffer_pool|^donor_galera_info|^[#.]rocksdb\/.+)$/;

const BOTH = { decrypt: true, decompress: true };

/** A stored name without the suffixes of what was done to the file. */
export function undoneName(path: StoredPath): StoredPath {
  try {
    return layersOf(path, BOTH).finalName;
  } catch {
    return path; // nothing but a suffix
  }
}

/** @param name without layers @returns undefined for what says nothing */
export function fileSign(name: StoredPath): FileSign | undefined {
  if (TRANSFER_FILES.has(name)) return undefined;
  if (DATA_DIRECTORY_FILES.has(name)) return 'data directory';
  const sign = PATTERNS.find(([pattern]) => pattern.test(name))?.[1];
  return sign ?? (OF_A_SERVER.test(name) ? undefined : 'foreign');
}
