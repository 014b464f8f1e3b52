/** Names of tables and databases as people type them. */
import { XbstreamError } from '../../errors.js';
import { fileNameOfSql } from '../../format/sql-name.js';
import { looksLikeAddress, shownWord } from '../../input/address/address.js';

/** A table, or a whole database, that is asked for. Names are those of files. */
export interface AskedName {
  /** As it was typed. */
  text: string;
  database: string;
  /** Undefined for all tables of the database. */
  table: string | undefined;
}

const NAME = '`(?:[^`]|``)+`|[^`.]+';
const TABLE = new RegExp(`^(${NAME})\\.(${NAME})$`, 'u');
const DATABASE = new RegExp(`^(${NAME})$`, 'u');

/**
 * `shop.orders`, `shop.*`, or with backquotes where a name holds a dot.
 *
 * @throws XbstreamError `XB_USAGE`
 */
export function askedTable(text: string): AskedName {
  const [, database, table] = TABLE.exec(text) ?? [];
  // Many an address is one by its form, with what is secret in it as a name.
  if (database === undefined || table === undefined || looksLikeAddress(text)) {
    throw noName(
      text,
      'table',
      'a database and a table, as in SQL: shop.orders, or `my.shop`.orders where a name holds a dot',
    );
  }
  if (table === '*') return { text, database: fileName(database, text), table: undefined };
  const glob = [database, table].find((name) => !name.startsWith('`') && name.includes('*'));
  if (glob !== undefined) {
    throw noName(
      text,
      'table',
      'only * alone stands for many, all tables of a database: shop.*',
      'a name that holds a * is written in backquotes',
    );
  }
  return { text, database: fileName(database, text), table: fileName(table, text) };
}

/**
 * `shop`, or with backquotes where a name holds a dot.
 *
 * @throws XbstreamError `XB_USAGE`
 */
export function askedDatabase(text: string): AskedName {
  const [, database] = DATABASE.exec(text) ?? [];
  if (database === undefined || looksLikeAddress(text)) {
    throw noName(
      text,
      'database',
      'a table is asked for with --tables; a name that holds a dot is written in backquotes',
    );
  }
  return { text, database: fileName(database, text), table: undefined };
}

function fileName(typed: string, text: string): string {
  const name = typed.startsWith('`') ? typed.slice(1, -1).replaceAll('``', '`') : typed;
  const file = fileNameOfSql(name);
  if (file !== undefined) return file;
  throw noName(text, 'table', 'no server takes letters beyond U+FFFF in such a name');
}

function noName(text: string, what: string, ...hints: readonly string[]): XbstreamError {
  return new XbstreamError('XB_USAGE', `"${shownWord(text)}" is no name of a ${what}`, { hints });
}
