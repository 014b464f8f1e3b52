/** What the script of a report is given, as JSON in the page: short, since there may be tens of thousands of files. */

/** A stored file is whole, or it is not. */
export const WHOLE = 0;
export const NOT_WHOLE = 1;

/**
 * The name (`~` stands for that of the table, as files have it; a name that is something else follows a `/`), the size in
 * bytes, the number of chunks, and {@link WHOLE} or {@link NOT_WHOLE}.
 */
export type FileRow = readonly [name: string, bytes: number, chunks: number, state: number];

/** A table: its name in SQL, the same as files have it where that is another (else empty), and its files. */
export type TableRow = readonly [name: string, fileName: string, files: readonly FileRow[]];

/** A database: its name, the directory that its files lie in (empty for those that lie in none), and its tables. */
export type DatabaseRow = readonly [name: string, directory: string, tables: readonly TableRow[]];

export interface PageData {
  /** The largest first; of each the largest table first. Files are numbered in this order, from 0. */
  databases: readonly DatabaseRow[];
  /** Files that are not listed, and their bytes: there are very many, and these are small. */
  unlisted: readonly [files: number, bytes: number];
  archiveBytes: number;
  cellBytes: number;
  /** The archive in parts of equal size: the numbers of the files that lie in each, those with most bytes there first. */
  cells: readonly (readonly number[])[];
  /** The numbers of the parts in which something is damaged. */
  damaged: readonly number[];
}
