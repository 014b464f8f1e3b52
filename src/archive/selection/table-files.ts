/** Which file of a backup belongs to which table (format.md, "Names as xtrabackup writes them"). */
import { pathText, type StoredPath } from '../../format/stored-path.js';

/** What a file is to its table. */
export type TableFileKind =
  /** The content of an InnoDB table or a partition; a table dropped or renamed during the backup may follow. */
  | 'tablespace'
  /** The same of one that was made anew during the backup, in the place of whatever had the name. */
  | 'new'
  /** Holds the name that the tablespace of this name has got during the backup. */
  | 'renamed'
  /** The tablespace of this name was dropped during the backup, or what was copied of it is damaged: the prepare deletes it. */
  | 'dropped'
  /** The content of a table of another engine. */
  | 'data'
  /** What the server knows of a table or a view. */
  | 'definition'
  /** What comes beside content: indexes, links, triggers. */
  | 'companion'
  /** A file that tells its table by a number, or by its content: those of the whole database are taken. */
  | 'of-some-table';

/** Names are those of files, not of SQL. */
export interface TableFile {
  database: string;
  table: string;
  /** Of a partition its own name; else that of the table. */
  part: string;
  kind: TableFileKind;
  /** Of a renamed or dropped one whose name is a number: xtrabackup 8.4 tells the tablespace by its number, not by its name. */
  spaceId?: number;
}

/** What is done to a table's file when it is backed up shows in suffixes behind its own name. */
const BACKUP_SUFFIX = /\.(?:qp|lz4|zst|xbcrypt|delta|meta)$/;

const KINDS: readonly (readonly [file: RegExp, kind: TableFileKind])[] = [
  // InnoDB's tables behind a full-text index have the number of their table; MariaDB's files of triggers hold its name.
  [/^()(?:(?:FTS|fts)_[0-9a-f]{16}_.*|.*\.TRN)$/, 'of-some-table'],
  [/^(.+?)(?:\.ibd)?\.new$/, 'new'],
  [/^(.+)\.ren$/, 'renamed'],
  [/^(.+)\.(?:del|ibd\.crpt)$/, 'dropped'],
  [/^(.+)\.ibd$/, 'tablespace'],
  [/^(.+)\.(?:MYD|MAD|CSV|ARZ|MRG|rocksdb)$/, 'data'],
  [/^(.+)\.frm$/, 'definition'],
  // MySQL 8 puts a number behind the name of a MyISAM table's description.
  [/^(.+)_\d+\.sdi$/, 'companion'],
  [/^(.+)\.(?:isl|par|cfg|cfp|exp|MYI|MAI|CSM|ARM|TRG|sdi)$/, 'companion'],
];

/** `t#P#p0`, `t#p#p0#sp#s1`: a partition of `t`. */
const PARTITION = /#[Pp]#.*$/;

/** The number of a tablespace: 32 bits. */
const SPACE_ID = /^\d{1,10}$/;

/** What a stored file is to a table. Undefined where it is nothing to any. */
export function tableFileOf(path: StoredPath): TableFile | undefined {
  const parts = pathText(path).split('/');
  if (parts.length !== 2) return undefined;
  const [database, file] = parts as [string, string];
  const name = withoutBackupSuffixes(file);
  for (const [pattern, kind] of KINDS) {
    const part = pattern.exec(name)?.[1];
    if (part === undefined) continue;
    const file = { database, table: tableOfPart(part), part, kind };
    return SPACE_ID.test(part) && /\.(?:ren|del)$/.test(name) ? { ...file, spaceId: Number(part) } : file;
  }
  return undefined;
}

/** What says which tablespace it is, and what it is called in the end. */
export interface TablespaceName {
  database: string;
  part: string;
}

/** What a `.ren` file holds: in MariaDB's the name of a tablespace, in MySQL's that of its file. */
export interface NewName extends TablespaceName {
  isFile: boolean;
}

