/** One JSON line. JsonFields that are undefined are left out; the text is safe on a terminal and the same to a parser. */
import type { XbstreamError } from '../../errors.js';
import { exactPath } from '../printable.js';

/** What a line says beside its type. */
export type JsonFields = Readonly<Record<string, unknown>>;

/** What JSON allows as it is but a terminal may act on, or not show. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

function escapeUnits(characters: string): string {
  return characters
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}

export function jsonLine(type: string, fields: JsonFields): string {
  return `${JSON.stringify({ type, ...fields }).replace(UNSAFE, escapeUnits)}\n`;
}

/** The summary of a run that came to nothing: a command line that cannot be followed, an input that cannot be opened. */
export function failedSummaryLine(elapsedSeconds: number): string {
  return jsonLine('summary', { ok: false, archiveBytes: 0, elapsedSeconds });
}

/** A stored path as its best reading, and its exact bytes where that is not all. */
export function pathFields(path: string | undefined, name: 'path' | 'partial' = 'path'): JsonFields {
  if (path === undefined) return {};
  const { text, base64 } = exactPath(path);
  return { [name]: text, [`${name}Base64`]: base64 };
}

/** The fields of an error, empty lists left out. */
export function errorFields(error: XbstreamError): JsonFields {
  const { code, path, message, partial, archiveOffset, systemCode, details, hints } = error;
  return {
    code,
    ...pathFields(path),
    message,
    ...pathFields(partial, 'partial'),
    archiveOffset,
    systemCode,
    details: details.length > 0 ? details : undefined,
    hints: hints.length > 0 ? hints : undefined,
  };
}
