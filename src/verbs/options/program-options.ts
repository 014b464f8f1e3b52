/** Checks the options that a program gives to a function of the library. */
import { XbstreamError } from '../../errors.js';
import { ID_MAX } from '../../output/directory/owner.js';
import { closest } from './suggestion.js';

/** What a value that a program gives has to be; a list of words stands for one of them. */
export type ProgramKind =
  'boolean' | 'count' | 'text' | 'texts' | 'key' | 'date' | 'owner' | 'function' | 'signal' | readonly string[];

/**
 * Checks the options of a function before anything is done.
 *
 * @param kinds every option there is
 * @throws XbstreamError `XB_USAGE` for an unknown option, or a value of the wrong kind
 */
export function checkOptions(options: unknown, kinds: Readonly<Record<string, ProgramKind>>): void {
  if (typeof options !== 'object' || options === null) throw wrongKind('the options', 'an object', options);
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(kinds, name)) {
      const similar = closest(name, Object.keys(kinds));
      const hints = similar === undefined ? [] : [`did you mean ${similar}?`];
      hints.push(`there are: ${Object.keys(kinds).sort().join(', ')}`);
      throw new XbstreamError('XB_USAGE', `there is no option ${name}`, { hints });
    }
    if (value !== undefined) checkKind(`the option ${name}`, kinds[name]!, value);
  }
}

function checkKind(what: string, kind: ProgramKind, value: unknown): void {
  if (typeof kind !== 'string') {
    if (typeof value === 'string' && kind.includes(value)) return;
    throw wrongKind(what, `one of ${kind.join(', ')}`, value);
  }
  const { title, fits } = KINDS[kind];
  if (!fits(value)) throw wrongKind(what, title, value);
}

const KINDS: Readonly<
  Record<Exclude<ProgramKind, readonly string[]>, { title: string; fits: (value: unknown) => boolean }>
> = {
  boolean: { title: 'true or false', fits: (value) => typeof value === 'boolean' },
  count: { title: 'a whole number, 0 or more', fits: (value) => Number.isSafeInteger(value) && Number(value) >= 0 },
  text: { title: 'a string', fits: isText },
  texts: { title: 'an array of strings', fits: (value) => Array.isArray(value) && value.every(isText) },
  key: { title: 'bytes or a string', fits: (value) => typeof value === 'string' || value instanceof Uint8Array },
  date: { title: 'a Date', fits: (value) => value instanceof Date && !Number.isNaN(value.getTime()) },
  owner: { title: 'an object with uid, gid or both', fits: isOwner },
  function: { title: 'a function', fits: (value) => typeof value === 'function' },
  signal: { title: 'an AbortSignal', fits: (value) => value instanceof AbortSignal },
};

/** What the system takes for a name, or we for a pattern. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !value.includes('\0');
}

function isOwner(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const ids = Object.entries(value).filter(([, id]) => id !== undefined);
  return (
    ids.length > 0 &&
    ids.every(([name, id]) => (name === 'uid' || name === 'gid') && Number.isInteger(id) && id >= 0 && id <= ID_MAX)
  );
}

/** @throws XbstreamError `XB_USAGE` for what is no string that can name something */
export function checkText(what: string, value: unknown): void {
  checkKind(what, 'text', value);
}

function wrongKind(what: string, expected: string, found: unknown): XbstreamError {
  const shown = found === null ? 'null' : Array.isArray(found) ? 'an array' : typeof found;
  return new XbstreamError('XB_USAGE', `${what} must be ${expected}`, { details: [`found: ${shown}`] });
}
