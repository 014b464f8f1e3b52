/** Layout of an InnoDB page; all numbers big-endian. */
const PAGE_NUMBER_AT = 4;
const PAGE_TYPE_AT = 24;
const COMPRESSED_BYTES_AT = 32;
const SPACE_ID_AT = 34;
const PAGE_HEADER_BYTES = 38;
/** In the first page, behind its header: the space's id again, and its flags. */
const SPACE_ID_AGAIN_AT = 38;
const SPACE_FLAGS_AT = 54;
const SPACE_HEADER_BYTES = 58;

const TYPE_COMPRESSED = 14;
const TYPE_SPACE_HEADER = 8;

const FLAG_FULL_CRC32 = 0x10;
const FLAGS_FULL_CRC32_COMPRESSION = 0xe0;
const FLAG_MARIADB_COMPRESSION = 0x10000;

const PAGE_BYTES_DEFAULT = 16384;
const PAGE_BYTES_MIN = 4096;
const PAGE_BYTES_MAX = 65536;
const ZEROS = Buffer.alloc(PAGE_BYTES_MAX);

/** A tablespace that may have page-compressed pages. */
export interface SpaceLayout {
  /** Size of its pages, in bytes. */
  pageBytes: number;
  /** Whose page compression it may have. In MySQL each page tells whether it is compressed, in MariaDB the first one for all. */
  compression: 'mysql' | 'mariadb';
}

/**
 * Works out from a tablespace's first page how large its pages are, and whether they may be page-compressed.
 *
 * MySQL keeps the size in bits 6-9 of the flags as the power of two above 512, with 0 for 16 KiB, as older servers wrote it.
 * So does MariaDB up to 10.4, and sets bit 16 where pages are compressed; from 10.5 on (`full_crc32`) bit 4 is set, which no
 * other layout allows, the size is in bits 0-3, and bits 5-7 are not zero where pages are compressed. Bits 1-4 are, in the
 * old layout, the size of ROW_FORMAT=COMPRESSED pages, which are never page-compressed. In MySQL the flags do not tell.
 *
 * @param head at least the first 58 bytes of the file
 * @returns undefined when it is no tablespace, or one whose pages cannot be page-compressed
 */
export function spaceLayoutOf(head: Buffer): SpaceLayout | undefined {
  const isTablespace =
    head.length >= SPACE_HEADER_BYTES &&
    head.readUInt32BE(PAGE_NUMBER_AT) === 0 &&
    head.readUInt16BE(PAGE_TYPE_AT) === TYPE_SPACE_HEADER &&
    head.readUInt32BE(SPACE_ID_AT) === head.readUInt32BE(SPACE_ID_AGAIN_AT);
  if (!isTablespace) return undefined;
  const flags = head.readUInt32BE(SPACE_FLAGS_AT);
  const isFullCrc32 = (flags & FLAG_FULL_CRC32) !== 0;
  if (isFullCrc32 ? (flags & FLAGS_FULL_CRC32_COMPRESSION) === 0 : (flags & 0x1e) !== 0) return undefined;
  const power = isFullCrc32 ? flags & 0xf : (flags >>> 6) & 0xf;
  const pageBytes = power === 0 && !isFullCrc32 ? PAGE_BYTES_DEFAULT : 512 << power;
  if (pageBytes < PAGE_BYTES_MIN || pageBytes > PAGE_BYTES_MAX) return undefined;
  return { pageBytes, compression: isFullCrc32 || (flags & FLAG_MARIADB_COMPRESSION) !== 0 ? 'mariadb' : 'mysql' };
}

/**
 * Whether a file that is stored as it was on the server may have pages whose unused ends are stored as zeros: MariaDB's
 * may, while xtrabackup sends MySQL's as sparse chunks.
 *
 * @param head the first bytes of the file
 * @returns undefined when they are too few to tell
 */
export function storesZerosOfHoles(head: Buffer): boolean | undefined {
  if (head.length < SPACE_HEADER_BYTES) return undefined;
  const space = spaceLayoutOf(head);
  return space?.compression === 'mariadb';
}

/**
 * Leaves out the unused parts of InnoDB's page-compressed pages where a tablespace is written, so that it takes no more disk
 * than on the server: in MySQL pages of type 14 need their header and the compressed size that stands at bytes 32-33, rounded
 * up to the file system's block; in MariaDB's page-compressed tables no block is needed that holds nothing but zeros. Only
 * bytes that are zero are left out, so the content is the same whatever the headers say.
 */
