/** What speaks for a chunk that may not be one, or may have another length than it says. */
import { chunkEnd, type ChunkHeader } from '../format/chunk.js';
import { crc32 } from '../format/crc32.js';
import { normalizePath } from '../format/stored-path.js';
import { isBoundary } from './header-guess.js';
import type { Lookback } from './lookback.js';

/** A payload is checked once more only up to here: chunks have up to 10 MiB, as a rule. */
const CHECKED_BYTES_MAX = 16 * 1024 * 1024;
const PIECE_BYTES = 1024 * 1024;

/**
 * Whether a chunk that was found by its magic may be one of the archive's.
 *
 * @param byPosition all of the archive can be looked at, also what follows the chunk
 */
export function mayBeChunk(
  header: ChunkHeader,
  lookback: Lookback,
  { byPosition, absoluteNames }: { byPosition: boolean; absoluteNames: boolean },
): boolean {
  try {
    normalizePath(header.path, header.archiveOffset, absoluteNames);
  } catch {
    return false;
  }
  const end = chunkEnd(header);
  const isFollowed = isBoundary(lookback, end);
  if (isFollowed === true) return true;
  switch (header.type) {
    case 'payload':
    case 'sparse':
      // What follows may be damaged, too. But within the archive it must be, where that can be told.
      return !byPosition || lookback.bytesAt(end - 1, 1).length === 1;
    case 'end':
      return isFollowed === undefined && !byPosition;
    case 'seek':
    case 'remove':
    case 'rename':
    case 'ignorable':
      return false;
  }
}

/** Whether a chunk's checksum holds if it ends at `end`, an archive offset, and not where it says. */
export function isWholeUpTo(end: number, header: ChunkHeader, lookback: Lookback): boolean {
  if (header.type !== 'payload' && header.type !== 'sparse') return false;
  const start = header.archiveOffset + header.headerBytes;
  if (end - start > CHECKED_BYTES_MAX) return false;
  let sum = 0;
  for (let at = start; at < end;) {
    const bytes = lookback.bytesAt(at, Math.min(end - at, PIECE_BYTES));
    if (bytes.length === 0) return false;
    sum = crc32(bytes, sum);
    at += bytes.length;
  }
  return sum === header.crc32;
}
