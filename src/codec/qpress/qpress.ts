/** Decodes a qpress archive of one file, block by block (format.md, section 3). */
import { hex32 } from '../../format/crc32.js';
import { layerError } from '../codec.js';
import { quickLzOutput, readQuickLzHeader } from './quicklz.js';
import { UnitDecoder, type Found } from '../unit-decoder.js';

const ARCHIVE_MAGIC = Buffer.from('qpress10', 'latin1');
const BLOCK_MAGIC = Buffer.from('NEWBNEWB', 'latin1');
const TRAILER_MAGIC = Buffer.from('ENDSENDS', 'latin1');
const MAGIC_BYTES = 8;
const ARCHIVE_HEADER_BYTES = 16;
/** The letter F and the length of the name, which is followed by a zero byte. */
const FILE_HEADER_BYTES = 5;
const NAME_BYTES_MAX = 4096;
const ADLER_AT = 16;
/** Magic, offset and checksum before the QuickLZ block. */
const BLOCK_HEADER_BYTES = 20;
const TRAILER_BYTES = 16;

/** Larger blocks are not held in memory. */
const CHUNK_BYTES_MAX = 64 << 20;
/** What does not compress grows by less than this: a control word for 31 bytes and a header. */
const EXPANSION_BYTES_MAX = 400;

/** Output is gathered up to this size, then passed on while it is still in the CPU's caches. */
const OUTPUT_BYTES = 256 << 10;

export class QpressDecoder extends UnitDecoder {
  readonly layer = 'qpress';
  #chunkBytes = 0;
  #expected: 'archive header' | 'file header' | 'block or trailer' | 'end of data' = 'archive header';

  protected measure(window: Buffer, at: number): Found {
    const available = window.length - at;
    switch (this.#expected) {
      case 'archive header':
        return this.#archiveHeader(window, at, available);
      case 'file header':
        return this.#fileHeader(window, at, available);
      case 'block or trailer':
        return this.#blockOrTrailer(window, at, available);
      case 'end of data':
        if (available > 0) {
          throw layerError(
            'XB_BAD_LAYER',
            'there is data behind the end of the compressed file',
            this.layer,
            this.windowOffset + at,
          );
        }
        this.unitNeedsBytes = 1;
        return 'more';
    }
  }

