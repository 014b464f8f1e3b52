import type { Source } from '../../input/source.js';
import type { Lookback } from './byte-view.js';

/** What can be had again of a source: everything, where it can seek; else nothing. */
export function lookbackOf(source: Source): Lookback | undefined {
  if (!source.seekable || source.bytesAt === undefined) return undefined;
  const bytesAt = (archiveOffset: number, bytes: number): Buffer => source.bytesAt!(archiveOffset, bytes);
  return {
    bytesAt,
    endsAt: (archiveOffset) =>
      archiveOffset > 0 && bytesAt(archiveOffset, 1).length === 0 && bytesAt(archiveOffset - 1, 1).length === 1,
  };
}
