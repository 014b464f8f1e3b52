import { end, payload, remove, rename } from './archive-bytes.js';
import { walkChunks } from './chunk-walk.js';

/**
 * A real archive with most of its payloads left out: the same chunks of the same files in the same order, small enough to
 * be damaged at every bit.
 */
export function shrink(archive: Buffer, payloadBytes: number): Buffer {
  const sizes = new Map<string, number>();
  return Buffer.concat(
    walkChunks(archive).map((chunk) => {
      const { type, flags, path } = chunk;
      switch (type) {
        case 'P': {
          const kept = archive.subarray(chunk.payloadStart, Math.min(chunk.end, chunk.payloadStart + payloadBytes));
          const fileOffset = chunk.fileOffset === 0 ? 0 : sizes.get(path)!;
          sizes.set(path, fileOffset + kept.length);
          return payload(path, fileOffset, kept, { flags });
        }
        case 'E':
          return end(path, flags);
        case 'D':
          return remove(path);
        case 'R':
          return rename(path, archive.toString('latin1', chunk.end - newNameBytes(archive, chunk.start), chunk.end));
        default:
          throw new Error(`a chunk of type ${type} is not expected here`);
      }
    }),
  );
}

/** Length of the new name in an `R`. */
function newNameBytes(archive: Buffer, start: number): number {
  return archive.readUInt32LE(start + 14 + archive.readUInt32LE(start + 10));
}