export class PageHoles {
  readonly #blockBytes: number;
  readonly #write: (fileOffset: number, bytes: Buffer) => void;
  /** The header of the page that is being passed through, or of the file. */
  readonly #head = Buffer.alloc(SPACE_HEADER_BYTES);
  #space: SpaceLayout | undefined;
  /** The space is known, or known not to matter. */
  #decided = false;
  /** From here to the page's end, in the page, there may be a hole. */
  #holeAt = Infinity;
  #fileBytes = 0;

  /**
   * @param blockBytes holes begin at multiples of it: what the file system leaves holes by
   * @param write is given what is to be written, in rising order; `bytes` are part of what was pushed
   * @param from where in the file it begins, if not with its first byte, and what that has told of it
   */
  constructor(
    blockBytes: number,
    write: (fileOffset: number, bytes: Buffer) => void,
    from?: { fileOffset: number; space: SpaceLayout | undefined },
  ) {
    this.#blockBytes = blockBytes;
    this.#write = write;
    if (from === undefined) return;
    this.#fileBytes = from.fileOffset;
    this.#space = from.space;
    this.#decided = true;
  }

  /** Where what was pushed ends in the file: the size it must be given at the end, since a hole may come last. */
  get fileBytes(): number {
    return this.#fileBytes;
  }

  /** What the file's first bytes say; undefined also as long as they have not come. */
  get space(): SpaceLayout | undefined {
    return this.#space;
  }

  /** Takes the next bytes of the file. */
  push(bytes: Buffer): void {
    let at = 0;
    if (!this.#decided) at = this.#readHead(bytes);
    // A caller that wants no holes asks for larger ones than there can be.
    if (this.#space === undefined || this.#blockBytes > this.#space.pageBytes) {
      if (bytes.length > 0) this.#write(this.#fileBytes, bytes);
    } else if (this.#space.compression === 'mysql') {
      this.#pushPages(bytes, at, this.#space.pageBytes);
    } else {
      this.#pushBlocks(bytes);
    }
    this.#fileBytes += bytes.length;
  }

  /** Collects the first page's header. Returns how many of `bytes` belong to it: they are written whatever it says. */
  #readHead(bytes: Buffer): number {
    const count = Math.min(SPACE_HEADER_BYTES - this.#fileBytes, bytes.length);
    bytes.copy(this.#head, this.#fileBytes, 0, count);
    if (this.#fileBytes + count === SPACE_HEADER_BYTES) {
      this.#decided = true;
      this.#space = spaceLayoutOf(this.#head);
    }
    return count;
  }

  #pushPages(bytes: Buffer, start: number, pageBytes: number): void {
    let from = 0;
    for (let at = start; at < bytes.length;) {
      const inPage = (this.#fileBytes + at) % pageBytes;
      if (inPage < PAGE_HEADER_BYTES) {
        const count = Math.min(PAGE_HEADER_BYTES - inPage, bytes.length - at);
        bytes.copy(this.#head, inPage, at, at + count);
        at += count;
        this.#holeAt = inPage + count < PAGE_HEADER_BYTES ? Infinity : this.#holeOfPage();
        continue;
      }
      const end = Math.min(at + pageBytes - inPage, bytes.length);
      const holeFrom = at + Math.max(0, this.#holeAt - inPage);
      if (holeFrom < end && isZero(bytes, holeFrom, end)) {
        if (holeFrom > from) this.#write(this.#fileBytes + from, bytes.subarray(from, holeFrom));
        from = end;
      }
      at = end;
    }
    if (from < bytes.length) this.#write(this.#fileBytes + from, bytes.subarray(from));
  }

  /** Where in its page the hole may begin that the header tells of. */
  #holeOfPage(): number {
    if (this.#head.readUInt16BE(PAGE_TYPE_AT) !== TYPE_COMPRESSED) return Infinity;
    const usedBytes = PAGE_HEADER_BYTES + this.#head.readUInt16BE(COMPRESSED_BYTES_AT);
    return Math.ceil(usedBytes / this.#blockBytes) * this.#blockBytes;
  }

  #pushBlocks(bytes: Buffer): void {
    let from = 0;
    for (let at = 0; at < bytes.length;) {
      const inBlock = (this.#fileBytes + at) % this.#blockBytes;
      const end = Math.min(at + this.#blockBytes - inBlock, bytes.length);
      if (bytes[at] === 0 && isZero(bytes, at, end)) {
        if (at > from) this.#write(this.#fileBytes + from, bytes.subarray(from, at));
        from = end;
      }
      at = end;
    }
    if (from < bytes.length) this.#write(this.#fileBytes + from, bytes.subarray(from));
  }
}

function isZero(bytes: Buffer, start: number, end: number): boolean {
  return ZEROS.compare(bytes, start, end, 0, end - start) === 0;
}
