/** What speaks for a chunk that may not be one, or may have another length than it says. */
import { CHUNK_MAGIC, chunkEnd, type ChunkHeader } from '../../format/chunk.js';
import { crc32 } from '../../format/crc32.js';
import { normalizePath } from '../../format/stored-path.js';
import type { Lookback } from './byte-view.js';

const PIECE_BYTES = 1024 * 1024;
const MAGIC = Buffer.from(CHUNK_MAGIC, 'latin1');

/** Whether a chunk begins (or the archive ends) at a place; undefined where that is not known. */
export function isBoundary(lookback: Lookback, archiveOffset: number): boolean | undefined {
  if (lookback.endsAt(archiveOffset)) return true;
  const found = lookback.bytesAt(archiveOffset, MAGIC.length);
  return found.length < MAGIC.length ? undefined : found.equals(MAGIC);
}

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

/**
 * Where a chunk ends by its checksum, if not where it says: another chunk (or the archive's end) stands there.
 *
 * @param most bytes that may be read for it
 * @returns undefined where there is no such place, or it is not known yet
 */
export function endByChecksum(header: ChunkHeader, lookback: Lookback, most: number): number | undefined {
  if (header.type !== 'payload' && header.type !== 'sparse') return undefined;
  const claimed = chunkEnd(header);
  const start = header.archiveOffset + header.headerBytes;
  const limit = start + most;
  let sum = 0;
  for (let at = start; at < limit;) {
    const bytes = lookback.bytesAt(at, PIECE_BYTES);
    if (bytes.length === 0) break;
    // A magic may lie across two pieces.
    const safe = bytes.length < PIECE_BYTES ? bytes.length : bytes.length - MAGIC.length;
    let done = 0;
    for (let found = bytes.indexOf(MAGIC); found !== -1 && found < safe; found = bytes.indexOf(MAGIC, found + 1)) {
      sum = crc32(bytes.subarray(done, found), sum);
      done = found;
      if (sum === header.crc32 && at + found !== claimed) return at + found;
    }
    sum = crc32(bytes.subarray(done, safe), sum);
    at += safe;
    if (lookback.endsAt(at)) return sum === header.crc32 && at !== claimed ? at : undefined;
  }
  return undefined;
}

/** Whether a chunk's checksum holds; undefined where it has none, or too much would have to be read. */
export function hasChecksum(header: ChunkHeader, lookback: Lookback, most: number): boolean | undefined {
  if (header.type !== 'payload' && header.type !== 'sparse') return undefined;
  const start = header.archiveOffset + header.headerBytes;
  const end = chunkEnd(header);
  if (end - start > most) return undefined;
  let sum = 0;
  for (let at = start; at < end;) {
    const bytes = lookback.bytesAt(at, Math.min(PIECE_BYTES, end - at));
    if (bytes.length === 0) return false;
    sum = crc32(bytes, sum);
    at += bytes.length;
  }
  return sum === header.crc32;
}

/** Whether whole lines of text stand between two places: no damage makes those of chunks, which hold zeros. */
export function areLinesOfText(from: number, to: number, lookback: Lookback): boolean {
  const bytes = lookback.bytesAt(from, to - from);
  return bytes.length === to - from && /^(?:[\t\x20-\x7e\x80-\xff]*\r?\n)+$/.test(bytes.toString('latin1'));
}
