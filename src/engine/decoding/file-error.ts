import { XbstreamError } from '../../errors.js';
import { pathText, type StoredPath } from '../../format/stored-path.js';

/** A codec knows nothing of files: here its error gets the name of the stored file. */
export function ofFile(error: unknown, storedPath: StoredPath): Error {
  if (!(error instanceof XbstreamError)) return error instanceof Error ? error : new Error(String(error));
  if (error.path !== undefined) return error;
  const { code, message, details, hints } = error;
  return new XbstreamError(code, `${pathText(storedPath)}: ${message}`, { path: storedPath, details, hints });
}
