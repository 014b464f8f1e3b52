/** What speaks for a chunk that may not be one, or may have another length than it says; and what a damaged header has said. */
import { XbstreamError } from '../../errors.js';
import {
  CHUNK_MAGIC,
  chunkEnd,
  decodeChunkHeader,
  MAX_HEADER_BYTES,
  SPARSE_MAP_ENTRY_BYTES,
  type ChunkHeader,
  type PayloadHeader,
  type SparseHeader,
} from '../../format/chunk.js';
import { crc32 } from '../../format/crc32.js';
import { checkSparseMap } from '../../format/sparse-map.js';
import { normalizePath } from '../../format/plain-path.js';
import type { ByteView } from './byte-view.js';
import { insertedAt } from './inserted-bytes.js';
import { isPlain } from './like-names.js';
import type { RereadBudget } from './reread-budget.js';
import type { DamageConsumer } from './salvage.js';

const PIECE_BYTES = 1024 * 1024;
/** A program's messages among chunks are looked through up to here: a script that prints to stdout may go on for hours. */
const TEXT_BYTES_MAX = 64 * 1024 * 1024;
/** What is no text mostly shows in its first bytes. */
const TEXT_BYTES_FIRST = 4096;
/** How far a chunk is read to find its end, or to judge its checksum: chunks have up to 10 MiB, as a rule. */
const CHUNK_BYTES_MAX = 16 * 1024 * 1024;
/** A larger chunk does not prove itself: to find out takes as long as to read it. Those of real writers have 10 MiB as a rule. */
const PROVEN_BYTES_MAX = 64 * 1024 * 1024;

export const MAGIC = Buffer.from(CHUNK_MAGIC, 'latin1');
const HALF_A_MAGIC = MAGIC.subarray(0, 4);
/** Types a chunk may have had, the likely ones first. */
const TYPES = ['P', 'E', 'S', 'R', 'D'].map((letter) => letter.charCodeAt(0));

/** What lines are made of. */
const TEXT = /^[\t\r\n\x20-\x7e\x80-\xff]*$/;
const LF = 0x0a;
/** A path holds no control characters, which come before it. */
const SPACE = 0x20;

/** What a damaged header probably said. */
export interface HeaderGuess {
  header: ChunkHeader;
  /** Where the chunk would end, in the archive. */
  endOffset: number;
  /** A chunk (or the archive's end) stands where this one would end, and its checksum holds: chance does not do that. */
  confirmed: boolean;
}

export interface EvidenceOptions {
  /** All of the archive can be looked at, also what follows. */
  byPosition: boolean;
  absoluteNames: boolean;
  /** What is known of the files. */
  damage: Pick<DamageConsumer, 'entryOf'>;
}

export class Evidence {
  readonly #view: ByteView;
  readonly #budget: RereadBudget;
  readonly #options: EvidenceOptions;

  /** @param budget what may be read to find something out */
  constructor(view: ByteView, budget: RereadBudget, options: EvidenceOptions) {
    this.#view = view;
    this.#budget = budget;
    this.#options = options;
  }

