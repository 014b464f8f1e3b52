/**
 * Reads a tar archive that is pushed in, a piece at a time. Directories are passed over, since they hold nothing; what else
 * is no regular file is an error.
 *
 * tar-stream does the decoding. It is given the headers block by block and each content by itself, so that here is known
 * where the archive is: it would go on behind the archive's end, and take one without an end for whole.
 */
import { extract, type Header } from 'tar-stream';
import { XbstreamError } from '../errors.js';
import { pathText, type StoredPath, rawPath } from '../format/stored-path.js';
import { ABOUT_ALL, ABOUT_NEXT, blocksBehind, parseRecords, sizeField, type Records } from './about.js';
import { isOldSparse, OldSparseMap } from './old-sparse.js';
import { SparseParts, TarSparseContent, type SparseContent } from './sparse.js';

/** Receives what a {@link TarReader} finds, in order. */
export interface TarConsumer {
  /** A regular file begins. */
  member(path: StoredPath, sizeBytes: number): void;
  /** Its content, in order; `bytes` are lent until the call returns. */
  data(bytes: Buffer): void;
  /** It is complete. */
  memberEnd(): void;
}

const BLOCK_BYTES = 512;
/** What stands before a file's content and is about it is not larger than this. */
const ABOUT_BYTES_MAX = 1024 * 1024;

/** Names are bytes; a piece is asked for when the one before is done with; the oldest tars name no format. */
const EXTRACT_OPTIONS = { filenameEncoding: 'latin1', allowUnknownFormat: true, highWaterMark: 0 };

export class TarReader {
  readonly #consumer: TarConsumer;
  readonly #extract = extract(EXTRACT_OPTIONS);
  #tarOffset = 0;
  #state: 'header' | 'content' | 'end' = 'header';
  /** The header block that is coming. */
  #block = Buffer.alloc(BLOCK_BYTES);
  #blockBytes = 0;
  #zeroBlocks = 0;
  /** What comes before a content: headers, each with the names or records behind it. */
  #about: { header: Buffer; blocks: Buffer[] }[] = [];
  #aboutBytes = 0;
  /** Blocks of the last of them that are still to come. */
  #behindLeft = 0;
  /** Their meaning, when tar-stream has told it. */
  #header: Header | undefined;

  #path = rawPath('');
  #contentLeft = 0;
  #paddingLeft = 0;
  /** Content that tar-stream has been given and not given back. */
  #due = 0;
  #sparse: SparseContent | undefined;
  /** A map that goes on in the next block, and how much content stands behind it. */
  #oldMap: { map: OldSparseMap; storedBytes: number } | undefined;
  #failure: Error | undefined;
  #step: { isDrained: boolean; done: () => void; fail: (error: Error) => void } | undefined;

