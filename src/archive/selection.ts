import { createRequire } from 'node:module';
import type picomatch from 'picomatch';
import { XbstreamError } from '../errors.js';
import { pathText, type StoredPath } from '../format/stored-path.js';
import { isNeededByPrepare, TableName } from './table-names.js';

/** Which entries are wanted; all when nothing is given. */
export interface SelectionOptions {
  /** Globs; an entry is wanted when one of them matches its final name, or when there is none. */
  include: readonly string[];
  /** Globs; an entry that matches one is not wanted, whatever `include` says. */
  exclude: readonly string[];
  /** Tables by their SQL names (`shop.orders`): their files are wanted, and those that a prepare needs. */
  tables?: readonly string[] | undefined;
  /** With `tables`: leave out what only a prepare needs. */
  tablesAlone?: boolean | undefined;
}

/** What xtrabackup puts behind a name for what it did to the file; a pattern may leave it away. */
const LAYER_SUFFIX = /\.(?:qp|lz4|zst|xbcrypt)$/;

/**
 * Decides by name which entries are wanted.
 *
 * A pattern without a slash is matched against the file's own name and against each directory's, one with a slash against
 * the path and each leading part of it: `db1`, `db1/*` and `*.ibd` mean what they look like.
 */
export class Selection {
  readonly #include: readonly Pattern[];
  readonly #exclude: readonly Pattern[];
  readonly #tables: readonly TableName[];
  readonly #tablesAlone: boolean;
  #asked = false;
  #wanted = false;

  /** @throws XbstreamError `XB_USAGE` for what is no name of a table */
  constructor(options: SelectionOptions) {
    this.#include = options.include.map((glob) => new Pattern(glob));
    this.#exclude = options.exclude.map((glob) => new Pattern(glob));
    this.#tables = (options.tables ?? []).map(tableName);
    this.#tablesAlone = options.tablesAlone === true;
  }

  /** Whether every entry is wanted. */
  get isEverything(): boolean {
    return this.#include.length === 0 && this.#exclude.length === 0 && this.#tables.length === 0;
  }

  /** Whether an entry is wanted. What matches it is not {@link unmatched} any more. */
  wants(path: StoredPath): boolean {
    const isWanted = this.#wants(path, true);
    this.#asked = true;
    this.#wanted ||= isWanted;
    return isWanted;
  }

  /** Whether a file of this name would be wanted, if there were one. */
  covers(path: StoredPath): boolean {
    return this.#wants(path, false);
  }

  /** Whether this very name was asked for, and not only one that leaves suffixes away. */
  asksFor(path: StoredPath): boolean {
    if (this.#include.length === 0 && this.#tables.length === 0) return true;
    const names = ownNamesOf(pathText(path));
    return (
      this.#include.some((pattern) => pattern.matches(names, false)) ||
      this.#tables.some((table) => table.owns(path, false)) ||
      (this.#tables.length > 0 && !this.#tablesAlone && isNeededByPrepare(path))
    );
  }

  /** Whether a file of this name is left out whatever else is said. */
  excludes(path: StoredPath): boolean {
    if (this.#exclude.length === 0) return false;
    const names = namesOf(pathText(path));
    return this.#exclude.some((pattern) => pattern.matches(names, false));
  }

  #wants(path: StoredPath, exists: boolean): boolean {
    if (this.isEverything) return true;
    const names = namesOf(pathText(path));
    // Every pattern is asked, so that each knows whether it ever matched.
    const included = this.#include.filter((pattern) => pattern.matches(names, exists)).length > 0;
    const excluded = this.#exclude.filter((pattern) => pattern.matches(names, exists)).length > 0;
    const isOfTable = this.#tables.filter((table) => table.owns(path, exists)).length > 0;
    const isNeeded = this.#tables.length > 0 && !this.#tablesAlone && isNeededByPrepare(path);
    const isOpen = this.#include.length === 0 && this.#tables.length === 0;
    return (included || isOfTable || isNeeded || isOpen) && !excluded;
  }

  /** The error for patterns that no entry matched, and for a selection that leaves nothing of an archive. */
  unmatched(): XbstreamError | undefined {
    const tables = this.#tables.filter(({ matched }) => !matched).map(({ text }) => text);
    if (tables.length > 0) return noTable(tables);
    const globs = this.#include.filter((pattern) => !pattern.matched).map(({ glob }) => glob);
    if (globs.length === 0) return this.#asked && !this.#wanted ? everythingExcluded() : undefined;
    const what = globs.length === 1 ? 'this pattern' : 'these patterns';
    return new XbstreamError('XB_NO_MATCH', `nothing in the archive matches ${what}: ${globs.join('  ')}`, {
      hints: ['to see the names in it: tsxbstream list ARCHIVE'],
    });
  }
}

function tableName(text: string): TableName {
  const table = TableName.parse(text);
  if (table !== undefined) return table;
  throw new XbstreamError('XB_USAGE', `"${text}" is no name of a table`, {
    hints: ['a database and a table, as in SQL: shop.orders, or `my.shop`.orders where a name holds a dot'],
  });
}

function noTable(tables: readonly string[]): XbstreamError {
  const what = tables.length === 1 ? 'this table' : 'these tables';
  return new XbstreamError('XB_NO_MATCH', `the archive holds no file of ${what}: ${tables.join('  ')}`, {
    hints: ['to see the names in it: tsxbstream list ARCHIVE'],
  });
}

function everythingExcluded(): XbstreamError {
  return new XbstreamError('XB_NO_MATCH', 'every file of the archive is excluded', {
    hints: ['to see the names in it: tsxbstream list ARCHIVE'],
  });
}

class Pattern {
  readonly glob: string;
  matched = false;
  readonly #matches: (name: string) => boolean;
  readonly #wholePath: boolean;

  constructor(glob: string) {
    this.glob = glob;
    const plain = glob.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, '');
    this.#wholePath = plain.includes('/');
    // A name that is in the archive letter by letter matches, whatever it would mean as a glob (`t2#P#p0.ibd` is harmless,
    // `a[1].ibd` is not).
    const matches = globs()(plain, { dot: true });
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
  return createRequire(import.meta.url)('picomatch') as typeof picomatch;
}