  /** Whether a chunk that was found by its magic may be one of the archive's. */
  mayBeChunk(header: ChunkHeader): boolean {
    const { byPosition, absoluteNames } = this.#options;
    try {
      normalizePath(header.path, header.archiveOffset, absoluteNames);
    } catch {
      return false;
    }
    const end = chunkEnd(header);
    const isFollowed = this.#isBoundary(end);
    if (isFollowed === true) return true;
    switch (header.type) {
      case 'payload':
      case 'sparse':
        // What follows may be damaged, too. But within the archive it must be, where that can be told.
        return !byPosition || this.#view.bytesAt(end - 1, 1).length === 1;
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
   * Whether what stands at a place is certainly a chunk, whatever stands before it: its header makes sense, its checksum holds,
   * and another chunk (or the archive's end) follows.
   */
  isProven(archiveOffset: number): boolean {
    const head = this.#view.bytesAt(archiveOffset, MAX_HEADER_BYTES);
    const header = head.length < MAGIC.length ? undefined : this.#decode(head, archiveOffset);
    if (header?.type !== 'payload' && header?.type !== 'sparse') return false;
    const start = payloadStart(header);
    const end = chunkEnd(header);
    if (end === start || end - start > PROVEN_BYTES_MAX || this.#isBoundary(end) !== true) return false;
    this.#budget.spend(end - start);
    return (
      this.hasChecksum(header, PROVEN_BYTES_MAX) === true && (header.type === 'payload' || this.#hasSoundMap(header))
    );
  }

  #hasSoundMap(header: SparseHeader): boolean {
    const map = this.#view.bytesAt(payloadStart(header), header.mapEntries * SPARSE_MAP_ENTRY_BYTES);
    try {
      checkSparseMap(header, map);
      return true;
    } catch (error) {
      if (error instanceof XbstreamError) return false;
      throw error;
    }
  }

  /** Whether whole lines of text stand at a place, up to the next chunk or the archive's end: no damage makes those of chunks. */
  isText(from: number): boolean {
    let most = TEXT_BYTES_FIRST;
    for (let at = from; at < from + TEXT_BYTES_MAX;) {
      const ahead = this.#view.bytesAt(at, most);
      most = Math.min(2 * most, PIECE_BYTES);
      const found = ahead.indexOf(MAGIC);
      const isLast = found !== -1 || this.#view.endsAt(at + ahead.length);
      // A magic may lie across two pieces.
      const bytes = ahead.subarray(0, found === -1 ? ahead.length - (isLast ? 0 : MAGIC.length) : found);
      if (!TEXT.test(bytes.toString('latin1'))) return false;
      if (isLast) return at + bytes.length > from && this.#view.bytesAt(at + bytes.length - 1, 1)[0] === LF;
      if (bytes.length === 0) return false;
      at += bytes.length;
    }
    return false;
  }

  /**
   * Where a chunk ends by its checksum, if not where it says: another chunk (or the archive's end) stands there.
   *
   * @param limit where in the archive to give up
   * @returns undefined where there is no such place, or it is not known yet
   */
  ownEnd(header: ChunkHeader, limit = header.archiveOffset + CHUNK_BYTES_MAX): number | undefined {
    const start = payloadStart(header);
    const most = this.#budget.most(Math.min(limit - start, CHUNK_BYTES_MAX));
    const end = this.#endByChecksum(header, most);
    this.#budget.spend(end === undefined ? most : end - start);
    return end;
  }

  /**
   * Guesses what a header that cannot be right has said, supposing that one of its fields is damaged.
   *
   * @param bytes of payload that may be read for it
   * @returns the first reading after which another chunk stands, and whose checksum holds; else the one with only the magic
   *   mended, unconfirmed; undefined where none makes sense, or too many were guessed
   */
  guess(archiveOffset: number, bytes = CHUNK_BYTES_MAX): HeaderGuess | undefined {
    if (!this.#budget.takeGuess()) return undefined;
    const most = this.#budget.most(bytes);
    const guess = this.#guess(archiveOffset, most);
    if (guess?.confirmed !== true) this.#budget.spend(most);
    return guess;
  }

  /** Whether a chunk's checksum holds; undefined where it has none, or too much would have to be read. */
  hasChecksum(header: ChunkHeader, most: number): boolean | undefined {
    if (header.type !== 'payload' && header.type !== 'sparse') return undefined;
    const start = payloadStart(header);
    const end = chunkEnd(header);
    if (end - start > most) return undefined;
    let sum = 0;
    for (let at = start; at < end;) {
      const bytes = this.#view.bytesAt(at, Math.min(PIECE_BYTES, end - at));
      if (bytes.length === 0) return false;
      sum = crc32(bytes, sum);
      at += bytes.length;
    }
    return sum === header.crc32;
  }

  /** Whether bytes were put into what a chunk holds: without them its checksum holds. @param end where it ends with them */
  hasInserted(header: ChunkHeader, end: number): boolean {
    if (header.type !== 'payload' && header.type !== 'sparse') return false;
    const start = payloadStart(header);
    if (end <= chunkEnd(header) || this.#budget.most(end - start) < end - start || end - start > CHUNK_BYTES_MAX) {
      return false;
    }
    this.#budget.spend(end - start);
    const bytes = this.#view.bytesAt(start, end - start);
    if (bytes.length < end - start) return false;
    return insertedAt(bytes, chunkEnd(header) - start, header.crc32) !== undefined;
  }

  /** Whether a chunk begins (or the archive ends) at a place; undefined where that is not known. */
  #isBoundary(archiveOffset: number): boolean | undefined {
    if (this.#view.endsAt(archiveOffset)) return true;
    const found = this.#view.bytesAt(archiveOffset, MAGIC.length);
    return found.length < MAGIC.length ? undefined : found.equals(MAGIC);
  }

  /** Whether a chunk that has nothing behind it may be another's, or go on where it ends: what stands there does not begin as a chunk does. */
  mayBeLonger(header: ChunkHeader): boolean {
    const ahead = this.#view.bytesAt(chunkEnd(header), HALF_A_MAGIC.length);
    return !isPlain(header.path) || !ahead.equals(HALF_A_MAGIC);
  }

  /** Whether the path of an end chunk may be a longer one: that of a file that is open, or was empty and a bit of its length is wrong. */
  mayBeNamed({ path }: ChunkHeader, { path: longer }: ChunkHeader): boolean {
    const known = this.#options.damage.entryOf(longer);
    const bits = path.length ^ longer.length;
    return known === undefined ? (bits & (bits - 1)) === 0 : !known.whole;
  }

  /** Whether the bytes at a place are the first of a chunk. @param end where the archive ends */
  mayBegin(archiveOffset: number, end: number): boolean {
    return this.#view.bytesAt(archiveOffset, MAGIC.length).equals(MAGIC.subarray(0, end - archiveOffset));
  }

  #endByChecksum(header: ChunkHeader, most: number): number | undefined {
    if (header.type !== 'payload' && header.type !== 'sparse') return undefined;
    const claimed = chunkEnd(header);
    const start = payloadStart(header);
    const limit = start + most;
    let sum = 0;
    for (let at = start; at < limit;) {
      const wanted = Math.min(PIECE_BYTES, limit - at + MAGIC.length);
      const bytes = this.#view.bytesAt(at, wanted);
      if (bytes.length === 0) break;
      // A magic may lie across two pieces.
      const safe = bytes.length < wanted ? bytes.length : bytes.length - MAGIC.length;
      let done = 0;
      for (let found = bytes.indexOf(MAGIC); found !== -1 && found < safe; found = bytes.indexOf(MAGIC, found + 1)) {
        sum = crc32(bytes.subarray(done, found), sum);
        done = found;
        if (sum === header.crc32 && at + found !== claimed) return at + found;
      }
      sum = crc32(bytes.subarray(done, safe), sum);
      at += safe;
      if (this.#view.endsAt(at)) return sum === header.crc32 && at !== claimed ? at : undefined;
    }
    return undefined;
  }

  #guess(archiveOffset: number, most: number): HeaderGuess | undefined {
    const bytes = Buffer.from(this.#view.bytesAt(archiveOffset, MAX_HEADER_BYTES));
    if (bytes.length < 15) return undefined;
    MAGIC.copy(bytes);
    let unconfirmed: HeaderGuess | undefined;
    for (const variant of variants(bytes)) {
      const header = this.#decode(variant, archiveOffset);
      if (header === undefined) continue;
      const endOffset = chunkEnd(header);
      const confirmed = this.#isBoundary(endOffset) === true;
      // A wrong length may lead to a chunk by chance, but not with the right checksum, too.
      if (confirmed && this.#isLikely(header, most)) return { header, endOffset, confirmed };
      unconfirmed ??= variant === bytes ? { header, endOffset, confirmed: false } : undefined;
    }
    const header = this.#decode(withoutLengths(bytes), archiveOffset);
    const endOffset = header?.type === 'payload' ? this.#endByChecksum(header, most) : undefined;
    if (header?.type !== 'payload' || endOffset === undefined) return unconfirmed;
    const payloadBytes = endOffset - payloadStart(header);
    const fileOffset = Math.min(storedPlace(bytes, header), Number.MAX_SAFE_INTEGER - payloadBytes);
    return { header: { ...header, payloadBytes, fileOffset }, endOffset, confirmed: true };
  }

  /** Whether a header is more than chance: its checksum holds; without one, its names are those of a file. */
  #isLikely(header: ChunkHeader, most: number): boolean {
    if (header.type === 'payload' || header.type === 'sparse') return this.hasChecksum(header, most) !== false;
    if (header.type === 'rename' && !isPlain(header.newPath)) return false;
    return this.#options.damage.entryOf(header.path)?.whole === false || isPlain(header.path);
  }

  #decode(bytes: Buffer, archiveOffset: number): ChunkHeader | undefined {
    try {
      const header = decodeChunkHeader(bytes, 0, bytes.length, archiveOffset);
      if (header === undefined || header.type === 'ignorable') return undefined;
      normalizePath(header.path, archiveOffset, this.#options.absoluteNames);
      return header;
    } catch (error) {
      if (error instanceof XbstreamError) return undefined;
      throw error;
    }
  }
}

function payloadStart({ archiveOffset, headerBytes }: ChunkHeader): number {
  return archiveOffset + headerBytes;
}

/** The header with no payload, at the file's start: for where it says an impossible length or place. */
function withoutLengths(bytes: Buffer): Buffer {
  const variant = Buffer.from(bytes);
  const afterPath = 14 + bytes.readUInt32LE(10);
  return afterPath + 16 > bytes.length ? variant : variant.fill(0, afterPath, afterPath + 16);
}

/** Where the payload goes by the bits that a place can have. */
function storedPlace(bytes: Buffer, { headerBytes }: PayloadHeader): number {
  return Number(BigInt.asUintN(53, bytes.readBigUInt64LE(headerBytes - 12)));
}

function* variants(bytes: Buffer): Iterable<Buffer> {
  yield bytes;
  for (const type of TYPES) {
    const variant = Buffer.from(bytes);
    variant[9] = type;
    if (!variant.equals(bytes)) yield variant;
  }
  // The lengths behind a path begin or end with zeros.
  const longest = bytes.subarray(14).findIndex((byte) => byte < SPACE);
  for (let length = 1; length <= (longest === -1 ? bytes.length - 14 : longest); length += 1) {
    const variant = Buffer.from(bytes);
    variant.writeUInt32LE(length, 10);
    yield variant;
  }
}
