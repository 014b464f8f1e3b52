import { XbstreamError } from '../../errors.js';
import { sqlOfFileName, sqlText } from '../../format/sql-name.js';
import { pathText, type StoredPath } from '../../format/stored-path.js';
import {
  hasNoContent,
  renamedTo,
  tableFileOf,
  tableOfPart,
  type TableFile,
  type TablespaceName,
} from './table-files.js';
import { askedDatabase, askedTable, type AskedName } from './table-names.js';

/** The content of a file that says something of others. */
export interface TableMetadata {
  path: StoredPath;
  content: Buffer;
}

/** What has been seen of a table. */
interface Sight {
  /** Tablespaces that became its own. */
  tablespaces: Set<string>;
  /** Tablespaces of its name that were dropped. */
  dropped: Set<string>;
  /** It has content of another kind. */
  hasContent: boolean;
  /** There is a definition of it. */
  definition: boolean;
  /** What its tablespace is called now. */
  renamedTo: TablespaceName | undefined;
}

/**
 * Which files belong to tables and databases that are asked for by their SQL names: all that the prepare turns into them,
 * so that what a table is called after the backup counts, and not what it was called before.
 */
export class TableSelection {
  readonly #tables: readonly AskedName[];
  readonly #databases: readonly AskedName[];
  /** Tables asked for, by their SQL names in lower case. */
  readonly #loweredTables: ReadonlyMap<string, string>;
  readonly #askedTables: ReadonlySet<string>;
  readonly #askedDatabases: ReadonlySet<string>;
  /** Databases of which something is asked for. */
  readonly #touched: ReadonlySet<string>;
  /** By the tablespaces' old names. */
  readonly #renames = new Map<string, TablespaceName>();
  /** Tables that have no content to look for. */
  readonly #contentless = new Set<StoredPath>();
  #sights = new Map<string, Sight>();
  #seenDatabases = new Set<string>();
  /** Names seen that differ from one asked for in upper and lower case alone. */
  #similar = new Map<string, TableFile>();

  /** Also what only a prepare needs is wanted. */
  readonly #forPrepare: boolean;

  /**
   * @param forPrepare also take what only a prepare needs
   * @throws XbstreamError `XB_USAGE` for what is no name
   */
  constructor(tables: readonly string[], databases: readonly string[], forPrepare: boolean) {
    this.#forPrepare = forPrepare;
    const asked = [...tables.map(askedTable), ...databases.map(askedDatabase)];
    this.#tables = asked.filter(({ table }) => table !== undefined);
    this.#databases = asked.filter(({ table }) => table === undefined);
    this.#loweredTables = new Map(this.#tables.map((table) => [sqlOf(table).toLowerCase(), keyOf(table)]));
    this.#askedTables = new Set(this.#tables.map(keyOf));
    this.#askedDatabases = new Set(this.#databases.map(({ database }) => database));
    this.#touched = new Set(asked.map(({ database }) => database));
  }

  get isEmpty(): boolean {
    return this.#touched.size === 0;
  }

  /** Whether the content of this file says something of which files are meant: see {@link learn}. */
  tells(path: StoredPath): boolean {
    if (this.isEmpty) return false;
    const file = tableFileOf(path);
    return file?.kind === 'renamed' || (file?.kind === 'definition' && this.#askedTables.has(keyOf(file)));
  }

  learn({ path, content }: TableMetadata): void {
    const file = tableFileOf(path)!;
    if (file.kind === 'definition') {
      if (hasNoContent(content)) this.#contentless.add(path);
      return;
    }
    const name = renamedTo(content.toString('latin1'));
    if (name !== undefined) this.#renames.set(partKey(file), name);
  }

  /** Forgets which files it was asked about. */
  restart(): void {
    this.#sights = new Map();
    this.#seenDatabases = new Set();
    this.#similar = new Map();
  }

  /** @param exists there is a file of this name: take note of it */
  owns(path: StoredPath, exists: boolean): boolean {
    if (this.isEmpty) return false;
    const file = tableFileOf(path);
    if (file === undefined) return this.#ownsDatabase(pathText(path).split('/', 1)[0]!, path, exists);
    const owner = this.#ownerOf(file);
    const key = keyOf(owner);
    const isAsked = this.#askedTables.has(key);
    if (exists) {
      if (isAsked) this.#note(path, file, this.#sightOf(key));
      if (owner !== file && this.#askedTables.has(keyOf(file))) this.#sightOf(keyOf(file)).renamedTo = owner;
      if (!isAsked) this.#noteSimilar(owner);
    }
    return this.#ownsDatabase(owner.database, path, exists) || isAsked || this.#needsToo(file);
  }

  /**
   * The prepare may stop where the log tells of a tablespace that is left out, of which another has got the name: one made
   * during the backup, or shortly before. What belongs to a full-text index, and which trigger to which table, no name tells.
   */
  #needsToo({ kind, database }: TableFile): boolean {
    return this.#forPrepare && this.#touched.has(database) && (kind === 'new' || kind === 'of-some-table');
  }

  #ownsDatabase(database: string, path: StoredPath, exists: boolean): boolean {
    if (!path.includes('/')) return false;
    const isAsked = this.#askedDatabases.has(database);
    if (isAsked && exists) this.#seenDatabases.add(database);
    return isAsked || (this.#forPrepare && path.endsWith('/db.opt') && this.#touched.has(database));
  }

  /** Whose it is in the end. */
  #ownerOf(file: TableFile): TableFile {
    const name = file.kind === 'tablespace' || file.kind === 'renamed' ? this.#renames.get(partKey(file)) : undefined;
    return name === undefined ? file : { ...name, table: tableOfPart(name.part), kind: file.kind };
  }

