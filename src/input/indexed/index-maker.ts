/** Makes the index of an archive while the archive goes by (docs/index-format.md). */
import type { Hash } from 'node:crypto';
import { XbstreamError } from '../../errors.js';
import { decodeChunkHeader, type ChunkHeader } from '../../format/chunk.js';
import { crc32 } from '../../format/crc32.js';
import type { Source } from '../source.js';
import {
  BLOCK_BYTES,
  BLOCK_HEADER_BYTES,
  CRC_BYTES,
  FIELD,
  FLAG_PROVEN,
  headBytesOf,
  INDEX_BYTES_MAX,
  INDEX_CHUNKS_MAX,
  INDEX_MAGIC,
  payloadBytesOf,
  SAMPLE_BYTES,
} from './layout.js';

/**
 * Is given the bytes of an archive as they come, and keeps all of them but payloads. It judges nothing: whoever reads the
 * archive in earnest says whether it is whole, and of one that is not there is no index.
 */
export class IndexMaker {
  /** Archive offset of the next byte. */
  #position = 0;
  /** Bytes of the current payload that are still to come. */
  #payloadLeft = 0;
  /** The start of a head that came in several pieces, and how many bytes are needed to go on. */
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #neededBytes = 0;
  #chunks = 0;
  #headBytes = 0;
  #blocks: Buffer[] = [];
  #blocksBytes = 0;
  #heads: Buffer[] = [];
  #openBytes = 0;
  readonly #samples = new Samples();
  readonly #bytesMax: number;
  /** Why there can be no index. */
  #failure: XbstreamError | undefined;

