/** Reads the file of an index (docs/index-format.md). It is input like any other: nothing in it is taken for true unchecked. */
import * as fs from 'node:fs';
import { systemError, XbstreamError } from '../../errors.js';
import { chunkEnd, decodeChunkHeader, type ChunkHeader } from '../../format/chunk.js';
import { crc32 } from '../../format/crc32.js';
import {
  BLOCK_BYTES_MAX,
  BLOCK_HEADER_BYTES,
  CRC_BYTES,
  FIELD,
  headBytesOf,
  INDEX_BYTES_MAX,
  INDEX_CHUNKS_MAX,
  INDEX_FAMILY,
  INDEX_MAGIC,
  SAMPLE_BYTES_MAX,
  SHA256_BYTES,
} from './layout.js';

/** What zlib wants to be asked for at least. */
const CHUNK_BYTES_MIN = 64;

/** All of a chunk but its payload: the header, and the map of a sparse chunk, as they stand in the archive. */
export interface ChunkHead {
  header: ChunkHeader;
  /** What it lies in, with its neighbours. */
  block: Buffer;
  /** Where in the block it begins, and where it ends. */
  start: number;
  end: number;
  /** Of the first one of a block: where reading may begin again. */
  place: HeadPlace | undefined;
}

/** Where a block stands, and what came before it. */
export interface HeadPlace {
  /** In the file. */
  at: number;
  archiveOffset: number;
  chunks: number;
  headBytes: number;
}

const BEGINNING: HeadPlace = { at: FIELD.blocks, archiveOffset: 0, chunks: 0, headBytes: 0 };

/** What is known of an archive without reading it: where its chunks stand, and all of them but their payloads. */
export class IndexFile {
  readonly archiveBytes: number;
  /** How much of the archive's start and end is to be looked at, in bytes. */
  readonly sampleBytes: number;
  readonly startSha256: Buffer;
  readonly endSha256: Buffer;
  readonly chunks: number;
  readonly #name: string;
  readonly #file: Buffer;

  /**
   * @param path of the file
   * @throws XbstreamError `XB_IO`; `XB_BAD_INDEX` for what is no index, is damaged, or of a later version
   */
  static read(path: string): IndexFile {
    try {
      const stat = fs.statSync(path);
      if (!stat.isFile()) throw new XbstreamError('XB_IO', `${path} is no file, and an index is one`);
      if (stat.size > INDEX_BYTES_MAX) throw noIndex(path, `it is larger than ${INDEX_BYTES_MAX} bytes`);
      return new IndexFile(path, fs.readFileSync(path));
    } catch (error) {
      throw systemError(`cannot read ${path}`, error);
    }
  }

  /** @param name for messages */
  constructor(name: string, file: Buffer) {
    this.#name = name;
    this.#file = file;
    const magic = file.toString('latin1', 0, INDEX_MAGIC.length);
    if (magic !== INDEX_MAGIC) {
      throw magic.startsWith(INDEX_FAMILY) ? laterVersion(name, magic) : noIndex(name, 'it begins with something else');
    }
    const end = file.length - CRC_BYTES;
    if (end < FIELD.blocks || crc32(file.subarray(0, end)) >>> 0 !== file.readUInt32LE(end)) {
      throw this.#damaged('its checksum does not hold: it is damaged, or cut short');
    }
    this.sampleBytes = file.readUInt32LE(FIELD.sampleBytes);
    this.archiveBytes = this.#number(FIELD.archiveBytes);
    this.chunks = this.#number(FIELD.chunks);
    this.startSha256 = file.subarray(FIELD.startSha256, FIELD.startSha256 + SHA256_BYTES);
    this.endSha256 = file.subarray(FIELD.endSha256, FIELD.endSha256 + SHA256_BYTES);
    if (this.sampleBytes === 0 || this.sampleBytes > SAMPLE_BYTES_MAX) throw this.#damaged('its samples are too large');
    if (this.chunks > INDEX_CHUNKS_MAX) throw this.#damaged(`it claims ${this.chunks} chunks`);
  }

