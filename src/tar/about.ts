/** What stands in a tar before the header of a file and is about it: names and records (POSIX.1-2001, "pax Interchange Format"). */
import { rawPath, type StoredPath } from '../format/stored-path.js';

const BLOCK_BYTES = 512;

/** Types of headers, behind which records for the next file come, or for all. */
export const ABOUT_NEXT = 'x'.charCodeAt(0);
export const ABOUT_ALL = 'g'.charCodeAt(0);
/** GNU's: a name that is too long for a header, and that of a link; the oldest way to write the first. */
const LONG_NAMES: readonly number[] = ['L', 'K', 'N'].map((type) => type.charCodeAt(0));

/** The values of records, a character a byte, by their keys; of several with one key the last counts. */
export type Records = ReadonlyMap<string, StoredPath>;

/** How many blocks stand behind a header that are about another one. */
export function blocksBehind(header: Buffer): number {
  const type = header[156]!; // typeflag (offset 156, length 1)
  if (type !== ABOUT_NEXT && type !== ABOUT_ALL && !LONG_NAMES.includes(type)) return 0;
  return Math.ceil((sizeField(header) ?? 0) / BLOCK_BYTES);
}

/**
 * The size that a header states, in bytes: 0 for one in base 256, which is GNU's way to write what octal digits cannot hold.
 *
 * @returns undefined where it states none
 */
export function sizeField(header: Buffer): number | undefined {
  const field = header.toString('latin1', 124, 136); // size (offset 124, length 12)
  if (field >= '\x80') return 0;
  const digits = /^[ \0]*([0-7]*)(?:[ \0]|$)/.exec(field)?.[1];
  return digits === undefined ? undefined : parseInt(`0${digits}`, 8);
}

/**
 * Reads records: each is its own length, a blank, the key, an equals sign, the value and a line break.
 *
 * @returns undefined where they are something else
 */
export function parseRecords(bytes: Buffer): Records | undefined {
  const text = bytes.toString('latin1');
  const records = new Map<string, StoredPath>();
  // What is left of the last block may count as theirs.
  for (let at = 0; at < text.length && text[at] !== '\0';) {
    const blank = text.indexOf(' ', at);
    const digits = text.slice(at, blank);
    const end = at + Number(digits);
    const equals = text.indexOf('=', blank);
    const isRecord = /^\d{1,8}$/.test(digits) && equals > blank + 1 && equals < end && text[end - 1] === '\n';
    if (!isRecord) return undefined;
    records.set(text.slice(blank + 1, equals), rawPath(text.slice(equals + 1, end - 1)));
    at = end;
  }
  return records;
}

/**
 * A number in a header, in octal digits or in base 256 (GNU tar manual, "Basic Tar Format").
 *
 * @returns undefined for what is none, or is larger than any file
 */
export function numberField(header: Buffer, at: number, bytes: number): number | undefined {
  const field = header.subarray(at, at + bytes);
  if (field[0]! === 0x80) {
    const value = field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
    return Number.isSafeInteger(value) ? value : undefined;
  }
  const digits = /^ *([0-7]+)(?:[ \0]|$)/.exec(field.toString('latin1'))?.[1];
  return digits === undefined ? undefined : parseInt(digits, 8);
}
