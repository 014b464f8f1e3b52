import type { DecryptionKey } from '../../codec/codec.js';
import { smallContent, type DecodedBudget } from '../../codec/small-content.js';
import { layersOf } from '../../codec/stored-layers.js';
import type { StoredPath } from '../../format/stored-path.js';

/** The files in which a backup tells of itself: what they are, by their names without what was done to them. */
const KINDS = {
  xtrabackup_info: 'info',
  mariadb_backup_info: 'info',
  xtrabackup_checkpoints: 'checkpoints',
  mariadb_backup_checkpoints: 'checkpoints',
  xtrabackup_binlog_info: 'binlog',
  mariadb_backup_binlog_info: 'binlog',
  xtrabackup_slave_info: 'replica',
  mariadb_backup_slave_info: 'replica',
  'backup-my.cnf': 'config',
  'backup_metadata.json': 'metadata',
  xtrabackup_tablespaces: 'tablespaces',
} as const;

/** There is one of each kind, but any number of links (`.isl`). */
export type SmallFileKind = (typeof KINDS)[keyof typeof KINDS] | 'link';

/** Most bytes of such a file when it is decoded. */
const MAX_TEXT_BYTES = 1024 * 1024;
/** The same of a link: it is a path. */
const MAX_LINK_BYTES = 8 * 1024;

const BOTH = { decrypt: true, decompress: true };

/** What a stored file tells of the backup, if it is one of those. */
export function smallFileKind(path: StoredPath): SmallFileKind | undefined {
  if (!path.includes('.isl') && (path.length > 200 || path.includes('/'))) return undefined;
  try {
    const { finalName } = layersOf(path, BOTH);
    if (finalName.endsWith('.isl')) return 'link';
    return Object.hasOwn(KINDS, finalName) ? KINDS[finalName as keyof typeof KINDS] : undefined;
  } catch {
    return undefined; // a name that is nothing but a suffix
  }
}

/**
 * The text of such a file.
 *
 * @param content as it is stored
 * @param budget of all such files of the archive
 * @throws XbstreamError what {@link smallContent} throws
 */
export function smallFileText(
  path: StoredPath,
  content: Buffer,
  key: DecryptionKey | undefined,
  budget: DecodedBudget,
): string {
  const mostBytes = smallFileKind(path) === 'link' ? MAX_LINK_BYTES : MAX_TEXT_BYTES;
  return smallContent(path, content, key, { mostBytes, budget }).toString('utf8');
}