  /**
   * The heads of all chunks, in the order of the archive. They are unpacked anew each time, and one block of them is in memory
   * at a time.
   *
   * @param from where to begin, as an earlier reading has told it
   * @throws XbstreamError `XB_BAD_INDEX` where they are no archive of the size that is told
   */
  *heads(from = BEGINNING): Iterable<ChunkHead> {
    let { archiveOffset, chunks, headBytes } = from;
    for (const { at, block } of this.#blocks(from.at)) {
      const place = { at, archiveOffset, chunks, headBytes };
      for (let start = 0; start < block.length;) {
        const header = this.#header(block, start, archiveOffset);
        const end = start + headBytesOf(header);
        chunks += 1;
        if (end > block.length || chunks > this.chunks) throw this.#damaged('its chunks do not end where it says');
        archiveOffset = chunkEnd(header);
        headBytes += end - start;
        yield { header, block, start, end, place: start === 0 ? place : undefined };
        start = end;
      }
    }
    const isAll = archiveOffset === this.archiveBytes && chunks === this.chunks;
    if (!isAll || headBytes !== this.#number(FIELD.headBytes))
      throw this.#damaged('its chunks are not those it counts');
  }

  *#blocks(from: number): Iterable<{ at: number; block: Buffer }> {
    const { inflateSync } = process.getBuiltinModule('node:zlib');
    const last = this.#file.length - CRC_BYTES;
    for (let at = from; ;) {
      const start = at;
      if (at + BLOCK_HEADER_BYTES > last) throw this.#damaged('it has no end');
      const bytes = this.#file.readUInt32LE(at);
      const storedBytes = this.#file.readUInt32LE(at + 4);
      at += BLOCK_HEADER_BYTES;
      if (bytes === 0 && storedBytes === 0 && at === last) return;
      if (bytes === 0 || bytes > BLOCK_BYTES_MAX || storedBytes > last - at)
        throw this.#damaged('a block is impossible');
      let block: Buffer;
      try {
        block = inflateSync(this.#file.subarray(at, at + storedBytes), {
          maxOutputLength: bytes,
          // In one go: else it is put together of many pieces.
          chunkSize: Math.max(CHUNK_BYTES_MIN, bytes),
        });
      } catch (error) {
        throw this.#damaged(`a block cannot be unpacked: ${(error as Error).message}`);
      }
      if (block.length !== bytes) throw this.#damaged('a block is shorter than it says');
      at += storedBytes;
      yield { at: start, block };
    }
  }

  #header(block: Buffer, at: number, archiveOffset: number): ChunkHeader {
    try {
      const header = decodeChunkHeader(block, at, block.length, archiveOffset);
      if (header !== undefined && chunkEnd(header) <= this.archiveBytes) return header;
    } catch (error) {
      if (!(error instanceof XbstreamError)) throw error;
      throw this.#damaged(error.message);
    }
    throw this.#damaged('a chunk ends behind the archive');
  }

  #number(at: number): number {
    const value = this.#file.readBigUInt64LE(at);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.#damaged(`it claims ${value} bytes or chunks`);
    return Number(value);
  }

  /** The archive is another than the one that this is the index of. */
  mismatch(detail: string): XbstreamError {
    return new XbstreamError('XB_BAD_INDEX', `${this.#name} is the index of another archive`, {
      details: [detail],
      hints: ['leave out --index, or make it anew: tsxbstream index ARCHIVE -o FILE'],
    });
  }

  #damaged(detail: string): XbstreamError {
    return new XbstreamError('XB_BAD_INDEX', `the index ${this.#name} cannot be used`, {
      details: [detail],
      hints: ['leave out --index, or make it anew: tsxbstream index ARCHIVE -o FILE'],
    });
  }
}

function noIndex(name: string, detail: string): XbstreamError {
  return new XbstreamError('XB_BAD_INDEX', `${name} is no index of an archive`, {
    details: [detail],
    hints: ['one is made by: tsxbstream index ARCHIVE -o FILE'],
  });
}

function laterVersion(name: string, magic: string): XbstreamError {
  const found = magic.slice(INDEX_FAMILY.length).replace(/[^\x20-\x7e]/g, '.');
  return new XbstreamError('XB_BAD_INDEX', `the index ${name} has a version that is not known`, {
    details: [`expected ${INDEX_MAGIC.slice(INDEX_FAMILY.length)}, found ${found}`],
    hints: ['leave out --index, or use the program that made it'],
  });
}
