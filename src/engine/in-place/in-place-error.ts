/** What went wrong with a file that was to be decoded where it lies, told as whoever decodes it knows it. */
import { XbstreamError } from '../../errors.js';
import { pathText, type StoredPath } from '../../format/stored-path.js';
import { shownPath, type EncodedFile } from './find-encoded.js';

const NO_ROOM: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT']);
const AGAIN = 'the same command goes on where this run stopped';

/**
 * An error of the output, or of a codec: its names are those below the root, and its hints those of an extraction.
 *
 * @param file which file it is about, if one
 * @param keepGoing the others are decoded all the same
 */
export function toldInPlace(error: XbstreamError, file: EncodedFile | undefined, keepGoing: boolean): XbstreamError {
  if (file === undefined) return error;
  const shown = shownPath(file);
  if (error.code === 'XB_TARGET_EXISTS' && error.path === file.finalPath) return exists(error, file);
  const { code, message, path, details, systemCode, cause } = error;
  const hints = NO_ROOM.has(systemCode) ? [`make room; ${AGAIN}`] : [...error.hints];
  if (!keepGoing) hints.push(`to decode the others: --keep-going; ${AGAIN}`);
  return new XbstreamError(code, withRoot(message, path, file.root), {
    path: shown,
    details: [...details, `${pathText(shown)} stays as it was`],
    ...{ hints, systemCode, cause },
  });
}

function exists(error: XbstreamError, file: EncodedFile): XbstreamError {
  const shown = shownPath(file);
  const final = shownPath({ root: file.root, path: file.finalPath });
  const message = `${pathText(final)} exists already, and is not what ${pathText(shown)} is decoded`;
  return new XbstreamError('XB_TARGET_EXISTS', message, {
    path: final,
    details: [...error.details.filter((detail) => !detail.includes('touched')), 'neither was touched'],
    hints: ['to replace it: --overwrite', 'to leave both alone: --skip-existing'],
  });
}

function withRoot(message: string, path: StoredPath | undefined, root: StoredPath): string {
  if (path === undefined) return message;
  return message.replace(pathText(path), () => pathText(shownPath({ root, path })));
}
