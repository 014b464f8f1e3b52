import { XbstreamError } from '../../errors.js';
import { CHUNK_MAGIC, chunkEnd, decodeChunkHeader, MAX_HEADER_BYTES, type ChunkHeader } from '../../format/chunk.js';
import { normalizePath } from '../../format/stored-path.js';
import { endByChecksum, hasChecksum, isBoundary } from './evidence.js';
import type { Lookback } from './byte-view.js';

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

/**
 * Guesses what a header that cannot be right has said, supposing that one of its fields is damaged.
 *
 * @param most bytes of payload that may be read for it
 * @returns the first reading after which another chunk stands; best of all with a checksum that holds; else the one with only
 *   the magic mended, unconfirmed
 */
export function guessHeader(
  lookback: Lookback,
  archiveOffset: number,
  { absoluteNames, most }: { absoluteNames: boolean; most: number },
): HeaderGuess | undefined {
  const bytes = Buffer.from(lookback.bytesAt(archiveOffset, MAX_HEADER_BYTES));
  if (bytes.length < 15) return undefined;
  MAGIC.copy(bytes);
  let unconfirmed: HeaderGuess | undefined;
  let likely: HeaderGuess | undefined;
  for (const variant of variants(bytes)) {
    const header = decode(variant, archiveOffset, absoluteNames);
    if (header === undefined) continue;
    const endOffset = chunkEnd(header);
    const confirmed = isBoundary(lookback, endOffset) === true;
    // A wrong length may lead to a chunk by chance, but not with the right checksum, too.
    if (confirmed && hasChecksum(header, lookback, most) !== false) return { header, endOffset, confirmed };
    if (confirmed) likely ??= { header, endOffset, confirmed };
    unconfirmed ??= variant === bytes ? { header, endOffset, confirmed } : undefined;
  }
  const header = decode(withoutLengths(bytes), archiveOffset, absoluteNames);
  const endOffset = header?.type === 'payload' ? endByChecksum(header, lookback, most) : undefined;
  if (header !== undefined && endOffset !== undefined) return { header, endOffset, confirmed: true };
  return likely ?? unconfirmed;
}

/** The header with no payload, at the file's start: for where it says an impossible length or place. */
function withoutLengths(bytes: Buffer): Buffer {
  const variant = Buffer.from(bytes);
  const afterPath = 14 + bytes.readUInt32LE(10);
  return afterPath + 16 > bytes.length ? variant : variant.fill(0, afterPath, afterPath + 16);
}

function* variants(bytes: Buffer): Iterable<Buffer> {
  yield bytes;
  for (const type of TYPES) {
    const variant = Buffer.from(bytes);
    variant[9] = type;
    if (!variant.equals(bytes)) yield variant;
  }
  // A path holds no control characters, and the lengths behind it begin or end with zeros.
  const longest = bytes.subarray(14).findIndex((byte) => byte < 0x20);
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
