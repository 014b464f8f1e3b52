/** Reads what `tsxbstream report` has written. */
import assert from 'node:assert/strict';
import { inflateSync } from 'node:zlib';
import type { PageData } from '../../dist/report/page-data.js';

/** What the script of a page is given. */
export function dataOf(page: string): PageData {
  const [, packed] = /<script type="text\/plain" id="data">(.*?)<\/script>/s.exec(page) ?? [];
  assert.ok(packed !== undefined, 'the page has data');
  return JSON.parse(inflateSync(Buffer.from(packed, 'base64')).toString()) as PageData;
}

/** A listed file with its number, under its whole name. */
export interface ListedFile {
  number: number;
  table: string;
  database: string;
  bytes: number;
  isWhole: boolean;
}

/** The files that a page lists, by name. */
export function filesOf({ databases }: PageData): Map<string, ListedFile> {
  const files = new Map<string, ListedFile>();
  for (const [database, directory, tables] of databases) {
    for (const [table, fileName, rows] of tables) {
      for (const [written, bytes, , state] of rows) {
        const name = (written.startsWith('~') ? fileName || table : '') + written.slice(1);
        const path = directory === '' ? name : `${directory}/${name}`;
        files.set(path, { number: files.size, table, database, bytes, isWhole: state === 0 });
      }
    }
  }
  return files;
}