  #archiveHeader(window: Buffer, at: number, available: number): Found {
    this.unitNeedsBytes = ARCHIVE_HEADER_BYTES;
    if (available < ARCHIVE_HEADER_BYTES) return 'more';
    if (!hasMagic(ARCHIVE_MAGIC, window, at)) {
      throw this.#unexpected('the file is not compressed in the qpress format', 'qpress10', window, at);
    }
    this.recognised = true;
    const chunkBytes = window.readBigUInt64LE(at + MAGIC_BYTES);
    if (chunkBytes > CHUNK_BYTES_MAX) {
      throw layerError(
        'XB_UNSUPPORTED_LAYER',
        `the blocks of the qpress archive are larger than the ${CHUNK_BYTES_MAX >> 20} MiB that are supported`,
        this.layer,
        this.windowOffset + at,
        `block size ${chunkBytes.toString()}`,
      );
    }
    this.#chunkBytes = Number(chunkBytes);
    return this.#skip(ARCHIVE_HEADER_BYTES, 'file header');
  }

  #fileHeader(window: Buffer, at: number, available: number): Found {
    this.unitNeedsBytes = FILE_HEADER_BYTES;
    if (available < FILE_HEADER_BYTES) return 'more';
    const nameBytes = window.readUInt32LE(at + 1);
    if (window[at] !== 0x46 || nameBytes > NAME_BYTES_MAX) {
      throw this.#unexpected(
        'no file begins where one should',
        `F and a name of at most ${NAME_BYTES_MAX} bytes`,
        window,
        at,
      );
    }
    const bytes = FILE_HEADER_BYTES + nameBytes + 1;
    this.unitNeedsBytes = bytes;
    if (available < bytes) return 'more';
    if (window[at + bytes - 1] !== 0) {
      throw this.#unexpected('the name in the file header has no end', 'a zero byte', window, at + bytes - 1);
    }
    return this.#skip(bytes, 'block or trailer');
  }

  #blockOrTrailer(window: Buffer, at: number, available: number): Found {
    this.unitNeedsBytes = TRAILER_BYTES;
    if (available < TRAILER_BYTES) return 'more';
    if (hasMagic(TRAILER_MAGIC, window, at)) return this.#skip(TRAILER_BYTES, 'end of data');
    if (!hasMagic(BLOCK_MAGIC, window, at)) {
      throw this.#unexpected('no compressed block where one should begin', 'NEWBNEWB or ENDSENDS', window, at);
    }
    const header = readQuickLzHeader(window, at + BLOCK_HEADER_BYTES);
    if (header === undefined) {
      // The flags tell how long the header is; they are the next byte that is missing, or its lengths are.
      this.unitNeedsBytes = Math.max(BLOCK_HEADER_BYTES + 3, available + 1);
      return 'more';
    }
    const layerOffset = this.windowOffset + at;
    if (typeof header === 'string') {
      throw layerError('XB_BAD_LAYER', 'a compressed block has an impossible header', this.layer, layerOffset, header);
    }
    const { compressedBytes, decompressedBytes } = header;
    if (
      decompressedBytes > this.#chunkBytes ||
      compressedBytes > this.#chunkBytes + (this.#chunkBytes >>> 3) + EXPANSION_BYTES_MAX
    ) {
      throw layerError(
        'XB_BAD_LAYER',
        'a compressed block has impossible sizes',
        this.layer,
        layerOffset,
        `at most ${this.#chunkBytes} bytes in a block, found ${decompressedBytes}, compressed ${compressedBytes}`,
      );
    }
    this.unitBytes = BLOCK_HEADER_BYTES + compressedBytes;
    this.unitNeedsBytes = this.unitBytes;
    return available < this.unitBytes ? 'more' : 'unit';
  }

  #skip(bytes: number, expected: 'file header' | 'block or trailer' | 'end of data'): Found {
    this.unitBytes = bytes;
    this.#expected = expected;
    return 'skip';
  }

  #unexpected(message: string, expected: string, window: Buffer, at: number) {
    const found = window.toString('hex', at, at + MAGIC_BYTES);
    return layerError(
      'XB_BAD_LAYER',
      message,
      this.layer,
      this.windowOffset + at,
      `expected ${expected}, found ${found} (hex)`,
    );
  }

  protected decode(unit: Buffer, layerOffset: number): void {
    const block = unit.subarray(BLOCK_HEADER_BYTES);
    const header = readQuickLzHeader(block, 0);
    if (typeof header !== 'object') throw new Error('a unit is a whole block');
    const { headerBytes, decompressedBytes, stored, level } = header;
    if (!quickLzOutput.hasRoom(block.length, decompressedBytes)) this.flush();
    quickLzOutput.load(block, decompressedBytes);
    const expected = unit.readUInt32LE(ADLER_AT);
    const found = quickLzOutput.adler32();
    if (found !== expected) {
      throw layerError(
        'XB_BAD_LAYER',
        'checksum mismatch in a compressed block',
        this.layer,
        layerOffset,
        `expected adler32 ${hex32(expected)}, found ${hex32(found)}`,
      );
    }
    if (stored) {
      this.flush();
      this.context.output(block.subarray(headerBytes, headerBytes + decompressedBytes));
      return;
    }
    // Here, since the checksum has said that this is no damage.
    if (level !== 1) {
      throw layerError(
        'XB_UNSUPPORTED_LAYER',
        `a block is compressed by QuickLZ at level ${level}, and only level 1, which backups have, can be decoded`,
        this.layer,
        layerOffset,
      ).with({ hints: ['unpack the file as it is, without --decompress, and decompress it by qpress -do FILE'] });
    }
    const damage = quickLzOutput.decode(headerBytes, decompressedBytes);
    if (damage !== undefined) {
      throw layerError('XB_BAD_LAYER', 'a compressed block cannot be decoded', this.layer, layerOffset, damage);
    }
    if (quickLzOutput.bytes >= OUTPUT_BYTES) this.flush();
  }

  /** What was decoded and is gathered goes out. */
  protected override flush(): void {
    if (quickLzOutput.bytes > 0) this.context.output(quickLzOutput.take());
  }

  protected finish(rest: Buffer): void {
    if (this.#expected === 'end of data') return;
    const article = this.#expected === 'archive header' ? 'an' : 'a';
    throw layerError(
      'XB_LAYER_TRUNCATED',
      'the compressed data ends too early',
      this.layer,
      this.windowOffset + rest.length,
      `expected ${article} ${this.#expected}${rest.length > 0 ? ` of at least ${this.unitNeedsBytes} bytes, found ${rest.length}` : ''}`,
    );
  }
}

function hasMagic(magic: Buffer, window: Buffer, at: number): boolean {
  return window.compare(magic, 0, MAGIC_BYTES, at, at + MAGIC_BYTES) === 0;
}
