import type { Source } from '../input/source.js';
import { errorToRecord, XbstreamError, type ErrorFacts, type ErrorRecord } from '../errors.js';

/** Something is wrong with what an archive is wrapped in as a whole: nothing behind that place can be read. */
export class WrapperError extends XbstreamError {
  static from({ code, message, ...facts }: ErrorRecord): WrapperError {
    return new WrapperError(code, message, facts);
  }

  override with(more: ErrorFacts): WrapperError {
    return WrapperError.from(errorToRecord(super.with(more)));
  }
}

/** Says of the first error that has a place in the archive which one that is in the input, where that is another. */
export function withPlace(errors: readonly XbstreamError[], source: Source | undefined): readonly XbstreamError[] {
  const index = errors.findIndex(({ archiveOffset }) => archiveOffset !== undefined);
  if (index === -1 || source === undefined) return errors;
  const { wrappers = [] } = source;
  const place = source.placeOf?.(errors[index]!.archiveOffset!);
  if (place !== undefined) {
    return errors.with(
      index,
      errors[index]!.with({
        details: [`that is ${place}; the parts follow each other in the order in which they were named`],
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

/** What to do with what is wrapped, and is no archive. */
function hintsWithout(wrappers: readonly string[]): string[] {
  if (wrappers.includes('xbcrypt')) return ['an old format of encryption cannot prove a key: is it the right one?'];
  if (wrappers.at(-1) !== 'qpress') return [];
  return ['this is one compressed file, not a stream of files: decompress it with qpress -do FILE'];
}