/** Reads it. */
export function renamedTo(text: string): NewName | undefined {
  // No name of a tablespace holds a dot.
  const found = /^(?:\.\/)?([^/\n]+)\/([^/\n]+?)(\.ibd)?\n?$/.exec(text);
  return found === null ? undefined : { database: found[1]!, part: found[2]!, isFile: found[3] !== undefined };
}

/** Whether the content of this file begins with the number of a tablespace, or tells it: see {@link spaceIdOf}. */
export function tellsSpaceId(path: StoredPath): boolean {
  return tableFileOf(path)?.kind === 'tablespace' && !/\.delta(?:\.|$)/.test(path);
}

/** Where a tablespace has its number, twice: in the header of its first page, and in what that page says of the space. */
const [IN_PAGE, IN_SPACE] = [34, 38];
/** How many bytes are needed to tell. */
const SPACE_ID_BYTES = IN_SPACE + 4;

/**
 * The number of a tablespace (format.md, "Names as xtrabackup writes them"). Undefined where there is none.
 *
 * @param content the beginning of the tablespace, or the `.meta` file of an incremental backup
 */
export function spaceIdOf(path: StoredPath, content: Buffer): number | undefined {
  if (/\.meta(?:\.|$)/.test(path)) {
    const found = /^space_id\s*=\s*(\d{1,10})$/m.exec(content.toString('latin1'))?.[1];
    return found === undefined ? undefined : Number(found);
  }
  if (content.length < SPACE_ID_BYTES) return undefined;
  const number = content.readUInt32BE(IN_PAGE);
  return number === content.readUInt32BE(IN_SPACE) ? number : undefined;
}

export function tableOfPart(part: string): string {
  return part.replace(PARTITION, '');
}

/**
 * Whether the definition of a table says that it has no content of its own: of a view, or of an engine that stores none.
 *
 * @param definition the content of a `.frm` file, or the beginning of it
 */
export function hasNoContent(definition: Buffer): boolean {
  if (definition.toString('latin1', 0, 9) === 'TYPE=VIEW') return true;
  // Byte 3 is the engine's number: MEMORY, FEDERATED, BLACKHOLE.
  return definition[0] === 0xfe && definition[1] === 1 && [6, 18, 19].includes(definition[3]!);
}

/** `@@character_set_database` of a database and the like, in MariaDB and before MySQL 8. */
export function isDatabaseOptions(path: StoredPath): boolean {
  return withoutBackupSuffixes(path).endsWith('/db.opt');
}

/** MyRocks keeps all its tables in one place, whose files name none: in MariaDB `#rocksdb`, in Percona Server `.rocksdb`. */
export function isInSharedStore(path: StoredPath): boolean {
  return /^[#.]rocksdb\//.test(path);
}

/** Whether a table's definition (`.frm`) says that its content lies there. */
export function isOfSharedStore(definition: Buffer): boolean {
  // Its number differs from server to server: such an engine is known by its name, before which its length stands.
  return definition[0] === 0xfe && definition[1] === 1 && definition.includes('\x07\0ROCKSDB', 0, 'latin1');
}

/** Whether a file is of no one table, and what a prepare needs: system tablespace, undo, redo, stores, what the backup tells of itself. */
export function isNeededByPrepare(path: StoredPath): boolean {
  return !path.includes('/') || path.startsWith('#innodb_') || isInSharedStore(path);
}

/** Whether no prepare can be without it, where the backup has it. */
export function isVitalToPrepare(path: StoredPath): boolean {
  const name = withoutBackupSuffixes(path);
  return /^(?:ibdata\d+|ib_logfile\d+|xtrabackup_logfile|(?:xtrabackup|mariadb_backup)_checkpoints)$/.test(name);
}

function withoutBackupSuffixes(file: string): string {
  let name = file;
  while (BACKUP_SUFFIX.test(name)) name = name.replace(BACKUP_SUFFIX, '');
  return name;
}
