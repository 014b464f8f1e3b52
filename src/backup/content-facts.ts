import type { StoredPath } from '../format/stored-path.js';
import { undoneName } from './file-signs.js';

/** What the names of a backup's files tell. */
export interface ContentFacts {
  system: 'MariaDB' | 'MySQL' | undefined;
  /** Without these no server starts on it. */
  hasAccounts: boolean;
  isIncremental: boolean;
  /** A prepare with `--export` has been done. */
  isExported: boolean;
  /** Some of its tablespaces lie outside of the data directory: links say where. */
  hasLinks: boolean;
  /** Some of its tables have partitions. */
  hasPartitions: boolean;
  /** Some of its tables have full-text indexes. */
  hasFullText: boolean;
}

const OF_MARIADB =
  /^(?:aria_log(?:_control|\.\d+)|mariadb_backup_\w+|mysql\/(?:gtid_slave_pos|global_priv)\..+|.+\.MA[DI])$/;
const OF_MYSQL = /^(?:mysql\.ibd|undo_\d+|#innodb_redo\/.+|.+\.sdi)(?:\.delta|\.meta)?$/;
const PARTITION = /\/[^/]+#[Pp]#[^/]+\.(?:ibd|new)(?:\.delta|\.meta)?$/;
const FULL_TEXT = /\/(?:FTS|fts)_[0-9a-f]{16}_[^/]+\.(?:ibd|new)(?:\.delta|\.meta)?$/;
const ACCOUNTS = /^mysql\/(?:user|global_priv)\./;

export function contentFacts(paths: Iterable<StoredPath>): ContentFacts {
  const facts: ContentFacts = {
    system: undefined,
    hasAccounts: false,
    isIncremental: false,
    isExported: false,
    hasLinks: false,
    hasPartitions: false,
    hasFullText: false,
  };
  for (const path of paths) {
    const name = undoneName(path);
    if (OF_MARIADB.test(name)) facts.system = 'MariaDB';
    else if (OF_MYSQL.test(name)) facts.system ??= 'MySQL';
    facts.hasAccounts ||= ACCOUNTS.test(name);
    facts.isIncremental ||= name.endsWith('.delta');
    facts.isExported ||= name.endsWith('.cfg');
    facts.hasLinks ||= name.endsWith('.isl');
    facts.hasPartitions ||= PARTITION.test(name);
    facts.hasFullText ||= FULL_TEXT.test(name);
  }
  return facts;
}
