/**
 * Decides by name which entries are wanted.
 *
 * A pattern without a slash is matched against the file's own name and against each directory's, one with a slash against
 * the path and each leading part of it: `db1`, `db1/*` and `*.ibd` mean what they look like.
 */
import type picomatch from 'picomatch';
import { XbstreamError } from '../../errors.js';
import { sqlOfFileName, sqlText } from '../../format/sql-name.js';
import { isComponent } from '../../format/plain-path.js';
import { pathText, type StoredPath } from '../../format/stored-path.js';
import { lookAt } from '../../input/look.js';
import { installedPackage } from '../../installed-package.js';
import { isNeededByPrepare, isVitalToPrepare, tableFileOf } from './table-files.js';
import { TableSelection, type TableMetadata } from './table-selection.js';

/** Which entries are wanted; all when nothing is given. */
export interface SelectionChoice {
  /** Globs; an entry is wanted when one of them matches its final name, or when there is none. */
  include: readonly string[];
  /** Globs; an entry that matches one is not wanted, whatever `include` says. */
  exclude: readonly string[];
  /** Tables by their SQL names (`shop.orders`, `shop.*`): their files are wanted, and those that a prepare needs. */
  tables?: readonly string[] | undefined;
  /** Databases by their SQL names: all their files are wanted, and those that a prepare needs. */
  databases?: readonly string[] | undefined;
  /** With `tables` and `databases`: leave out what only a prepare needs. */
  tablesAlone?: boolean | undefined;
}

/** What xtrabackup puts behind a name for what it did to the file; a pattern may leave it away. */
const LAYER_SUFFIX = /\.(?:qp|lz4|zst|xbcrypt)$/;

export class Selection {
  readonly #include: readonly Pattern[];
  readonly #exclude: readonly Pattern[];
  readonly #tables: TableSelection;
  readonly #forPrepare: boolean;
  #asked = false;
  #wanted = false;
  /** Databases of which an InnoDB table is wanted, as their directories are called. */
  readonly #databases = new Set<string>();
  /** A file that a prepare needs and that is not wanted. */
  #leftOut: StoredPath | undefined;

  /** @throws XbstreamError `XB_USAGE` for what is no pattern, and no name of a table or database */
  constructor(options: SelectionChoice) {
    this.#include = options.include.map((glob) => new Pattern(glob));
    this.#exclude = options.exclude.map((glob) => new Pattern(glob));
    this.#forPrepare = options.tablesAlone !== true;
    this.#tables = new TableSelection(options.tables ?? [], options.databases ?? [], this.#forPrepare);
  }

  /** Whether every entry is wanted. */
  get isEverything(): boolean {
    return this.#include.length === 0 && this.#exclude.length === 0 && this.#tables.isEmpty;
  }

  /** Whether an entry is wanted. What matches it is not {@link unmatched} any more. */
  wants(path: StoredPath): boolean {
    const isWanted = this.#wants(path, true);
    this.#asked = true;
    this.#wanted ||= isWanted;
    if (!this.isEverything) this.#noteForPrepare(path, isWanted);
    return isWanted;
  }

  /** Whether a file of this name would be wanted, if there were one. */
  covers(path: StoredPath): boolean {
    return this.#wants(path, false);
  }

