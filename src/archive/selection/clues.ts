/** The small files of an archive whose content says which other files belong to a table. */
import type { DecryptionKey } from '../../codec/codec.js';
import { smallContent } from '../../codec/small-content.js';
import { XbstreamError } from '../../errors.js';
import { pathText, type StoredPath } from '../../format/stored-path.js';
import { tableFileOf } from './table-files.js';
import type { Clue } from './table-selection.js';

/** Most bytes of such a file when it is decoded. */
const MOST_BYTES = 1024 * 1024;

/** Such a file as it is stored. */
export interface StoredClue {
  path: StoredPath;
  /** Undefined where it is too large. */
  content: Buffer | undefined;
}

/**
 * Undoes what was done to them.
 *
 * @returns also the errors for those that cannot be read and may concern any table
 */
export function readClues(
  stored: readonly StoredClue[],
  key: DecryptionKey | undefined,
): { clues: Clue[]; errors: XbstreamError[] } {
  const clues: Clue[] = [];
  const errors: XbstreamError[] = [];
  for (const { path, content } of stored) {
    try {
      if (content === undefined) throw new XbstreamError('XB_UNSUPPORTED_LAYER', 'it is too large for that');
      clues.push({ path, content: smallContent(path, content, key, MOST_BYTES) });
    } catch (error) {
      if (!(error instanceof XbstreamError)) throw error;
      // A definition that cannot be read speaks for its own table alone: it says nothing of its content.
      if (tableFileOf(path)?.kind === 'renamed') errors.push(unread(path, error));
    }
  }
  return { clues, errors };
}

function unread(path: StoredPath, { code, message, hints }: XbstreamError): XbstreamError {
  return new XbstreamError(code, `${pathText(path)} says what a table was renamed to, and cannot be read`, {
    path,
    details: [message, 'it may be one of the tables that are asked for'],
    hints,
  });
}
