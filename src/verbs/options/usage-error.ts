import { XbstreamError } from '../../errors.js';

/** A command line that cannot be followed, and what to type instead. */
export function usageError(message: string, ...hints: string[]): XbstreamError {
  return new XbstreamError('XB_USAGE', message, { hints });
}
