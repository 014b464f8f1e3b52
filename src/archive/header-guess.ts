import { XbstreamError } from '../errors.js';
import { CHUNK_MAGIC, chunkEnd, decodeChunkHeader, MAX_HEADER_BYTES, type ChunkHeader } from '../format/chunk.js';
import { normalizePath } from '../format/stored-path.js';
import type { Lookback } from './lookback.js';

/** What a damaged header probably said. */
export interface HeaderGuess {
  header: ChunkHeader;
  /** Where the chunk would end, in the archive. */
  endOffset: number;
  /** A chunk (or the archive's end) stands where this one would end: chance does not do that. */
  confirmed: boolean;
}

/** Types a chunk may have had, the likely ones first. */
const TYPES = ['P', 'E', 'S', 'R', 'D'].map((letter) => letter.charCodeAt(0));
const MAGIC = Buffer.from(CHUNK_MAGIC, 'latin1');

/** Whether a chunk begins (or the archive ends) at a place; undefined where that is not known. */
export function isBoundary(lookback: Lookback, archiveOffset: number): boolean | undefined {
  if (lookback.endsAt(archiveOffset)) return true;
  const found = lookback.bytesAt(archiveOffset, MAGIC.length);
  return found.length < MAGIC.length ? undefined : found.equals(MAGIC);
}

/**
 * Guesses what a header that cannot be right has said, supposing that one of magic, type and path length is damaged.
 *
 * @returns the first reading after which another chunk stands; else the one with only the magic mended, unconfirmed
 */
export function guessHeader(
  lookback: Lookback,
  archiveOffset: number,
  absoluteNames: boolean,
): HeaderGuess | undefined {
  const bytes = Buffer.from(lookback.bytesAt(archiveOffset, MAX_HEADER_BYTES));
  if (bytes.length < 15) return undefined;
  MAGIC.copy(bytes);
  let unconfirmed: HeaderGuess | undefined;
  for (const variant of variants(bytes)) {
    const header = decode(variant, archiveOffset, absoluteNames);
    if (header === undefined) continue;
    const endOffset = chunkEnd(header);
    const confirmed = isBoundary(lookback, endOffset) === true;
    if (confirmed) return { header, endOffset, confirmed };
    unconfirmed ??= variant === bytes ? { header, endOffset, confirmed } : undefined;
  }
  return unconfirmed;
}

function* variants(bytes: Buffer): Iterable<Buffer> {
  yield bytes;
  for (const type of TYPES) {
    const variant = Buffer.from(bytes);
    variant[9] = type;
    if (!variant.equals(bytes)) yield variant;
  }
  // A path holds no NUL, and the lengths behind it begin or end with some.
  const longest = bytes.subarray(14).indexOf(0);
  for (let length = 1; length <= (longest === -1 ? bytes.length - 14 : longest); length += 1) {
    const variant = Buffer.from(bytes);
    variant.writeUInt32LE(length, 10);
    yield variant;
  }
}

function decode(bytes: Buffer, archiveOffset: number, absoluteNames: boolean): ChunkHeader | undefined {
  try {
    const header = decodeChunkHeader(bytes, 0, bytes.length, archiveOffset);
    if (header === undefined || header.type === 'ignorable') return undefined;
    normalizePath(header.path, archiveOffset, absoluteNames);
    return header;
  } catch (error) {
    if (error instanceof XbstreamError) return undefined;
    throw error;
  }
}
