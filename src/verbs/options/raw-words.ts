import { readFileSync } from 'node:fs';
import { pathFromText, rawPath, type StoredPath } from '../../format/stored-path.js';

/**
 * Words of the command line as paths, with the bytes that were typed. Node makes text of them, in which bytes that are no
 * UTF-8 are lost; where that has happened the system is asked.
 *
 * @param words some of `argv`
 * @param argv as `process.argv`
 */
export function rawWords(words: readonly string[], argv: readonly string[]): StoredPath[] {
  if (!words.some((word) => word.includes('\ufffd'))) return words.map(pathFromText);
  const typed = typedWords(argv);
  return words.map((word) => {
    const raw = typed.get(word)?.shift();
    return raw ?? pathFromText(word);
  });
}

/** What was typed for each word of `argv`, in order. */
function typedWords(argv: readonly string[]): Map<string, StoredPath[]> {
  const typed = new Map<string, StoredPath[]>();
  try {
    const all = readFileSync('/proc/self/cmdline', 'latin1').split('\0').slice(0, -1);
    // Words for Node itself come before ours, and are no part of argv.
    for (const raw of all.slice(-argv.length)) {
      const text = Buffer.from(raw, 'latin1').toString('utf8');
      typed.set(text, [...(typed.get(text) ?? []), rawPath(raw)]);
    }
  } catch {
    // No such file on this system.
  }
  return typed;
}
