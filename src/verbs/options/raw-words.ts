/** Words of the command line by the bytes that were typed. Node makes text of them, in which bytes that are no UTF-8 are lost. */
import { readFileSync } from 'node:fs';
import { isUtf8, pathFromText, rawPath, type StoredPath } from '../../format/stored-path.js';
import { usageError } from './usage-error.js';

/** What was typed for words in which something may be lost, in order, by the text that they have become. */
export type TypedWords = ReadonlyMap<string, readonly StoredPath[]>;

/**
 * Asks the system what was typed, where something may be lost: to be done before anything is written over the command line.
 *
 * @param argv as `process.argv`
 */
export function typedWords(argv: readonly string[]): TypedWords {
  const typed = new Map<string, StoredPath[]>();
  if (!argv.some(mayBeLost)) return typed;
  try {
    const all = readFileSync('/proc/self/cmdline', 'latin1').split('\0').slice(0, -1);
    // Words for Node itself come before ours, and are no part of argv.
    for (const raw of all.slice(-argv.length)) {
      const text = Buffer.from(raw, 'latin1').toString('utf8');
      if (mayBeLost(text)) typed.set(text, [...(typed.get(text) ?? []), rawPath(raw)]);
    }
  } catch {
    // No such file on this system.
  }
  return typed;
}

function mayBeLost(text: string): boolean {
  return text.includes('\ufffd');
}

/** Words as paths, with the bytes that were typed. */
export function rawWords(words: readonly string[], typed: TypedWords): StoredPath[] {
  const left = new Map(Array.from(typed, ([text, raw]) => [text, [...raw]]));
  return words.map((word) => left.get(word)?.shift() ?? pathFromText(word));
}

/**
 * A word, or what stands at the end of one, is to be used as a path as it is.
 *
 * @param what what it is, for the message
 * @throws XbstreamError `XB_USAGE` where something of it is lost: it would lead elsewhere
 */
export function assertExact(what: string, text: string, typed: TypedWords): void {
  const isLost = mayBeLost(text) && Array.from(typed).some(([word, raw]) => word.endsWith(text) && !raw.every(isUtf8));
  if (!isLost) return;
  throw usageError(
    `${what} is not UTF-8: ${text}`,
    'make a link to it that has another name (ln -s), or go there first (cd)',
  );
}