  /** Whether this very name was asked for, and not only one that leaves suffixes away. */
  asksFor(path: StoredPath): boolean {
    if (this.#include.length === 0 && this.#tables.isEmpty) return true;
    const names = ownNamesOf(pathText(path));
    return (
      this.#include.some((pattern) => pattern.matches(names, false)) ||
      this.#tables.owns(path, false) ||
      (!this.#tables.isEmpty && this.#forPrepare && isNeededByPrepare(path))
    );
  }

  /** Whether a file of this name is left out whatever else is said. */
  excludes(path: StoredPath): boolean {
    if (this.#exclude.length === 0) return false;
    const names = namesOf(pathText(path));
    return this.#exclude.some((pattern) => pattern.matches(names, false));
  }

  /** Whether the content of this file, wanted or not, says which other files are: see {@link learn}. */
  tells(path: StoredPath): boolean {
    return this.#tables.tells(path);
  }

  /** Takes note of what names alone say of which files are meant: of all there are, before {@link learn}. */
  learnNames(paths: Iterable<StoredPath>): void {
    this.#tables.learnNames(paths);
  }

  /** What was wanted before may not be now, and the other way round. */
  learn(metadata: readonly TableMetadata[]): void {
    for (const file of metadata) this.#tables.learn(file);
  }

  /** The errors for tables that were renamed, of which only a number is known: see {@link TableSelection.unknownRenames}. */
  unknownRenames(leftOut: readonly StoredPath[]): XbstreamError[] {
    return this.#tables.unknownRenames(leftOut);
  }

  /** Forgets which entries it was asked about. */
  restart(): void {
    this.#asked = this.#wanted = false;
    this.#databases.clear();
    this.#leftOut = undefined;
    for (const pattern of [...this.#include, ...this.#exclude]) pattern.matched = false;
    this.#tables.restart();
  }

  #wants(path: StoredPath, exists: boolean): boolean {
    if (this.isEverything) return true;
    const names = namesOf(pathText(path));
    // Every pattern is asked, so that each knows whether it ever matched.
    const included = this.#include.filter((pattern) => pattern.matches(names, exists)).length > 0;
    const excluded = this.#exclude.filter((pattern) => pattern.matches(names, exists)).length > 0;
    const isOfTable = this.#tables.owns(path, exists);
    const isNeeded = !this.#tables.isEmpty && this.#forPrepare && isNeededByPrepare(path);
    const isOpen = this.#include.length === 0 && this.#tables.isEmpty;
    return (included || isOfTable || isNeeded || isOpen) && !excluded;
  }

  #noteForPrepare(path: StoredPath, isWanted: boolean): void {
    if (!isWanted) {
      if (this.#leftOut === undefined && isVitalToPrepare(path)) this.#leftOut = path;
      return;
    }
    const file = tableFileOf(path);
    if (file?.kind === 'tablespace' || file?.kind === 'new') this.#databases.add(file.database);
  }

  /** Why no prepare can make tables of what is wanted, where that is so. */
  get unpreparable(): string | undefined {
    if (this.#leftOut === undefined || this.#databases.size === 0) return undefined;
    const names = Array.from(this.#databases, (database) => sqlText(sqlOfFileName(database)));
    const some = names.slice(0, MOST_DATABASES_NAMED).join(',');
    return (
      `what is selected has InnoDB tables and cannot be prepared: it leaves out ${pathText(this.#leftOut)}; ` +
      `to take databases with all that a prepare needs: --databases=${some.includes('`') ? `'${some}'` : some}`
    );
  }

  /** Whether nothing was found of all that is asked for by name or pattern. */
  get isWithoutMatch(): boolean {
    return !this.#include.some(({ matched }) => matched) && this.#tables.isWithoutMatch;
  }

  /** The errors for what no entry matched, and for a selection that leaves nothing of an archive. */
  unmatched(): XbstreamError[] {
    const errors = this.#tables.unmatched();
    const globs = this.#include.filter((pattern) => !pattern.matched).map(({ glob }) => glob);
    if (globs.length > 0) {
      const what = globs.length === 1 ? 'this pattern' : 'these patterns';
      // Who named a second archive, or a part.
      const file = globs.find((glob) => lookAt(glob)?.isFile() === true);
      const isHere = `${file} is a file here: a call reads one archive, and several parts of one with --parts`;
      errors.push(
        new XbstreamError('XB_NO_MATCH', `nothing in the archive matches ${what}: ${globs.join('  ')}`, {
          hints: [...(file === undefined ? [] : [isHere]), 'to see the names in it: tsxbstream list ARCHIVE'],
        }),
      );
    }
    if (errors.length === 0 && this.#asked && !this.#wanted) errors.push(everythingExcluded());
    return errors;
  }

  /** The error for entries that went by before it was known that they are wanted. */
  passedOver(paths: readonly StoredPath[]): XbstreamError {
    return this.#tables.passedOver(paths);
  }
}

/** Most databases that a warning names. */
const MOST_DATABASES_NAMED = 5;

function everythingExcluded(): XbstreamError {
  return new XbstreamError('XB_NO_MATCH', 'every file of the archive is excluded', {
    hints: ['to see the names in it: tsxbstream list ARCHIVE'],
  });
}

/** Most characters that a pattern may have: picomatch takes no more. */
const MOST_CHARACTERS = 65_536;

function noPattern(what: string, hint: string): XbstreamError {
  return new XbstreamError('XB_USAGE', `this is no pattern: ${what}`, { hints: [hint] });
}

class Pattern {
  readonly glob: string;
  matched = false;
  readonly #matches: (name: string) => boolean;
  readonly #wholePath: boolean;

  constructor(glob: string) {
    this.glob = glob;
    // As stored names are made plain.
    const plain = glob.split('/').filter(isComponent).join('/');
    if (plain === '') throw noPattern(`"${glob}" names no file`, 'to take all files: leave the pattern away');
    if (plain.length > MOST_CHARACTERS) {
      throw noPattern(
        `it has more than ${MOST_CHARACTERS} characters`,
        'several patterns are possible, each by itself',
      );
    }
    this.#wholePath = plain.includes('/');
    // A name that is in the archive letter by letter matches, whatever it would mean as a glob (`t2#P#p0.ibd` is harmless,
    // `a[1].ibd` is not).
    // As in a shell: `[!12]` is none of these.
    const matches = globs()(plain, { dot: true, posix: true, nonegate: true });
    this.#matches = (name) => name === plain || matches(name);
  }

  /** @param exists there is a file of these names: take note if it matches */
  matches(names: Names, exists: boolean): boolean {
    const found = (this.#wholePath ? names.leadingPaths : names.components).some((name) => this.#matches(name));
    if (exists) this.matched ||= found;
    return found;
  }
}

interface Names {
  leadingPaths: readonly string[];
  components: readonly string[];
}

/** What a pattern may mean when it means this path as it is stored. */
function ownNamesOf(path: string): { leadingPaths: string[]; components: string[] } {
  const components = path.replace(/^\//, '').split('/');
  const leadingPaths = components.map((_, index) => components.slice(0, index + 1).join('/'));
  return { leadingPaths, components };
}

/** All that a pattern may mean when it means this path. */
function namesOf(path: string): Names {
  const { leadingPaths, components } = ownNamesOf(path);
  for (let [path, last] = [leadingPaths.at(-1)!, components.at(-1)!]; LAYER_SUFFIX.test(path);) {
    path = path.replace(LAYER_SUFFIX, '');
    last = last.replace(LAYER_SUFFIX, '');
    leadingPaths.push(path);
    components.push(last);
  }
  return { leadingPaths, components };
}

/** Loaded when there is a pattern: most extractions have none. */
function globs(): typeof picomatch {
  return installedPackage('picomatch') as typeof picomatch;
}
