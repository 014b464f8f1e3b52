/** The headers of chunks, decoded and encoded (format.md, section 1). */
import { XbstreamError } from '../errors.js';
import { MAX_PATH_BYTES, pathText, rawPath, type StoredPath } from './stored-path.js';

/** The eight bytes every chunk begins with. */
export const CHUNK_MAGIC = 'XBSTCK01';

/** A reader that does not know the chunk's type may skip it. */
export const FLAG_IGNORABLE = 0x01;
/** MariaDB: the path's earlier content is replaced. Newer xtrabackup sets the same bit to say *single object*. */
export const FLAG_REWRITE = 0x02;

/** Most entries of a sparse map. */
const MAX_SPARSE_MAP_ENTRIES = 2 ** 20;

/** Bytes of one entry of a sparse map: skip u32, length u32. */
export const SPARSE_MAP_ENTRY_BYTES = 8;

/** Bytes that {@link decodeChunkHeader} needs at most to understand any header (the sparse map not counted). */
export const MAX_HEADER_BYTES = 14 + MAX_PATH_BYTES + Math.max(24, 4 + MAX_PATH_BYTES);

interface HeaderBase {
  /** Position of the chunk's magic in the archive, in bytes. */
  archiveOffset: number;
  /** Bytes from the magic to the first byte of the sparse map or the payload. */
  headerBytes: number;
  flags: number;
  /** As stored, unchecked. */
  path: StoredPath;
}

/** A piece of a file: `P`. */
export interface PayloadHeader extends HeaderBase {
  type: 'payload';
  payloadBytes: number;
  /** Where the payload goes in the file, in bytes. */
  fileOffset: number;
  /** Of the payload. */
  crc32: number;
}

/** A piece of a file with holes: Percona's `S`. */
export interface SparseHeader extends HeaderBase {
  type: 'sparse';
  /** Entries of the sparse map that follows the header. */
  mapEntries: number;
  payloadBytes: number;
  /** Where the first hole begins in the file, in bytes. */
  fileOffset: number;
  /** Of the map's bytes, then the payload. */
  crc32: number;
}

/** The file is complete: `E`. */
export interface EndHeader extends HeaderBase {
  type: 'end';
}

/** Writing goes on at another position: MariaDB's `S`. */
export interface SeekHeader extends HeaderBase {
  type: 'seek';
  fileOffset: number;
}

/** The file is to be removed: MariaDB's `D`. */
export interface RemoveHeader extends HeaderBase {
  type: 'remove';
}

/** The file gets another name: MariaDB's `R`. */
export interface RenameHeader extends HeaderBase {
  type: 'rename';
  newPath: StoredPath;
}

/** A type this reader does not know, flagged as ignorable; laid out like `P`. */
export interface IgnorableHeader extends HeaderBase {
  type: 'ignorable';
  payloadBytes: number;
}

/** The head of a chunk, as the archive says it. */
export type ChunkHeader =
  PayloadHeader | SparseHeader | EndHeader | SeekHeader | RemoveHeader | RenameHeader | IgnorableHeader;

/** Where a chunk ends, in the archive. */
export function chunkEnd(header: ChunkHeader): number {
  const start = header.archiveOffset + header.headerBytes;
  switch (header.type) {
    case 'payload':
    case 'ignorable':
      return start + header.payloadBytes;
    case 'sparse':
      return start + header.mapEntries * SPARSE_MAP_ENTRY_BYTES + header.payloadBytes;
    case 'end':
    case 'seek':
    case 'remove':
    case 'rename':
      return start;
  }
}

const TYPE_PAYLOAD = 0x50; // 'P'
const TYPE_SPARSE_OR_SEEK = 0x53; // 'S'
/** What a file's end chunk has as its type, at {@link CHUNK_TYPE_AT}. */
export const TYPE_END = 0x45; // 'E'
const TYPE_REMOVE = 0x44; // 'D'
const TYPE_RENAME = 0x52; // 'R'
/** What chunks have as their type, at {@link CHUNK_TYPE_AT}, that correct what came before. */
export const CORRECTION_TYPES: ReadonlySet<number> = new Set([TYPE_REMOVE, TYPE_RENAME]);
export const CHUNK_TYPE_AT = 9;

