/** Which words of a command line name the archive, and which are patterns. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { systemError } from '../../errors.js';
import { shellWord } from '../../format/shell-word.js';
import { looksLikeAddress, shownWord } from '../../input/address/address.js';
import { lookAt } from '../../input/look.js';
import { nextNames, partsApart, previousNames } from '../../input/parts/part-names.js';
import { usageError } from './usage-error.js';

/** More are not missing: the names have nothing to do with each other. */
const MISSING_MAX = 1000;

export interface ArchiveOperands {
  /** A path or `-`, or the parts of an archive in their order. */
  archive: string | readonly string[] | undefined;
  patterns: readonly string[];
}

/**
 * The first word is the archive. Words behind it that name the files which follow it are its further parts, and the others
 * are patterns; with `--parts` all are parts, and a directory stands for the files in it.
 *
 * @param call what was called, for hints
 * @param takesPatterns words that are no parts are patterns
 * @throws XbstreamError `XB_USAGE` for parts that are not all, or not in their order
 */
export function archiveOperands(
  isParts: boolean,
  operands: readonly string[],
  call: string,
  takesPatterns: boolean,
): ArchiveOperands {
  if (isParts) {
    const address = operands.find(looksLikeAddress);
    if (address !== undefined) throw usageError(`parts are files, and ${shownWord(address)} is an address`);
    const parts = asCounted(operands.flatMap(filesIn));
    if (parts.length === 0) throw usageError('--parts needs the parts', `${call} --parts ARCHIVE.00 ARCHIVE.01 ...`);
    assertAll(parts, call);
    return { archive: parts, patterns: [] };
  }
  const [first, ...others] = operands;
  if (first === undefined || first === '-') {
    if (!takesPatterns && others[0] !== undefined) throw secondArchive(others[0], call);
    return { archive: first, patterns: others };
  }
  let count = 1;
  while (count < operands.length && follows(operands[count - 1]!, operands[count]!)) count += 1;
  const second = takesPatterns ? undefined : operands[count];
  if (second !== undefined) throw secondArchive(second, call);
  if (count === 1) return { archive: first, patterns: others };
  const parts = asCounted(operands.slice(0, count));
  assertAll(parts, call);
  return { archive: parts, patterns: operands.slice(count) };
}

function secondArchive(word: string, call: string): Error {
  return usageError(
    `${call.replace(/^\S+ /, '')} takes one archive, and "${shownWord(word)}" is a second`,
    `${call} ARCHIVE`,
    `if they are the parts of one, in their order: ${call} --parts ...`,
  );
}

/** Whether two words name files that are parts of the same archive: patterns are not called so. */
function follows(word: string, next: string): boolean {
  const apart = partsApart(word, next) ?? Infinity;
  return Math.abs(apart) <= MISSING_MAX && isFile(word) && isFile(next);
}

function isFile(path: string): boolean {
  return lookAt(path)?.isFile() === true;
}

/** The files that a word stands for: those in it where it is a directory, in the order of their parts. */
function filesIn(word: string): string[] {
  if (lookAt(word)?.isDirectory() !== true) return [word];
  let names: string[];
  try {
    names = readdirSync(word);
  } catch (error) {
    throw systemError(`cannot read the directory ${word}`, error);
  }
  const files = names.flatMap((name) => (name.startsWith('.') ? [] : join(word, name))).filter(isFile);
  if (files.length === 0) throw usageError(`there are no parts in ${word}`);
  return files.sort((a, b) => -(partsApart(a, b) ?? (a < b ? 1 : -1)));
}

/** A pattern of the shell gives names by their letters: `x.1 x.10 x.2`. Then they are put in the order of what they count. */
function asCounted(parts: readonly string[]): string[] {
  const [first, ...others] = parts;
  const isByLetters = others.every((part, index) => parts[index]! < part);
  const places = new Map(parts.map((part) => [part, partsApart(first!, part)]));
  if (!isByLetters || [...places.values()].includes(undefined)) return [...parts];
  return parts.toSorted((a, b) => places.get(a)! - places.get(b)!);
}

/** @throws XbstreamError `XB_USAGE` naming the part that is missing, or where the order is wrong */
function assertAll(parts: readonly string[], call: string): void {
  for (const [index, part] of parts.slice(1).entries()) {
    const before = parts[index]!;
    const apart = partsApart(before, part);
    if (apart === 0) throw usageError(`${part} is given twice`, 'name each part once, in their order');
    if (apart !== undefined && apart < 0) {
      throw usageError(`${part} comes before ${before}, not behind it`, 'name the parts in their order');
    }
    if (apart !== undefined && apart > 1 && apart <= MISSING_MAX) {
      const missing = nextNames(before).find((name) => partsApart(name, part) === apart - 1);
      throw usageError(
        `a part is missing: ${missing ?? `between ${before} and ${part}`}`,
        `all of them, in their order: ${call} --parts ...`,
      );
    }
  }
  const [first, last] = [parts[0]!, parts.at(-1)!];
  // Only of names that are known to count.
  const isCounted = parts.length > 1 && partsApart(first, parts[1]!) === 1;
  const left = isCounted
    ? (previousNames(first).find((name) => isPart(name, parts[1]!, 2)) ??
      nextNames(last).find((name) => isPart(name, parts[0]!, -parts.length)))
    : undefined;
  if (left === undefined) return;
  throw usageError(
    `${left} is a part of the same archive, by its name, and was left out`,
    `${call} --parts ${(partsApart(left, first) === 1 ? [left, ...parts] : [...parts, left]).map(shellWord).join(' ')}`,
  );
}

/** Whether there is a file of this name that is so far from another part. */
function isPart(name: string, other: string, apart: number): boolean {
  return partsApart(name, other) === apart && isFile(name);
}
