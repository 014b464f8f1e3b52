/** Names of databases and tables, as SQL has them and as files have them (format.md, "Names as xtrabackup writes them"). */
import { LETTER_PAIRS } from './letter-pairs.js';

/** What stands before the name of a file that no name in SQL becomes, where SQL shows it. */
const NOT_ENCODED = '#mysql50#';

/** Names that a file cannot have on Windows get this behind them, on every system. */
const RESERVED_MARK = '@@@';
const RESERVED = /^(?:CON|PRN|AUX|NUL|COM[1-9]|LPT[1-9])$/i;

/** One letter of a file's name: a plain one, a pair, or four hex digits. */
const LETTER = /[0-9A-Za-z_]|@[0-9a-f]{4}|@[0-9A-Za-z@]{2}/y;

interface Pairs {
  ofLetter: ReadonlyMap<string, string>;
  letterOf: ReadonlyMap<string, string>;
}

let known: Pairs | undefined;

/** Made when a name needs it: most have plain letters alone. */
function pairs(): Pairs {
  if (known !== undefined) return known;
  const ofLetter = new Map<string, string>();
  const letterOf = new Map<string, string>();
  for (const [first, text] of LETTER_PAIRS) {
    for (let index = 0; 2 * index < text.length; index += 1) {
      const letter = String.fromCharCode(first + index);
      const pair = `@${text.slice(2 * index, 2 * index + 2)}`;
      ofLetter.set(letter, pair);
      letterOf.set(pair, letter);
    }
  }
  known = { ofLetter, letterOf };
  return known;
}

/**
 * The name that a server gives the file of a table, or the directory of a database.
 *
 * @returns undefined for what no server takes as a name: letters beyond the basic plane, NUL, none at all
 */
export function fileNameOfSql(name: string): string | undefined {
  if (name.startsWith(NOT_ENCODED)) return name.slice(NOT_ENCODED.length) || undefined;
  if (name === '' || /[\0\ud800-\udfff]/.test(name)) return undefined;
  if (RESERVED.test(name)) return name + RESERVED_MARK;
  return Array.from(name, encoded).join('');
}

function encoded(letter: string): string {
  if (/^[0-9A-Za-z_]$/.test(letter)) return letter;
  return pairs().ofLetter.get(letter) ?? `@${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** The name in SQL of what has this name as a file; as a server shows it, also where no name in SQL becomes that. */
export function sqlOfFileName(file: string): string {
  const name = decoded(file);
  return name !== undefined && fileNameOfSql(name) === file ? name : NOT_ENCODED + file;
}

function decoded(file: string): string | undefined {
  if (/^\w+$/.test(file)) return file;
  const letters = file.endsWith(RESERVED_MARK) ? file.slice(0, -RESERVED_MARK.length) : file;
  let name = '';
  for (LETTER.lastIndex = 0; LETTER.lastIndex < letters.length;) {
    const found = LETTER.exec(letters)?.[0];
    const letter = found === undefined ? undefined : decodedLetter(found);
    if (letter === undefined) return undefined;
    name += letter;
  }
  return name;
}

function decodedLetter(found: string): string | undefined {
  if (found.length === 1) return found;
  return found.length === 3 ? pairs().letterOf.get(found) : String.fromCharCode(Number.parseInt(found.slice(1), 16));
}

/** How SQL writes the name of a table: in backquotes where it must. */
export function sqlText(...names: readonly string[]): string {
  return names.map((name) => (/^[^\s.,`*]+$/.test(name) ? name : `\`${name.replaceAll('`', '``')}\``)).join('.');
}
