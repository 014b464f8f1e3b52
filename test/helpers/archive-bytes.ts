/**
 * Writes archives for the tests, byte by byte and without the encoder of the program: what both agree on is then no
 * mistake that both share. Names are one character a byte.
 */
import { crc32 } from 'node:zlib';

/** What a chunk may be told to do differently from a good one. */
export interface ChunkTwist {
  flags?: number;
  /** Instead of the right checksum. */
  crc?: number;
  /** Instead of the payload's real length. */
  payloadBytes?: bigint | number;
  /** Instead of the map's real number of entries. */
  mapEntries?: number;
}

/** A hole's length and the length of the data after it. */
export type MapPair = readonly [skip: number, length: number];

const MAGIC = Buffer.from('XBSTCK01', 'latin1');

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function u64(value: bigint | number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

export function bytesOf(content: Buffer | string): Buffer {
  return typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
}

/** Magic, flags, type, path. */
function head(type: string, path: string, flags: number): Buffer {
  const name = Buffer.from(path, 'latin1');
  return Buffer.concat([MAGIC, Buffer.from([flags, type.charCodeAt(0)]), u32(name.length), name]);
}

/** A chunk of any type that is laid out as `P` is. */
export function payloadLike(
  type: string,
  path: string,
  fileOffset: bigint | number,
  content: Buffer | string,
  { flags = 0, crc, payloadBytes }: ChunkTwist = {},
): Buffer {
  const bytes = bytesOf(content);
  return Buffer.concat([
    head(type, path, flags),
    u64(payloadBytes ?? bytes.length),
    u64(fileOffset),
    u32(crc ?? crc32(bytes)),
    bytes,
  ]);
}

export function payload(
  path: string,
  fileOffset: bigint | number,
  content: Buffer | string,
  twist?: ChunkTwist,
): Buffer {
  return payloadLike('P', path, fileOffset, content, twist);
}

/** MariaDB's rewriting payload: the path's earlier content is replaced. */
export function rewriting(path: string, content: Buffer | string): Buffer {
  return payload(path, 0, content, { flags: 2 });
}

export function sparse(
  path: string,
  fileOffset: bigint | number,
  map: readonly MapPair[],
  content: Buffer | string,
  { flags = 0, crc, payloadBytes, mapEntries }: ChunkTwist = {},
): Buffer {
  const bytes = bytesOf(content);
  const mapBytes = Buffer.alloc(map.length * 8);
  map.forEach(([skip, length], index) => {
    mapBytes.writeUInt32LE(skip, index * 8);
    mapBytes.writeUInt32LE(length, index * 8 + 4);
  });
  return Buffer.concat([
    head('S', path, flags),
    u32(mapEntries ?? map.length),
    u64(payloadBytes ?? bytes.length),
    u64(fileOffset),
    u32(crc ?? crc32(bytes, crc32(mapBytes))),
    mapBytes,
    bytes,
  ]);
}

export function end(path: string, flags = 0): Buffer {
  return head('E', path, flags);
}

export function remove(path: string): Buffer {
  return head('D', path, 0);
}

export function rename(path: string, newPath: string): Buffer {
  const name = Buffer.from(newPath, 'latin1');
  return Buffer.concat([head('R', path, 0), u32(name.length), name]);
}

/** MariaDB's `S`: go on writing at `position`. */
export function seek(path: string, position: bigint | number): Buffer {
  return Buffer.concat([head('S', path, 0), u64(position)]);
}

/** A whole file, in chunks of at most `chunkBytes`. */
export function file(path: string, content: Buffer | string, chunkBytes = Infinity): Buffer {
  const bytes = bytesOf(content);
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    parts.push(payload(path, at, bytes.subarray(at, Math.min(bytes.length, at + chunkBytes))));
  }
  return Buffer.concat([...parts, end(path)]);
}

export function archive(...chunks: readonly Buffer[]): Buffer {
  return Buffer.concat(chunks);
}

/** Bytes that look random, do not compress, and are the same for the same seed. */
export function noise(length: number, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  const words = length >> 2;
  for (let index = 0; index < words; index += 1) {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes.writeInt32LE(state | 0, index * 4);
  }
  for (let at = words * 4; at < length; at += 1) bytes[at] = (state >>> ((at & 3) * 8)) & 0xff;
  return bytes;
}
