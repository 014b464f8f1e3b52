import type { ErrorRecord, XbstreamError, XbstreamErrorCode } from '../errors.js';
import { InputError } from '../input/input-error.js';
import type { InputChoice } from '../input/open-source.js';
import { withParts } from '../input/parts/part-hint.js';
import type { Source } from '../input/source.js';

/** Something is wrong with what an archive is wrapped in as a whole: nothing behind that place can be read. */
export class WrapperError extends InputError {
  static from({ code, message, ...facts }: ErrorRecord): WrapperError {
    return new WrapperError(code, message, facts);
  }
}

/** A file has no end, or lacks a part. */
const LACKING: ReadonlySet<XbstreamErrorCode> = new Set(['XB_MISSING_EOF', 'XB_GAP', 'XB_TRUNCATED']);

/**
 * What an input tells of the errors that were found in it: where in it the first one is that has a place in the archive, if that
 * is another place; what a file lacks; and whether it may be one part of several.
 *
 * @param source undefined where it could not be opened
 */
export function explained(
  found: readonly XbstreamError[],
  input: InputChoice,
  source: Source | undefined,
): readonly XbstreamError[] {
  return withParts(source === undefined ? found : withPlace(found, source), input);
}

function withPlace(found: readonly XbstreamError[], source: Source): readonly XbstreamError[] {
  const errors = found.map((error) => withLack(error, source));
  const index = errors.findIndex(({ archiveOffset }) => archiveOffset !== undefined);
  if (index === -1) return errors;
  const { wrappers = [] } = source;
  const place = source.placeOf?.(errors[index]!.archiveOffset!);
  if (place !== undefined) {
    return errors.with(
      index,
      errors[index]!.with({
        details: [`that is ${place}`],
      }),
    );
  }
  if (wrappers.length === 0) return errors;
  const error = errors[index]!;
  const around = `the archive is inside of ${[...wrappers].reverse().join(' data, inside of ')} data; its bytes are counted there`;
  const isNone = error.code === 'XB_BAD_MAGIC' && error.archiveOffset === 0;
  const details = isNone ? [`found inside of ${wrappers.join(' and ')} data`] : [around];
  return errors.with(index, error.with({ details, hints: isNone ? hintsWithout(wrappers) : [] }));
}

function withLack(error: XbstreamError, source: Source): XbstreamError {
  if (error.path === undefined || !LACKING.has(error.code)) return error;
  const lack = source.lackOf?.(error.path);
  return lack === undefined ? error : error.with({ details: [lack] });
}

/** What to do with what is wrapped, and is no archive. */
function hintsWithout(wrappers: readonly string[]): string[] {
  if (wrappers.includes('xbcrypt')) return ['an old format of encryption cannot prove a key: is it the right one?'];
  if (wrappers.at(-1) !== 'qpress') return [];
  return ['this is one compressed file, not a stream of files: decompress it with qpress -do FILE'];
}
