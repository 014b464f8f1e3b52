/** The rows of the table of databases in a report. */
import { tableFileOf } from '../archive/selection/table-files.js';
import type { IndexEntry } from '../archive/index.js';
import { sqlOfFileName } from '../format/sql-name.js';
import type { StoredPath } from '../format/stored-path.js';
import { printable, printablePath } from '../ui/printable.js';
import { NOT_WHOLE, WHOLE, type DatabaseRow, type FileRow, type TableRow } from './page-data.js';

/** More files are not listed: a page must still open. Those that are not whole are, and the largest. */
const MAX_LISTED = 20_000;

/** What the files that belong to no database are called together. */
const SERVER_FILES = 'server files';

/** Where a file belongs, in names that can be shown. */
interface Place {
  directory: string;
  database: string;
  /** Its name in SQL, or, of what belongs to no table, that of the file. */
  table: string;
  /** As files have it. */
  tableFile: string;
  file: string;
}

interface Table {
  place: Place;
  bytes: number;
  files: { entry: IndexEntry; file: string }[];
}

interface Database {
  place: Place;
  bytes: number;
  tables: Map<string, Table>;
}

/** The files of an archive by database and table, the largest first. */
export interface DatabaseRows {
  databases: readonly DatabaseRow[];
  /** The ordinals of the entries, in the order in which their files are listed. */
  ordinals: readonly number[];
  unlisted: readonly [files: number, bytes: number];
}

/** @param entries in archive order */
export function databaseRows(entries: readonly IndexEntry[]): DatabaseRows {
  const listed = entries.length <= MAX_LISTED ? entries : [...entries].sort(byWorth).slice(0, MAX_LISTED);
  const databases = new Map<string, Database>();
  for (const entry of listed) note(databases, entry);
  const ordinals: number[] = [];
  const rows = [...databases.values()].sort(bySize).map(({ place, tables }): DatabaseRow => {
    const sorted = [...tables.values()].sort(bySize).map((table) => tableRow(table, ordinals));
    return [place.database, place.directory, sorted];
  });
  const total = sum(entries) - sum(listed);
  return { databases: rows, ordinals, unlisted: [entries.length - listed.length, total] };
}

function note(databases: Map<string, Database>, entry: IndexEntry): void {
  const place = placeOf(entry.path);
  const database = getOr(databases, place.directory, () => ({ place, bytes: 0, tables: new Map<string, Table>() }));
  const table = getOr(database.tables, place.tableFile, () => ({ place, bytes: 0, files: [] }));
  database.bytes += entry.bytes;
  table.bytes += entry.bytes;
  table.files.push({ entry, file: place.file });
}

function tableRow({ place, files }: Table, ordinals: number[]): TableRow {
  const sorted = files.sort((a, b) => bySize(a.entry, b.entry));
  ordinals.push(...sorted.map(({ entry }) => entry.ordinal));
  const rows = sorted.map(({ entry, file }): FileRow => {
    const isNamedSo = file.startsWith(place.tableFile);
    const name = isNamedSo ? `~${file.slice(place.tableFile.length)}` : `/${file}`;
    return [name, entry.bytes, entry.chunks, entry.complete ? WHOLE : NOT_WHOLE];
  });
  return [place.table, place.tableFile === place.table ? '' : place.tableFile, rows];
}

function placeOf(path: StoredPath): Place {
  const slash = path.indexOf('/', 1);
  const file = printablePath(path.slice(slash + 1));
  if (slash === -1) return { directory: '', database: SERVER_FILES, table: file, tableFile: file, file };
  const directory = printablePath(path.slice(0, slash));
  // Directories of InnoDB's own begin so.
  const isDatabase = /^[^#/]/.test(directory);
  const database = isDatabase ? printable(sqlOfFileName(directory)) : directory;
  const found = tableFileOf(path);
  if (found === undefined || found.table === '') return { directory, database, table: file, tableFile: file, file };
  return {
    ...{ directory, database, file },
    table: printable(sqlOfFileName(found.table)),
    tableFile: printable(found.table),
  };
}

function getOr<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

function bySize(a: { bytes: number }, b: { bytes: number }): number {
  return b.bytes - a.bytes;
}

/** What a page must not leave out comes first. */
function byWorth(a: IndexEntry, b: IndexEntry): number {
  return Number(a.complete) - Number(b.complete) || bySize(a, b);
}

function sum(entries: readonly IndexEntry[]): number {
  return entries.reduce((total, { bytes }) => total + bytes, 0);
}