const MAGIC_LOW = 0x54534258; // 'XBST' as a little-endian u32
const MAGIC_HIGH = 0x31304b43; // 'CK01'

function hasMagic(bytes: Buffer, at: number): boolean {
  return bytes.readUInt32LE(at) === MAGIC_LOW && bytes.readUInt32LE(at + 4) === MAGIC_HIGH;
}

/**
 * Decodes a chunk's header (format.md, "Chunk" and "The MariaDB dialect").
 *
 * @param bytes holds the header
 * @param start where in `bytes` the magic stands
 * @param end where in `bytes` the known bytes end
 * @param archiveOffset position of the magic in the archive, in bytes
 * @returns the header, or `undefined` when more bytes are needed to tell
 * @throws XbstreamError `XB_BAD_MAGIC`, `XB_UNKNOWN_CHUNK`, `XB_PATH_TOO_LONG`, `XB_BAD_HEADER`, `XB_BAD_SPARSE_MAP`
 */
export function decodeChunkHeader(
  bytes: Buffer,
  start: number,
  end: number,
  archiveOffset: number,
): ChunkHeader | undefined {
  // magic 8 (offset 0), flags 1 (offset 8), type 1 (offset 9), pathLength u32 (offset 10), path (offset 14)
  const known = end - start;
  if (known < 8) return undefined;
  if (!hasMagic(bytes, start)) throw badMagic(bytes, start, end, archiveOffset);
  if (known < 14) return undefined;
  const flags = bytes.readUInt8(start + 8);
  const type = bytes.readUInt8(start + CHUNK_TYPE_AT);
  const pathLength = bytes.readUInt32LE(start + 10);
  if (pathLength > MAX_PATH_BYTES) throw pathTooLong(pathLength, archiveOffset);
  const afterPath = start + 14 + pathLength;
  if (end < afterPath) return undefined;
  const path = rawPath(bytes.toString('latin1', start + 14, afterPath));

  switch (type) {
    case TYPE_PAYLOAD: {
      // payloadLength u64, payloadOffset u64, crc32 u32
      if (end < afterPath + 20) return undefined;
      const payloadBytes = readLength(bytes, afterPath, 'payload length', path, archiveOffset);
      const fileOffset = readLength(bytes, afterPath + 8, 'payload offset', path, archiveOffset);
      checkSum(fileOffset, payloadBytes, path, archiveOffset);
      const crc32 = bytes.readUInt32LE(afterPath + 16);
      const headerBytes = 14 + pathLength + 20;
      return { type: 'payload', archiveOffset, headerBytes, flags, path, payloadBytes, fileOffset, crc32 };
    }
    case TYPE_END:
      return { type: 'end', archiveOffset, headerBytes: 14 + pathLength, flags, path };
    case TYPE_REMOVE:
      return { type: 'remove', archiveOffset, headerBytes: 14 + pathLength, flags, path };
    case TYPE_RENAME: {
      // newLength u32, new path
      if (end < afterPath + 4) return undefined;
      const newLength = bytes.readUInt32LE(afterPath);
      if (newLength > MAX_PATH_BYTES) throw pathTooLong(newLength, archiveOffset);
      if (end < afterPath + 4 + newLength) return undefined;
      const newPath = rawPath(bytes.toString('latin1', afterPath + 4, afterPath + 4 + newLength));
      return { type: 'rename', archiveOffset, headerBytes: 14 + pathLength + 4 + newLength, flags, path, newPath };
    }
    case TYPE_SPARSE_OR_SEEK: {
      // MariaDB: position u64, and then the next chunk's magic stands where Percona's lengths would have high bits.
      if (end < afterPath + 16) return undefined;
      if (hasMagic(bytes, afterPath + 8)) {
        const fileOffset = readLength(bytes, afterPath, 'seek position', path, archiveOffset);
        return { type: 'seek', archiveOffset, headerBytes: 14 + pathLength + 8, flags, path, fileOffset };
      }
      // mapSize u32, payloadLength u64, payloadOffset u64, crc32 u32
      if (end < afterPath + 24) return undefined;
      const mapEntries = bytes.readUInt32LE(afterPath);
      if (mapEntries > MAX_SPARSE_MAP_ENTRIES) {
        throw new XbstreamError('XB_BAD_SPARSE_MAP', `impossible sparse map in ${pathText(path)}`, {
          path,
          archiveOffset,
          details: [
            `chunk at archive byte ${archiveOffset}`,
            `expected at most ${MAX_SPARSE_MAP_ENTRIES} map entries, found ${mapEntries}`,
          ],
        });
      }
      const payloadBytes = readLength(bytes, afterPath + 4, 'payload length', path, archiveOffset);
      const fileOffset = readLength(bytes, afterPath + 12, 'payload offset', path, archiveOffset);
      checkSum(fileOffset, payloadBytes, path, archiveOffset);
      const crc32 = bytes.readUInt32LE(afterPath + 20);
      const headerBytes = 14 + pathLength + 24;
      return { type: 'sparse', archiveOffset, headerBytes, flags, path, mapEntries, payloadBytes, fileOffset, crc32 };
    }
    default: {
      if ((flags & FLAG_IGNORABLE) === 0) throw unknownChunk(type, path, archiveOffset);
      if (end < afterPath + 20) return undefined;
      const payloadBytes = readLength(bytes, afterPath, 'payload length', path, archiveOffset);
      return { type: 'ignorable', archiveOffset, headerBytes: 14 + pathLength + 20, flags, path, payloadBytes };
    }
  }
}