  #sightOf(key: string): Sight {
    let sight = this.#sights.get(key);
    if (sight === undefined) {
      sight = {
        tablespaces: new Set(),
        dropped: new Set(),
        hasContent: false,
        definition: false,
        renamedTo: undefined,
      };
      this.#sights.set(key, sight);
    }
    return sight;
  }

  #note(path: StoredPath, file: TableFile, sight: Sight): void {
    if (file.kind === 'tablespace') sight.tablespaces.add(partKey(file));
    else if (file.kind === 'dropped') sight.dropped.add(partKey(file));
    else if (file.kind === 'definition') sight.definition = true;
    sight.hasContent ||= file.kind === 'new' || file.kind === 'data' || this.#contentless.has(path);
  }

  #noteSimilar(owner: TableFile): void {
    const asked = this.#loweredTables.get(sqlOf(owner).toLowerCase());
    if (asked !== undefined) this.#similar.set(asked, owner);
  }

  /** Whether nothing at all was found of what is asked for. */
  get isWithoutMatch(): boolean {
    return (
      this.#missingTables.length === this.#tables.length && this.#missingDatabases.length === this.#databases.length
    );
  }

  /** The errors for tables of which there is no content, and databases of which there is nothing. */
  unmatched(): XbstreamError[] {
    const [tables, databases] = [this.#missingTables, this.#missingDatabases];
    const errors: XbstreamError[] = [];
    if (tables.length > 0) {
      const what = tables.length === 1 ? 'this table' : 'these tables';
      errors.push(
        new XbstreamError('XB_NO_MATCH', `the archive holds no data of ${what}: ${textsOf(tables)}`, {
          details: tables.flatMap((table) => this.#reasonOf(table) ?? []),
          hints: [...tables.flatMap((table) => this.#hintFor(table) ?? []), TO_SEE_NAMES],
        }),
      );
    }
    if (databases.length > 0) {
      const what = databases.length === 1 ? 'this database' : 'these databases';
      errors.push(
        new XbstreamError('XB_NO_MATCH', `the archive holds no file of ${what}: ${textsOf(databases)}`, {
          hints: [TO_SEE_NAMES],
        }),
      );
    }
    return errors;
  }

  get #missingTables(): AskedName[] {
    return this.#tables.filter((table) => !this.#hasContent(this.#sights.get(keyOf(table))));
  }

  get #missingDatabases(): AskedName[] {
    return this.#databases.filter(({ database }) => !this.#seenDatabases.has(database));
  }

  #hasContent(sight: Sight | undefined): boolean {
    if (sight === undefined) return false;
    return sight.hasContent || [...sight.tablespaces].some((part) => !sight.dropped.has(part));
  }

  #reasonOf(table: AskedName): string | undefined {
    const sight = this.#sights.get(keyOf(table));
    if (sight === undefined) return undefined;
    if (sight.renamedTo !== undefined)
      return `${table.text} was renamed to ${sqlOf(sight.renamedTo)} while the backup was taken`;
    if (sight.dropped.size > 0) return `${table.text} was dropped while the backup was taken`;
    if (!sight.definition) return undefined;
    return `of ${table.text} there is a definition (.frm) alone: its data may be in ibdata1, or the backup has lost it`;
  }

  #hintFor(table: AskedName): string | undefined {
    const renamed = this.#sights.get(keyOf(table))?.renamedTo;
    if (renamed !== undefined) return `to take it under its new name: --tables ${shellWord(sqlOf(renamed))}`;
    const similar = this.#similar.get(keyOf(table));
    return similar === undefined ? undefined : `upper and lower case differ in names: there is ${sqlOf(similar)}`;
  }

  /**
   * The error for files that went by before it was known that they become tables asked for.
   *
   * @param paths as they are stored
   */
  passedOver(paths: readonly StoredPath[]): XbstreamError {
    const files = paths.flatMap((path) => tableFileOf(path) ?? []);
    const renamed = new Map(files.map((file) => [sqlOf(file), sqlOf(this.#ownerOf(file))]));
    const old = new Set(files.map(({ database, part }) => `--include '${database}/${part}.*'`));
    const tables = [...new Set(renamed.values())];
    return new XbstreamError('XB_NO_MATCH', `what became ${tables.join(', ')} had another name when it came by`, {
      details: Array.from(renamed, ([before, now]) => `${before} was renamed to ${now} while the backup was taken`),
      hints: [
        'read the archive from a file instead of a pipe: new names are looked for first then',
        `or take the files of the old names, too: ${[...old].join(' ')}`,
      ],
    });
  }
}

const TO_SEE_NAMES = 'to see the names in it: tsxbstream list ARCHIVE';

function keyOf({ database, table }: { database: string; table: string | undefined }): string {
  return `${database}/${table ?? ''}`;
}

function partKey({ database, part }: TablespaceName): string {
  return `${database}/${part}`;
}

function sqlOf({ database, ...name }: TablespaceName | TableFile | AskedName): string {
  const table = 'part' in name ? tableOfPart(name.part) : (name.table ?? '*');
  return sqlText(sqlOfFileName(database), sqlOfFileName(table));
}

function textsOf(names: readonly AskedName[]): string {
  return names.map(({ text }) => text).join('  ');
}

/** A word as a shell takes it for itself. */
function shellWord(word: string): string {
  return word.includes('`') ? `'${word}'` : word;
}