  /** @param bytesMax a larger index is not made: it is kept in memory, and no reader would accept it */
  constructor(bytesMax = INDEX_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  /**
   * Takes a piece.
   *
   * @param archiveOffset where it lies: what lies before it and has not come was payload, and was jumped over; what has come
   *   before may come again
   */
  update(piece: Buffer, archiveOffset: number): void {
    const end = archiveOffset + piece.length;
    if (this.#failure !== undefined || end <= this.#position) return;
    if (archiveOffset > this.#position) this.#jump(archiveOffset - this.#position);
    const fresh = piece.subarray(this.#position - archiveOffset);
    this.#samples.update(fresh, this.#position);
    try {
      this.#take(fresh);
    } catch (error) {
      if (!(error instanceof XbstreamError)) throw error;
      this.#failure = error;
      // It is of no use any more.
      this.#blocks = [];
      this.#heads = [];
    }
    this.#position = end;
  }

  /**
   * The archive has ended, and is whole.
   *
   * @param source where its start and end can be had, if not all of it has come by
   * @param isProven every checksum was held
   * @returns the file, in pieces
   * @throws XbstreamError where there is no index of such an archive
   */
  finish(source: Source | undefined, archiveBytes: number, isProven: boolean): Buffer[] {
    if (this.#payloadLeft > 0 && archiveBytes > this.#position) this.#jump(archiveBytes - this.#position);
    if (this.#failure?.code === 'XB_BAD_INDEX') throw this.#failure;
    if (this.#failure !== undefined) throw notWhole(this.#failure.message);
    if (this.#payloadLeft > 0 || this.#pendingBytes > 0 || this.#position !== archiveBytes) throw notWhole();
    this.#closeBlock();
    const [start, end] = this.#samples.digests(source, archiveBytes);
    const fields = Buffer.alloc(FIELD.blocks);
    fields.write(INDEX_MAGIC, FIELD.magic, 'latin1');
    fields.writeUInt32LE(isProven ? FLAG_PROVEN : 0, FIELD.flags);
    fields.writeUInt32LE(SAMPLE_BYTES, FIELD.sampleBytes);
    fields.writeBigUInt64LE(BigInt(archiveBytes), FIELD.archiveBytes);
    fields.writeBigUInt64LE(BigInt(this.#chunks), FIELD.chunks);
    fields.writeBigUInt64LE(BigInt(this.#headBytes), FIELD.headBytes);
    start.copy(fields, FIELD.startSha256);
    end.copy(fields, FIELD.endSha256);
    const pieces = [fields, ...this.#blocks, Buffer.alloc(BLOCK_HEADER_BYTES)];
    const sum = Buffer.alloc(CRC_BYTES);
    sum.writeUInt32LE(pieces.reduce((crc, piece) => crc32(piece, crc), 0) >>> 0);
    return [...pieces, sum];
  }

  #jump(bytes: number): void {
    if (bytes > this.#payloadLeft) {
      this.#failure ??= notWhole();
      return;
    }
    this.#payloadLeft -= bytes;
    this.#position += bytes;
  }

  #take(fresh: Buffer): void {
    // A map may be long: it is put together once.
    if (this.#pendingBytes + fresh.length < this.#neededBytes) {
      this.#keep(fresh);
      return;
    }
    const bytes = this.#pendingBytes === 0 ? fresh : Buffer.concat([...this.#pending, fresh]);
    this.#pending = [];
    this.#pendingBytes = this.#neededBytes = 0;
    for (let at = 0; at < bytes.length;) {
      if (this.#payloadLeft > 0) {
        const taken = Math.min(this.#payloadLeft, bytes.length - at);
        this.#payloadLeft -= taken;
        at += taken;
        continue;
      }
      const header = decodeChunkHeader(bytes, at, bytes.length, this.#position);
      const end = at + (header === undefined ? Infinity : headBytesOf(header));
      if (header === undefined || end > bytes.length) {
        this.#keep(bytes.subarray(at));
        this.#neededBytes = header === undefined ? this.#pendingBytes + 1 : headBytesOf(header);
        return;
      }
      this.#add(header, bytes.subarray(at, end));
      at = end;
    }
  }

  #keep(bytes: Buffer): void {
    this.#pending.push(Buffer.from(bytes));
    this.#pendingBytes += bytes.length;
  }

  #add(header: ChunkHeader, head: Buffer): void {
    this.#chunks += 1;
    if (this.#chunks > INDEX_CHUNKS_MAX) {
      throw new XbstreamError(
        'XB_BAD_INDEX',
        `no index was made: it holds at most ${INDEX_CHUNKS_MAX} chunks, and the archive has more`,
      );
    }
    this.#headBytes += head.length;
    this.#heads.push(Buffer.from(head));
    this.#openBytes += head.length;
    this.#payloadLeft = payloadBytesOf(header);
    // MariaDB's S is known by what follows it.
    if (this.#openBytes >= BLOCK_BYTES && header.type !== 'seek') this.#closeBlock();
  }

  #closeBlock(): void {
    if (this.#openBytes === 0) return;
    const stored = process.getBuiltinModule('node:zlib').deflateSync(Buffer.concat(this.#heads));
    const block = Buffer.alloc(BLOCK_HEADER_BYTES);
    block.writeUInt32LE(this.#openBytes, 0);
    block.writeUInt32LE(stored.length, 4);
    this.#blocksBytes += block.length + stored.length;
    if (FIELD.blocks + this.#blocksBytes + BLOCK_HEADER_BYTES + CRC_BYTES > this.#bytesMax) {
      throw new XbstreamError(
        'XB_BAD_INDEX',
        `no index was made: that of this archive would be larger than ${this.#bytesMax} bytes`,
      );
    }
    this.#blocks.push(block, stored);
    this.#heads = [];
    this.#openBytes = 0;
  }
}

function notWhole(...details: readonly string[]): XbstreamError {
  const message = 'no index was made: the archive is not whole, or was not read as a whole';
  return new XbstreamError('XB_BAD_INDEX', message, { details });
}

/** What tells an archive from others without reading it: digests of its start and its end. */
class Samples {
  readonly #start = Buffer.alloc(SAMPLE_BYTES);
  #startBytes = 0;
  readonly #end = Buffer.alloc(SAMPLE_BYTES);
  #endBytes = 0;
  /** Archive offset of the next byte. */
  #position = 0;
  /** Nothing was jumped over. */
  #isComplete = true;

  update(bytes: Buffer, archiveOffset: number): void {
    if (archiveOffset !== this.#position) this.#isComplete = false;
    this.#position = archiveOffset + bytes.length;
    if (!this.#isComplete) return;
    if (this.#startBytes < SAMPLE_BYTES) this.#startBytes += bytes.copy(this.#start, this.#startBytes);
    const last = bytes.subarray(-SAMPLE_BYTES);
    const kept = Math.min(this.#endBytes, SAMPLE_BYTES - last.length);
    this.#end.copyWithin(0, this.#endBytes - kept, this.#endBytes);
    last.copy(this.#end, kept);
    this.#endBytes = kept + last.length;
  }

  digests(source: Source | undefined, archiveBytes: number): [start: Buffer, end: Buffer] {
    if (this.#isComplete && this.#position === archiveBytes) {
      return [sha256(this.#start.subarray(0, this.#startBytes)), sha256(this.#end.subarray(0, this.#endBytes))];
    }
    if (source?.bytesAt === undefined) throw notWhole();
    const bytes = Math.min(SAMPLE_BYTES, archiveBytes);
    return [sha256(source.bytesAt(0, bytes)), sha256(source.bytesAt(archiveBytes - bytes, bytes))];
  }
}

export function sha256(bytes: Buffer): Buffer {
  const hash: Hash = process.getBuiltinModule('node:crypto').createHash('sha256');
  return hash.update(bytes).digest();
}
