/** An archive as chunks that can be changed, one by one. */
import {
  end,
  payloadLike,
  remove,
  rename,
  seek,
  sparse,
  type ChunkTwist,
  type MapPair,
} from '../helpers/archive-bytes.js';
import { walkChunks } from '../helpers/chunk-walk.js';

/** A chunk that can be changed; `raw` stands for bytes that are none. */
export interface Piece {
  type: string;
  path: string;
  newPath: string;
  fileOffset: bigint;
  map: readonly MapPair[];
  payload: Buffer;
  twist: ChunkTwist;
  raw: Buffer | undefined;
}

export const U64_MAX = (1n << 64n) - 1n;

export function piecesOf(bytes: Buffer): Piece[] {
  try {
    return walkChunks(bytes).map((chunk) => {
      const mapBytes = bytes.subarray(chunk.headerEnd, chunk.payloadStart);
      const map = Array.from({ length: mapBytes.length / 8 }, (_, index) => {
        return [mapBytes.readUInt32LE(index * 8), mapBytes.readUInt32LE(index * 8 + 4)] as const;
      });
      return pieceOf({
        ...{ type: chunk.type, path: chunk.path, newPath: chunk.newPath ?? '', map },
        fileOffset: BigInt(chunk.fileOffset),
        payload: bytes.subarray(chunk.payloadStart, chunk.end),
        twist: { flags: chunk.flags },
      });
    });
  } catch {
    // It is damaged already.
    return [rawPiece(bytes)];
  }
}

export function pieceOf(some: Partial<Piece>): Piece {
  const nothing = { type: 'P', path: 'a', newPath: '', fileOffset: 0n, map: [], payload: Buffer.alloc(0), twist: {} };
  return { ...nothing, raw: undefined, ...some };
}

export function rawPiece(raw: Buffer): Piece {
  return pieceOf({ raw });
}

export function bytesOf({ type, path, newPath, fileOffset, map, payload: content, twist, raw }: Piece): Buffer {
  if (raw !== undefined) return raw;
  switch (type) {
    case 'E':
      return end(path, twist.flags ?? 0);
    case 'D':
      return remove(path);
    case 'R':
      return rename(path, newPath);
    case 'seek':
      return seek(path, fileOffset & U64_MAX);
    case 'S':
      return sparse(path, fileOffset & U64_MAX, map, content, twist);
    default:
      return payloadLike(type, path, fileOffset & U64_MAX, content, twist);
  }
}