  constructor(consumer: TarConsumer) {
    this.#consumer = consumer;
    this.#extract.on('entry', (header, content, next) => {
      this.#header = header;
      content.on('data', (bytes) => this.#data(bytes as Buffer));
      content.on('error', (error) => this.#fail(error));
      next();
    });
    this.#extract.on('drain', () => {
      if (this.#step !== undefined) this.#step.isDrained = true;
      this.#finishStep();
    });
    this.#extract.on('error', (error) => this.#fail(error));
  }

  /** @throws XbstreamError `XB_BAD_MAGIC`, `XB_BAD_HEADER`, `XB_UNSUPPORTED_LAYER`, and what the consumer throws */
  async push(piece: Buffer): Promise<void> {
    for (let at = 0; at < piece.length;) {
      const taken = await this.#take(piece.subarray(at));
      at += taken;
      this.#tarOffset += taken;
    }
  }

  /** The input has ended. @throws XbstreamError `XB_TRUNCATED` */
  end(): void {
    this.#extract.destroy();
    if (this.#zeroBlocks > 0 && this.#blockBytes === 0) return;
    throw new XbstreamError('XB_TRUNCATED', 'the tar archive is cut short', {
      details: [
        this.#contentLeft > 0
          ? `it ends at byte ${this.#tarOffset}; ${this.#contentLeft} bytes of ${pathText(this.#path)} are missing`
          : `it ends at byte ${this.#tarOffset}, without the blocks of zeros that mark its end`,
      ],
    });
  }

  /** @returns how many of the bytes were taken */
  async #take(bytes: Buffer): Promise<number> {
    switch (this.#state) {
      case 'header': {
        const taken = bytes.copy(this.#block, this.#blockBytes);
        this.#blockBytes += taken;
        if (this.#blockBytes === BLOCK_BYTES) await this.#takeBlock();
        return taken;
      }
      case 'content': {
        const content = Math.min(bytes.length, this.#contentLeft);
        const padding = Math.min(bytes.length - content, this.#paddingLeft);
        await this.#feed(bytes.subarray(0, content + padding), content);
        this.#contentLeft -= content;
        this.#paddingLeft -= padding;
        if (content > 0 && this.#contentLeft === 0) this.#finish();
        if (this.#contentLeft + this.#paddingLeft === 0) this.#state = 'header';
        return content + padding;
      }
      case 'end':
        if (isZero(bytes)) return bytes.length;
        throw this.#damaged('something follows its end', [
          'a second tar archive behind the first, perhaps: convert each by itself',
        ]);
    }
  }

  async #takeBlock(): Promise<void> {
    const block = this.#block;
    this.#block = Buffer.alloc(BLOCK_BYTES);
    this.#blockBytes = 0;
    if (this.#oldMap !== undefined) {
      // tar-stream knows nothing of such blocks.
      this.#oldMap.map.push(block);
      this.#beginOldSparse(this.#oldMap.map, this.#oldMap.storedBytes);
      return;
    }
    if (this.#behindLeft > 0) {
      this.#about.at(-1)!.blocks.push(block);
      this.#behindLeft -= 1;
    } else if (isZero(block)) {
      // Records for all files need none behind them; anything else does.
      if (this.#about.some(({ header }) => header[156] !== ABOUT_ALL)) throw this.#misplaced();
      this.#zeroBlocks += 1;
      if (this.#zeroBlocks === 2) this.#state = 'end';
      return;
    } else {
      if (this.#zeroBlocks > 0) throw this.#damaged('something follows the mark of its end');
      this.#about.push({ header: block, blocks: [] });
      this.#behindLeft = blocksBehind(block);
    }
    this.#aboutBytes += BLOCK_BYTES;
    if (this.#aboutBytes > ABOUT_BYTES_MAX) throw this.#damaged('an impossible header');
    try {
      await this.#feed(block, 0);
    } catch (error) {
      if (error instanceof XbstreamError) throw error;
      throw this.#unreadable(error);
    }
    const header = this.#header;
    if (header === undefined) return;
    const records = this.#records();
    this.#header = undefined;
    this.#about = [];
    this.#aboutBytes = 0;
    this.#begin(header, block, records);
  }

  /** What is recorded of the file that begins. tar-stream would pass over records that cannot be read. */
  #records(): Records {
    let records: Records = new Map();
    for (const { header, blocks } of this.#about) {
      const bytes = sizeField(header);
      if (bytes === undefined) throw this.#damaged('an impossible size');
      const isAboutAll = header[156] === ABOUT_ALL;
      if (!isAboutAll && header[156] !== ABOUT_NEXT) continue;
      const found = parseRecords(Buffer.concat(blocks).subarray(0, bytes));
      if (found === undefined) throw this.#damaged('records that cannot be read stand before a file');
      if (found.has('GNU.volume.offset')) {
        throw unstorable(found.get('GNU.volume.filename') ?? rawPath('what follows'), CONTINUED);
      }
      if (!isAboutAll) records = found;
      else if ([...found.keys()].some(isOfOneFile))
        throw this.#damaged('a record for all files says what only one can be');
    }
    return records;
  }

  #begin(header: Header, block: Buffer, records: Records): void {
    const path = records.get('GNU.sparse.name') ?? records.get('path') ?? rawPath(header.name);
    const type = block[156]!;
    const { size } = header;
    if (!Number.isSafeInteger(size) || !/^\d+$/.test(records.get('size') ?? '0')) {
      throw this.#damaged('an impossible size');
    }
    this.#path = path;
    if (header.type === 'directory' || (header.type === 'file' && path.endsWith('/'))) {
      // It has no content, and the files in it bring it along.
      if (size > 0) throw this.#damaged(`${pathText(path)} is a directory with content`);
      return;
    }
    this.#sparse = undefined;
    if (isOldSparse(block)) {
      this.#beginOldSparse(new OldSparseMap(block), size);
      return;
    }
    if (header.type !== 'file' && header.type !== 'contiguous-file') throw unstorable(path, type);
    if ([...records.keys()].some(isOfSparse)) this.#beginSparse(records, size);
    else this.#consumer.member(path, size);
    this.#beginContent(size);
  }

  #beginContent(storedBytes: number): void {
    this.#contentLeft = storedBytes;
    this.#paddingLeft = (BLOCK_BYTES - (storedBytes % BLOCK_BYTES)) % BLOCK_BYTES;
    if (storedBytes === 0) this.#finish();
    else this.#state = 'content';
  }

  #beginSparse(records: Records, storedBytes: number): void {
    if (records.get('GNU.sparse.major') !== '1' || records.get('GNU.sparse.minor') !== '0') {
      throw unstorable(this.#path, OTHER_SPARSE);
    }
    const digits: string = records.get('GNU.sparse.realsize') ?? '';
    const sizeBytes = Number(digits);
    if (!/^\d{1,16}$/.test(digits) || !Number.isSafeInteger(sizeBytes)) throw this.#badMap();
    this.#sparse = new TarSparseContent(sizeBytes, storedBytes, (bytes) => this.#consumer.data(bytes));
    this.#consumer.member(this.#path, sizeBytes);
  }

  /** Its map may go on in further blocks. */
  #beginOldSparse(map: OldSparseMap, storedBytes: number): void {
    if (map.isBad || (!map.goesOn && map.map.partBytes !== storedBytes)) throw this.#badMap();
    this.#oldMap = map.goesOn ? { map, storedBytes } : undefined;
    if (map.goesOn) return;
    this.#sparse = new SparseParts(map.sizeBytes, map.map, (bytes) => this.#consumer.data(bytes));
    this.#consumer.member(this.#path, map.sizeBytes);
    this.#beginContent(storedBytes);
  }

  #finish(): void {
    if (this.#sparse?.end() === false) throw this.#badMap();
    this.#consumer.memberEnd();
  }

  /** Gives bytes to tar-stream, and waits until it is done with them. */
  #feed(bytes: Buffer, contentBytes: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#due += contentBytes;
      this.#step = { isDrained: false, done: resolve, fail: reject };
      if (this.#failure === undefined) this.#extract.write(bytes);
      else reject(this.#failure);
    });
  }

  #data(bytes: Buffer): void {
    try {
      if (this.#sparse === undefined) this.#consumer.data(bytes);
      else if (!this.#sparse.push(bytes)) throw this.#badMap();
      this.#due -= bytes.length;
      this.#finishStep();
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#step?.fail(error);
  }

  #finishStep(): void {
    if (this.#due === 0 && this.#step?.isDrained === true) this.#step.done();
  }

  /** What tar-stream's error about a header means. */
  #unreadable(error: unknown): XbstreamError {
    const said = error instanceof Error ? error.message : String(error);
    if (!said.startsWith('Invalid tar header')) return this.#damaged(`an impossible header (${said})`);
    if (this.#tarOffset >= BLOCK_BYTES) return this.#misplaced();
    return new XbstreamError('XB_BAD_MAGIC', 'this is no tar archive', {
      hints: ['a compressed one is unpacked on the way: zstd -dc FILE.tar.zst | tsxbstream create --from-tar'],
    });
  }

  #misplaced(): XbstreamError {
    return this.#damaged('no header stands where one must');
  }

  #badMap(): XbstreamError {
    return this.#damaged(`the map of the sparse file ${pathText(this.#path)} makes no sense`);
  }

  #damaged(how: string, hints: readonly string[] = []): XbstreamError {
    return new XbstreamError('XB_BAD_HEADER', `the tar archive is damaged: ${how}`, {
      details: [`at byte ${this.#tarOffset} of the tar`],
      hints,
    });
  }
}

function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}

/** Whether a record is of a sparse file, in the form of GNU or of Solaris. */
function isOfSparse(key: string): boolean {
  return key.startsWith('GNU.sparse.') || key === 'SUN.holesdata';
}

/** Whether a record says what no two files have in common. */
function isOfOneFile(key: string): boolean {
  return key === 'path' || key === 'size' || isOfSparse(key);
}

const OTHER_SPARSE = 'S'.charCodeAt(0);
const CONTINUED = 'M'.charCodeAt(0);

const KINDS: Readonly<Record<string, string>> = {
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a device',
  '4': 'a device',
  '6': 'a named pipe',
  M: 'the rest of a file that begins in another volume',
  S: 'a sparse file in a format that is not known',
};

function unstorable(path: StoredPath, type: number): XbstreamError {
  const what = KINDS[String.fromCharCode(type)] ?? 'of a type that is not known';
  return new XbstreamError('XB_UNSUPPORTED_LAYER', `${pathText(path)} is ${what} in the tar: it cannot be stored`, {
    path,
    hints: [
      `unpack ${type === CONTINUED ? 'all volumes of the tar' : 'the tar'}, and make the archive of the files: tsxbstream create FILE...`,
    ],
  });
}
