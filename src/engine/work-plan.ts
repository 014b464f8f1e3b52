import { crc32 } from '../format/crc32.js';
import type { ArchiveIndex, IndexEntry } from '../archive/index.js';
import { CHUNK_BYTES_MIN } from './pipeline-count.js';
import { PARTIAL_ENDING } from '../output/directory/partial-name.js';

/** The files of an archive, in the order in which pipelines take them. */
export interface WorkPlan {
  files: readonly IndexEntry[];
  /** What the archive looked like: pipelines that saw another have not done the same work. */
  signature: number;
}

/**
 * Plans to unpack an archive file by file, where its files do not depend on each other.
 *
 * @param index with extents
 * @returns undefined where it has to be read in its own order: something is wrong with it, it corrects itself, it is made of
 *   small pieces
 */
export function planWork(index: ArchiveIndex): WorkPlan | undefined {
  const { entries, corrections, problemCount, chunks, archiveBytes } = index;
  if (problemCount > 0 || corrections.length > 0 || archiveBytes < chunks * CHUNK_BYTES_MIN) return undefined;
  // What one pipeline stores under such a name another would take for the residue of an earlier run.
  if (entries.some(({ path }) => path.endsWith(PARTIAL_ENDING))) return undefined;
  const files = [...entries];
  if (files.length === 0) return undefined;
  // The largest first, so that the last ones to be taken are small. Those that are an end chunk alone come last.
  files.sort((a, b) => b.bytes - a.bytes || a.ordinal - b.ordinal);
  const offsets = Float64Array.from(files, ({ archiveOffset }) => archiveOffset);
  return { files, signature: crc32(Buffer.from(offsets.buffer)) + archiveBytes };
}
