/** Plans in which order pipelines make the files of an archive. */
import { XbstreamError } from '../../errors.js';
import { crc32 } from '../../format/crc32.js';
import { FileNames } from '../../format/file-names.js';
import type { StoredPath } from '../../format/stored-path.js';
import type { ArchiveIndex, IndexEntry } from '../../archive/index.js';
import { PARTIAL_ENDING } from '../../output/directory/partial-name.js';
import { SEGMENTED_BYTES_MIN } from './segments.js';

/** Where only checksums are to be held, a larger file is shared, in parts of about this size. */
const PART_BYTES = 64 * 1024 * 1024;

/** What there is to do in an archive, in the order in which pipelines take it. */
export interface WorkPlan {
  /** Files, or parts of them. */
  files: readonly IndexEntry[];
  /** Places of files that would keep one pipeline busy when the others have nothing left: they are made together. */
  stragglers: ReadonlySet<number>;
  /** What the archive looked like: pipelines that saw another have not done the same work. */
  signature: number;
}

/**
 * Plans to go through an archive file by file, where its files do not depend on each other.
 *
 * @param index with extents
 * @param chunkBytesMin with smaller chunks on average it does not pay
 * @param inParts a file may be cut into parts, between chunks: each of these is looked at by itself
 * @param pipelines how many there are
 * @param finalNameOf the name that a file gets; missing where none is written
 * @returns undefined where it has to be read in its own order: something is wrong with it, it corrects itself, it is made of
 *   small pieces
 */
export function planWork(
  index: ArchiveIndex,
  chunkBytesMin: number,
  inParts: boolean,
  pipelines: number,
  finalNameOf?: (path: StoredPath) => StoredPath,
): WorkPlan | undefined {
  const { entries, corrections, problemCount, chunks, archiveBytes } = index;
  if (problemCount > 0 || corrections.length > 0 || archiveBytes < chunks * chunkBytesMin) return undefined;
  if (finalNameOf !== undefined && !areApart(entries, finalNameOf)) return undefined;
  const files = inParts ? entries.flatMap(partsOf) : [...entries];
  if (files.length === 0) return undefined;
  // The largest first, so that the last ones to be taken are small. Those that are an end chunk alone come last.
  files.sort((a, b) => b.bytes - a.bytes || a.ordinal - b.ordinal);
  const offsets = Float64Array.from(files, ({ archiveOffset }) => archiveOffset);
  const stragglers = inParts ? new Set<number>() : stragglersOf(files, pipelines);
  return { files, stragglers, signature: crc32(Buffer.from(offsets.buffer)) + archiveBytes };
}

/** Whether no pipeline can come upon what another has written: each knows its own files only. */
function areApart(entries: readonly IndexEntry[], finalNameOf: (path: StoredPath) => StoredPath): boolean {
  const names = new FileNames();
  try {
    return entries.every(({ path }) => {
      const name = finalNameOf(path);
      // What one stores under such a name another would take for the residue of an earlier run.
      return !name.endsWith(PARTIAL_ENDING) && names.take(name) === undefined;
    });
  } catch (error) {
    // One has a name that no file can have: a reading in order says so.
    if (error instanceof XbstreamError) return false;
    throw error;
  }
}

/** Files that are larger than a fair share of what there is left when their turn comes. */
function stragglersOf(files: readonly IndexEntry[], pipelines: number): Set<number> {
  const found = new Set<number>();
  let leftBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  files.forEach(({ bytes }, index) => {
    if (bytes >= SEGMENTED_BYTES_MIN && bytes * pipelines > leftBytes) found.add(index);
    leftBytes -= bytes;
  });
  return found;
}

function partsOf(entry: IndexEntry): IndexEntry[] {
  const { extents, bytes } = entry;
  const count = Math.min(Math.ceil(bytes / PART_BYTES), extents?.length ?? 0);
  if (extents === undefined || count < 2) return [entry];
  const chunkAt = (part: number): number => Math.floor((part * extents.length) / count);
  return Array.from({ length: count }, (_, part) => ({
    ...entry,
    bytes: bytes / count,
    extents: extents.slice(chunkAt(part), chunkAt(part + 1)),
  }));
}