/** The header a writer gives; what {@link decodeChunkHeader} works out itself is left out. */
export type NewChunkHeader =
  | Omit<PayloadHeader, 'archiveOffset' | 'headerBytes'>
  | Omit<SparseHeader, 'archiveOffset' | 'headerBytes'>
  | Omit<EndHeader, 'archiveOffset' | 'headerBytes'>
  | Omit<SeekHeader, 'archiveOffset' | 'headerBytes'>
  | Omit<RemoveHeader, 'archiveOffset' | 'headerBytes'>
  | Omit<RenameHeader, 'archiveOffset' | 'headerBytes'>;

/**
 * Encodes a chunk's header (format.md, "Chunk" and "The MariaDB dialect"). A sparse map and the payload come after it.
 *
 * @throws XbstreamError `XB_PATH_TOO_LONG`
 */
export function encodeChunkHeader(header: NewChunkHeader): Buffer {
  const path = Buffer.from(header.path, 'latin1');
  if (path.length > MAX_PATH_BYTES) throw pathTooLong(path.length, undefined, header.path);
  const tail = encodeTail(header);
  const bytes = Buffer.alloc(14 + path.length + tail.length);
  bytes.write(CHUNK_MAGIC, 0, 'latin1');
  bytes.writeUInt8(header.flags, 8);
  bytes.writeUInt8(TYPE_BYTES[header.type], CHUNK_TYPE_AT);
  bytes.writeUInt32LE(path.length, 10);
  path.copy(bytes, 14);
  tail.copy(bytes, 14 + path.length);
  return bytes;
}

const TYPE_BYTES = {
  payload: TYPE_PAYLOAD,
  sparse: TYPE_SPARSE_OR_SEEK,
  end: TYPE_END,
  seek: TYPE_SPARSE_OR_SEEK,
  remove: TYPE_REMOVE,
  rename: TYPE_RENAME,
} as const;

