import type { StoredPath } from '../format/stored-path.js';
import { pathText } from '../format/stored-path.js';

/** What is done to a table's file when it is backed up shows in suffixes behind its own name. */
const BACKUP_SUFFIX = /\.(?:qp|lz4|zst|xbcrypt|delta|meta)$/;
/** What a table's files end in. */
const TABLE_FILE =
  /^(?<name>.+)\.(?:ibd|isl|frm|par|cfg|cfp|exp|MYD|MYI|MAD|MAI|MRG|CSV|CSM|ARZ|ARM|TRG|TRN|sdi|rocksdb)$/;
/** `t#P#p0`, `t#p#p0#sp#s1`: a partition of `t`. */
const PARTITION = /#[Pp]#.*$/;
/** InnoDB's tables behind a full-text index: they tell their table only by its number, so that all of a database are kept. */
const FULL_TEXT = /^(?:FTS|fts)_[0-9a-f]{16}_/;

/**
 * The pairs of letters and digits that MySQL's file names have for letters of some alphabets (its manual, "Mapping of
 * Identifiers to File Names"): which block has which pairs. Which pair is which letter would take a table of a thousand
 * lines; a name that differs only in such a letter is taken, too.
 */
const PAIR_BLOCKS: readonly (readonly [first: number, last: number, pairs: string])[] = [
  [0x00c0, 0x017f, '[0-4][g-z]'],
  [0x0370, 0x03ff, '[5-9][g-z]'],
  [0x0400, 0x052f, '[g-z][0-6]'],
  [0x0530, 0x058f, '[g-z][78]'],
  [0x2160, 0x217f, '[g-z]9'],
  [0x0180, 0x02af, '[g-z][a-k]'],
  [0x1e00, 0x1eff, '[g-z][l-r]'],
  [0x1f00, 0x1fff, '[g-z][s-z]'],
  [0x24b6, 0x24e9, '@[a-z]'],
  [0xff21, 0xff5a, '[a-z]@'],
];

/** A table by its SQL name: `shop.orders`, or with backquotes where a name holds a dot. */
export class TableName {
  /** As it was typed. */
  readonly text: string;
  /** Whether a file of it was seen. */
  matched = false;
  readonly #database: RegExp;
  readonly #table: RegExp;

  private constructor(text: string, database: string, table: string) {
    this.text = text;
    this.#database = new RegExp(`^${fileNamePattern(database)}$`, 'u');
    this.#table = new RegExp(`^${fileNamePattern(table)}$`, 'u');
  }

  /** @returns undefined when the text is not of the form `database.table` */
  static parse(text: string): TableName | undefined {
    const found = /^(?<database>`(?:[^`]|``)+`|[^`.]+)\.(?<table>`(?:[^`]|``)+`|[^`.]+)$/u.exec(text)?.groups;
    if (found === undefined) return undefined;
    return new TableName(text, unquoted(found['database']!), unquoted(found['table']!));
  }

  /** Whether a stored file is one of the table's. */
  owns(path: StoredPath, exists: boolean): boolean {
    const [database, file, ...rest] = pathText(path).split('/');
    if (file === undefined || rest.length > 0 || !this.#database.test(database!)) return false;
    const owned = this.#ownsFile(withoutBackupSuffixes(file));
    if (exists) this.matched ||= owned === 'table';
    return owned !== undefined;
  }

  #ownsFile(file: string): 'table' | 'database' | undefined {
    if (file === 'db.opt' || FULL_TEXT.test(file)) return 'database';
    const name = TABLE_FILE.exec(file)?.groups?.['name']?.replace(PARTITION, '');
    if (name === undefined) return undefined;
    // MySQL 8 puts a number behind the name of a MyISAM table's description.
    const names = file.endsWith('.sdi') ? [name, name.replace(/_\d+$/, '')] : [name];
    return names.some((candidate) => this.#table.test(candidate)) ? 'table' : undefined;
  }
}

/** Whether a file belongs to no table and is part of what a prepare needs: system tablespace, undo, redo, what the backup tells of itself. */
export function isNeededByPrepare(path: StoredPath): boolean {
  const slash = path.indexOf('/');
  return slash === -1 || /^#innodb_/.test(path);
}

function withoutBackupSuffixes(file: string): string {
  let name = file;
  while (BACKUP_SUFFIX.test(name)) name = name.replace(BACKUP_SUFFIX, '');
  return name;
}

function unquoted(name: string): string {
  return name.startsWith('`') ? name.slice(1, -1).replaceAll('``', '`') : name;
}

/** What a name may be as a file name: what is no plain letter is `@` and four hex digits, as a rule. */
function fileNamePattern(name: string): string {
  return Array.from(name, characterPattern).join('');
}

function characterPattern(character: string): string {
  if (/^[0-9A-Za-z_]$/.test(character)) return character;
  const plain = character.replace(/[\\^$.*+?()[\]{}|/]/u, String.raw`\$&`);
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  const hex = units.map((unit) => `@${hexPattern(unit)}`).join('');
  const pairs = PAIR_BLOCKS.filter(([first, last]) => units.length === 1 && units[0]! >= first && units[0]! <= last);
  return `(?:${[plain, hex, ...pairs.map(([, , pair]) => `@${pair}`)].join('|')})`;
}

function hexPattern(unit: number): string {
  return unit
    .toString(16)
    .padStart(4, '0')
    .replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
}
