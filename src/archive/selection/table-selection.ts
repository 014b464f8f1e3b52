/**
 * Which files belong to tables and databases that are asked for by their SQL names: all that the prepare turns into them,
 * so that what a table is called after the backup counts, and not what it was called before.
 */
import { XbstreamError } from '../../errors.js';
import { shellWord } from '../../format/shell-word.js';
import { pathText, type StoredPath } from '../../format/stored-path.js';
import {
  hasNoContent,
  isDatabaseOptions,
  isInSharedStore,
  isOfSharedStore,
  renamedTo,
  spaceIdOf,
  tableFileOf,
  tableOfPart,
  tellsSpaceId,
  type NewName,
  type TableFile,
  type TablespaceName,
} from './table-files.js';
import { renamedByNumber, sqlOf, wentBy, type NumberedRename } from './renamed-tables.js';
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
  /** Its content lies in one place with that of others. */
  isStored: boolean;
  /** What its tablespace is called now. */
  renamedTo: TablespaceName | undefined;
}

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
  readonly #renames = new Map<string, NewName>();
  /** By the tablespaces' numbers. */
  readonly #numbered = new Map<number, NumberedRename>();
  /** The names of tablespaces that were dropped. */
  readonly #dropped = new Set<string>();
  /** Names that a tablespace made during the backup has got. */
  readonly #madeAnew = new Set<string>();
  /** Databases that the prepare renames replaced tablespaces into; undefined until somebody asks, and after more was learnt. */
  #renamedInto: ReadonlySet<string> | undefined;
  /** Something is told by the number of a tablespace. */
  #needsNumbers = false;
  /** Tablespaces by their numbers, as far as they are known. */
  readonly #spaces = new Map<number, TableFile>();
  /** The names of those. */
  readonly #namesWithNumber = new Set<string>();
  /** Tables that have no content to look for. */
  readonly #contentless = new Set<StoredPath>();
  /** Tables whose content lies in one place with that of others. */
  readonly #stored = new Set<StoredPath>();
  #sights = new Map<string, Sight>();
  #seenDatabases = new Set<string>();
  /** That place is there. */
  #hasStore = false;
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
    if (file === undefined) return false;
    const { kind } = file;
    if (kind === 'renamed' || kind === 'dropped') return true;
    if (kind === 'definition') return this.#askedTables.has(keyOf(file));
    // One that is gone needs none, and may be damaged.
    return kind === 'tablespace' && this.#needsNumbers && tellsSpaceId(path) && !this.#dropped.has(partKey(file));
  }

  /** Takes note of what names alone say of which files are meant. */
  learnNames(paths: Iterable<StoredPath>): void {
    if (this.isEmpty || !this.#forPrepare) return;
    this.#renamedInto = undefined;
    for (const path of paths) {
      const file = tableFileOf(path);
      if (file?.kind === 'new') this.#madeAnew.add(partKey(file));
    }
  }

  learn({ path, content }: TableMetadata): void {
    const file = tableFileOf(path)!;
    this.#renamedInto = undefined;
    if (file.kind === 'definition' && hasNoContent(content)) this.#contentless.add(path);
    if (file.kind === 'definition' && isOfSharedStore(content)) this.#stored.add(path);
    if (file.kind === 'renamed') this.#learnName(path, file, content);
    if (file.kind === 'dropped' && file.spaceId === undefined) this.#dropped.add(partKey(file));
    if (file.kind === 'dropped' && file.spaceId !== undefined) this.#needsNumbers = true;
    if (file.kind === 'tablespace') this.#learnNumber(file, spaceIdOf(path, content));
  }

  #learnName(path: StoredPath, file: TableFile, content: Buffer): void {
    const name = renamedTo(content.toString('latin1'));
    if (name === undefined) return;
    if (name.isFile && file.spaceId !== undefined) {
      this.#needsNumbers = true;
      this.#numbered.set(file.spaceId, { path, from: file.database, name });
    } else {
      this.#renames.set(partKey(file), name);
    }
  }

  #learnNumber(file: TableFile, spaceId: number | undefined): void {
    if (spaceId === undefined) return;
    this.#spaces.set(spaceId, file);
    this.#namesWithNumber.add(partKey(file));
    const renamed = this.#numbered.get(spaceId);
    if (renamed !== undefined) this.#renames.set(partKey(file), renamed.name);
  }

  /**
   * The errors for tables that were renamed, where only the number of the tablespace is known, and one asked for may be
   * among them.
   *
   * @param leftOut files that are not wanted
   */
  unknownRenames(leftOut: readonly StoredPath[]): XbstreamError[] {
    const unknown = [...this.#numbered].filter(([spaceId]) => !this.#spaces.has(spaceId));
    if (unknown.length === 0) return [];
    const tablespaces = leftOut.flatMap((path) => tableFileOf(path) ?? []).filter(({ kind }) => kind === 'tablespace');
    const incomplete = new Set(tablespaces.map(({ database }) => database));
    const found = unknown.filter(
      ([, { from, name }]) =>
        incomplete.has(from) &&
        (this.#askedDatabases.has(name.database) ||
          this.#askedTables.has(keyOf({ ...name, table: tableOfPart(name.part) })) ||
          this.#tables.some((table) => table.database === from && this.#sightOf(keyOf(table)).tablespaces.size > 0)),
    );
    return found.length === 0 ? [] : [renamedByNumber(found)];
  }

  /** Forgets which files it was asked about. */
  restart(): void {
    this.#sights = new Map();
    this.#seenDatabases = new Set();
    this.#hasStore = false;
    this.#similar = new Map();
  }

  /** @param exists there is a file of this name: take note of it */
  owns(path: StoredPath, exists: boolean): boolean {
    if (this.isEmpty) return false;
    if (exists) this.#hasStore ||= isInSharedStore(path);
    const stored = tableFileOf(path);
    if (stored === undefined) return this.#ownsDatabase(pathText(path).split('/', 1)[0]!, path, exists);
    const file = this.#named(stored);
    const owner = this.#ownerOf(file);
    const key = keyOf(owner);
    const isAsked = this.#askedTables.has(key);
    if (exists) {
      if (isAsked) this.#note(path, file, this.#sightOf(key));
      if (owner !== file && this.#askedTables.has(keyOf(file))) this.#sightOf(keyOf(file)).renamedTo = owner;
      if (!isAsked) this.#noteSimilar(owner);
      this.#noteNumbered(stored);
    }
    return this.#ownsDatabase(owner.database, path, exists) || isAsked || this.#needsToo(file);
  }

  /** A file that tells its tablespace by a number, as if it told the name. */
  #named(file: TableFile): TableFile {
    if (file.spaceId === undefined || (file.kind === 'renamed' && !this.#numbered.has(file.spaceId))) return file;
    const tablespace = this.#spaces.get(file.spaceId);
    // In MariaDB's backups a number is a name as any other.
    const isName = file.kind === 'dropped' && this.#namesWithNumber.has(partKey(file));
    return tablespace === undefined || isName ? file : { ...tablespace, kind: file.kind };
  }

  /**
   * The prepare may stop where the log tells of a tablespace that is left out, of which another has got the name: one made
   * during the backup, or shortly before. So both are taken. What belongs to a full-text index, and which trigger to which
   * table, no name tells; nor does the number of a tablespace that was dropped.
   */
  #needsToo(file: TableFile): boolean {
    const { kind, database, spaceId } = file;
    if (!this.#forPrepare || !this.#touched.has(database)) return false;
    if (kind === 'tablespace' || kind === 'renamed') return this.#isReplaced(partKey(file));
    return kind === 'new' || kind === 'of-some-table' || (kind === 'dropped' && spaceId !== undefined);
  }

  /** The prepare renames into directories that are there: this is in each. */
  #needsDatabase(database: string): boolean {
    if (this.#touched.has(database)) return true;
    this.#renamedInto ??= this.#databasesRenamedInto();
    return this.#renamedInto.has(database);
  }

  #databasesRenamedInto(): ReadonlySet<string> {
    const databases = new Set<string>();
    for (const [old, now] of this.#renames) {
      if (this.#touched.has(old.slice(0, old.indexOf('/'))) && this.#isReplaced(old)) databases.add(now.database);
    }
    return databases;
  }

  /**
   * The tablespace of this name was renamed, and another was made under its name, as pt-online-schema-change does. (MySQL's
   * prepare goes by numbers, and does not mistake one for the other.)
   */
  #isReplaced(key: string): boolean {
    return this.#madeAnew.has(key) && this.#renames.get(key)?.isFile === false;
  }

  #ownsDatabase(database: string, path: StoredPath, exists: boolean): boolean {
    if (!path.includes('/')) return false;
    const isAsked = this.#askedDatabases.has(database);
    if (isAsked && exists) this.#seenDatabases.add(database);
    return isAsked || (this.#forPrepare && isDatabaseOptions(path) && this.#needsDatabase(database));
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
        isStored: false,
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
    sight.isStored ||= this.#stored.has(path);
    sight.hasContent ||= file.kind === 'new' || file.kind === 'data' || this.#contentless.has(path);
  }

  /** A tablespace of which only the number is known is there where all of its database is taken. */
  #noteNumbered({ kind, spaceId, database }: TableFile): void {
    if (kind !== 'renamed' || spaceId === undefined || !this.#askedDatabases.has(database)) return;
    const name = this.#numbered.get(spaceId)?.name;
    const key = name === undefined ? '' : keyOf({ ...name, table: tableOfPart(name.part) });
    if (this.#askedTables.has(key)) this.#sightOf(key).hasContent = true;
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
    return (
      sight.hasContent ||
      (sight.isStored && this.#hasStore) ||
      [...sight.tablespaces].some((part) => !sight.dropped.has(part))
    );
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
   * The error for files that went by before it was known that they are wanted.
   *
   * @param paths as they are stored
   */
  passedOver(paths: readonly StoredPath[]): XbstreamError {
    const files = paths.flatMap((path) => tableFileOf(path) ?? []);
    return wentBy(
      files.map((file) => {
        const owner = this.#ownerOf(file);
        const isAsked = this.#askedTables.has(keyOf(owner)) || this.#askedDatabases.has(owner.database);
        return { file, became: sqlOf(owner), isAsked };
      }),
      paths.filter((path) => tableFileOf(path) === undefined),
    );
  }
}

const TO_SEE_NAMES = 'to see the names in it: tsxbstream list ARCHIVE';

function keyOf({ database, table }: { database: string; table: string | undefined }): string {
  return `${database}/${table ?? ''}`;
}

function partKey({ database, part }: TablespaceName): string {
  return `${database}/${part}`;
}

function textsOf(names: readonly AskedName[]): string {
  return names.map(({ text }) => text).join('  ');
}