function encodeTail(header: NewChunkHeader): Buffer {
  switch (header.type) {
    case 'payload': {
      const tail = Buffer.alloc(20);
      tail.writeBigUInt64LE(BigInt(header.payloadBytes), 0);
      tail.writeBigUInt64LE(BigInt(header.fileOffset), 8);
      tail.writeUInt32LE(header.crc32, 16);
      return tail;
    }
    case 'sparse': {
      const tail = Buffer.alloc(24);
      tail.writeUInt32LE(header.mapEntries, 0);
      tail.writeBigUInt64LE(BigInt(header.payloadBytes), 4);
      tail.writeBigUInt64LE(BigInt(header.fileOffset), 12);
      tail.writeUInt32LE(header.crc32, 20);
      return tail;
    }
    case 'seek': {
      const tail = Buffer.alloc(8);
      tail.writeBigUInt64LE(BigInt(header.fileOffset), 0);
      return tail;
    }
    case 'rename': {
      const newPath = Buffer.from(header.newPath, 'latin1');
      if (newPath.length > MAX_PATH_BYTES) throw pathTooLong(newPath.length, undefined, header.newPath);
      const tail = Buffer.alloc(4 + newPath.length);
      tail.writeUInt32LE(newPath.length, 0);
      newPath.copy(tail, 4);
      return tail;
    }
    case 'end':
    case 'remove':
      return Buffer.alloc(0);
  }
}

/** Reads a u64 that must be a safe integer. Two u32 reads: a bigint for each chunk shows when files are small. */
function readLength(bytes: Buffer, at: number, what: string, path: StoredPath, archiveOffset: number): number {
  const high = bytes.readUInt32LE(at + 4);
  const value = high * 2 ** 32 + bytes.readUInt32LE(at);
  if (high > 0x1fffff) {
    throw new XbstreamError('XB_BAD_HEADER', `impossible ${what} in a chunk of ${pathText(path)}`, {
      path,
      archiveOffset,
      details: [
        `chunk at archive byte ${archiveOffset}`,
        `expected at most ${Number.MAX_SAFE_INTEGER} bytes, found ${bytes.readBigUInt64LE(at)}`,
      ],
    });
  }
  return value;
}

function checkSum(fileOffset: number, payloadBytes: number, path: StoredPath, archiveOffset: number): void {
  if (fileOffset + payloadBytes <= Number.MAX_SAFE_INTEGER) return;
  throw new XbstreamError('XB_BAD_HEADER', `impossible payload position in a chunk of ${pathText(path)}`, {
    path,
    archiveOffset,
    details: [`chunk at archive byte ${archiveOffset}: ${payloadBytes} bytes for file byte ${fileOffset}`],
  });
}

function pathTooLong(length: number, archiveOffset: number | undefined, path?: StoredPath): XbstreamError {
  const where = archiveOffset === undefined ? [] : [`chunk at archive byte ${archiveOffset}`];
  return new XbstreamError('XB_PATH_TOO_LONG', 'a stored path is longer than the format allows', {
    path,
    archiveOffset,
    details: [...where, `expected at most ${MAX_PATH_BYTES} bytes, found ${length}`],
  });
}

function unknownChunk(type: number, path: StoredPath, archiveOffset: number): XbstreamError {
  const shown = type >= 0x20 && type < 0x7f ? `'${String.fromCharCode(type)}'` : `0x${type.toString(16)}`;
  return new XbstreamError('XB_UNKNOWN_CHUNK', `unknown chunk type ${shown} for ${pathText(path)}`, {
    path,
    archiveOffset,
    details: [`chunk at archive byte ${archiveOffset}; it is not marked as one that may be skipped`],
  });
}

function badMagic(bytes: Buffer, start: number, end: number, archiveOffset: number): XbstreamError {
  const found = bytes.subarray(start, Math.min(end, start + 8));
  return new XbstreamError('XB_BAD_MAGIC', `no chunk begins at archive byte ${archiveOffset}, where one must`, {
    archiveOffset,
    details: [
      `expected "${CHUNK_MAGIC}", found "${found.toString('latin1').replace(/[^\x20-\x7e]/g, '.')}" (${found.toString('hex')})`,
    ],
  });
}
