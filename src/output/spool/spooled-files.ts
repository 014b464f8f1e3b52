import { XbstreamError } from '../../errors.js';
import { pathText, type StoredPath } from '../../format/stored-path.js';
import { zeros } from '../../format/zeros.js';
import type { OutputFile } from '../output.js';
import { VirtualOutput, VirtualFile } from '../virtual-output.js';
import { type Spool, SLOT_BYTES } from './spool.js';

/** A file no larger than this waits in memory, if there is room. */
const MEMORY_FILE_BYTES = 64 * 1024;
const BLOCK_BYTES = 4096;
/** A file in more parts than this gets its further holes as zeros: what its archive claims must not fill the memory. */
const EXTENTS_MAX = 2 ** 18;

/** Where content waits: in memory up to a size, then on the disk, or nowhere, when only the size is wanted. */
export interface SpooledPlace {
  spool: Spool | undefined;
  memoryBytes: number;
}

/** A part of a file: where it belongs, how long it is, and where in the order of arrival it came; in bytes. */
interface Extent {
  fileOffset: number;
  bytes: number;
  dataOffset: number;
}

/** A file that waits until it is known what becomes of it. */
export class SpooledFile extends VirtualFile {
  isWhole = false;
  /** Its content was forgotten. */
  isGone = false;
  readonly #place: SpooledPlace;
  #extents: Extent[] = [];
  #dataBytes = 0;
  #memory: Buffer[] | undefined = [];
  #slots: number[] = [];

  constructor(path: StoredPath, place: SpooledPlace) {
    super(path);
    this.#place = place;
  }

  /** Whether its content can be read back. */
  get hasContent(): boolean {
    return this.#memory !== undefined || this.#place.spool !== undefined;
  }

  /**
   * Where its data lies, start and length in turn, rising, in whole blocks: GNU tar lets each part begin in a block of its
   * own, and a hole that is smaller saves nothing on any disk.
   */
  get extents(): number[] {
    const found: number[] = [];
    for (const { fileOffset, bytes } of this.#inOrder()) {
      const start = fileOffset - (fileOffset % BLOCK_BYTES);
      const end = Math.min(this.sizeBytes, Math.ceil((fileOffset + bytes) / BLOCK_BYTES) * BLOCK_BYTES);
      const last = found.length - 2;
      if (last >= 0 && start <= found[last]! + found[last + 1]!) found[last + 1] = end - found[last]!;
      else found.push(start, end - start);
    }
    return found;
  }

  write(bytes: Buffer, fileOffset: number): void {
    const last = this.#extents.at(-1);
    const end = last === undefined ? 0 : last.fileOffset + last.bytes;
    if (this.#extents.length >= EXTENTS_MAX) {
      if (fileOffset < end) throw tooManyParts(this.path);
      this.#zeros(end, fileOffset - end);
    }
    this.#add(bytes, fileOffset);
  }

  override finish(sizeBytes: number, done: () => void): void {
    this.isWhole = true;
    super.finish(sizeBytes, done);
  }

  override remove(): void {
    this.drop();
  }

  override abandon(): undefined {
    this.drop();
    return undefined;
  }

  /** Forgets its content. */
  drop(): void {
    const { spool } = this.#place;
    if (spool !== undefined && this.#memory !== undefined) spool.memoryLeft += this.#dataBytes;
    spool?.freeSlots(this.#slots);
    this.isGone = true;
    this.#extents = [];
    this.#memory = [];
    this.#slots = [];
    this.#dataBytes = 0;
  }

  /** Gives its content in rising order; each piece is lent until the next. */
  *content(): Iterable<{ bytes: Buffer; fileOffset: number }> {
    const memory = this.#memory === undefined ? undefined : Buffer.concat(this.#memory);
    const room = memory === undefined ? Buffer.allocUnsafe(SLOT_BYTES) : undefined;
    for (const extent of this.#inOrder()) {
      for (let done = 0; done < extent.bytes;) {
        const dataOffset = extent.dataOffset + done;
        const inSlot = dataOffset % SLOT_BYTES;
        const bytes = Math.min(extent.bytes - done, memory === undefined ? SLOT_BYTES - inSlot : Infinity);
        let piece: Buffer;
        if (memory === undefined) {
          piece = room!.subarray(0, bytes);
          this.#place.spool!.read(this.#slots[Math.floor(dataOffset / SLOT_BYTES)]!, inSlot, piece);
        } else {
          piece = memory.subarray(dataOffset, dataOffset + bytes);
        }
        yield { bytes: piece, fileOffset: extent.fileOffset + done };
        done += bytes;
      }
    }
  }

  #inOrder(): readonly Extent[] {
    const isRising = this.#extents.every(
      ({ fileOffset }, index) => index === 0 || this.#extents[index - 1]!.fileOffset < fileOffset,
    );
    return isRising ? this.#extents : this.#extents.toSorted((a, b) => a.fileOffset - b.fileOffset);
  }

  #zeros(fileOffset: number, bytes: number): void {
    for (const piece of zeros(bytes)) {
      this.#add(piece, fileOffset);
      fileOffset += piece.length;
    }
  }

  #add(bytes: Buffer, fileOffset: number): void {
    const last = this.#extents.at(-1);
    if (last !== undefined && last.fileOffset + last.bytes === fileOffset) last.bytes += bytes.length;
    else this.#extents.push({ fileOffset, bytes: bytes.length, dataOffset: this.#dataBytes });
    this.#keep(bytes);
    this.#dataBytes += bytes.length;
  }

  #keep(bytes: Buffer): void {
    const { spool, memoryBytes } = this.#place;
    if (this.#memory !== undefined) {
      const fits = this.#dataBytes + bytes.length <= memoryBytes && bytes.length <= (spool?.memoryLeft ?? Infinity);
      if (fits) {
        this.#memory.push(Buffer.from(bytes));
        if (spool !== undefined) spool.memoryLeft -= bytes.length;
        return;
      }
      this.#spill(this.#memory);
    }
    if (spool !== undefined) this.#append(bytes, this.#dataBytes, spool);
  }

  #spill(memory: readonly Buffer[]): void {
    this.#memory = undefined;
    const { spool } = this.#place;
    if (spool === undefined) return;
    let dataOffset = 0;
    for (const bytes of memory) {
      this.#append(bytes, dataOffset, spool);
      dataOffset += bytes.length;
    }
    spool.memoryLeft += dataOffset;
  }

  #append(bytes: Buffer, dataOffset: number, spool: Spool): void {
    for (let done = 0; done < bytes.length;) {
      const index = Math.floor((dataOffset + done) / SLOT_BYTES);
      const inSlot = (dataOffset + done) % SLOT_BYTES;
      const slot = (this.#slots[index] ??= spool.takeSlot());
      const part = bytes.subarray(done, done + SLOT_BYTES - inSlot);
      spool.write(slot, inSlot, part);
      done += part.length;
    }
  }
}

function tooManyParts(path: StoredPath): XbstreamError {
  return new XbstreamError('XB_UNSUPPORTED_ORDER', `${pathText(path)} comes in too many parts that are not in order`, {
    path,
    details: [`at most ${EXTENTS_MAX} are possible`],
  });
}

/** Lets the files of an archive wait: until its end, since corrections may come, or each until it is whole and its turn comes. */
export class SpoolOutput extends VirtualOutput {
  readonly blockBytes = 4096;
  readonly #place: SpooledPlace;
  readonly #spool: Spool;
  readonly #passesOn: boolean;
  readonly #passed: SpooledFile[] = [];
  readonly #files = new Set<SpooledFile>();

  /** @param passesOn each file is given away for good when it is whole */
  constructor(spool: Spool, passesOn: boolean) {
    super();
    this.#spool = spool;
    // In memory, then on the disk.
    this.#place = { spool, memoryBytes: MEMORY_FILE_BYTES };
    this.#passesOn = passesOn;
  }

  open(path: StoredPath): OutputFile {
    if (this.#passesOn) return new PassedOnFile(path, this.#place, (file) => this.#passed.push(file));
    const file = new SpooledFile(path, this.#place);
    this.#files.add(file);
    return file;
  }

  /** The whole files that wait, by their names; more than one where decoding gives two the same. */
  byPath(): Map<StoredPath, SpooledFile[]> {
    const found = new Map<StoredPath, SpooledFile[]>();
    for (const file of this.#files) {
      if (file.isWhole && !file.isGone) found.set(file.path, [...(found.get(file.path) ?? []), file]);
    }
    return found;
  }

  /** The next file to be passed on; whoever takes it drops its content when it is done with. */
  takePassed(): SpooledFile | undefined {
    return this.#passed.shift();
  }

  override release(): void {
    this.#spool.close();
  }
}

/** A file that is passed on when it is whole, and then cannot be corrected any more. */
class PassedOnFile extends SpooledFile {
  readonly #onWhole: (file: SpooledFile) => void;
  #passed = false;

  constructor(path: StoredPath, place: SpooledPlace, onWhole: (file: SpooledFile) => void) {
    super(path, place);
    this.#onWhole = onWhole;
  }

  override finish(sizeBytes: number, done: () => void): void {
    super.finish(sizeBytes, () => undefined);
    this.#passed = true;
    this.#onWhole(this);
    done();
  }

  override remove(): void {
    if (this.#passed) throw this.#tooLate('removed or replaced');
    super.remove();
  }

  override rename(path: StoredPath, replaced: OutputFile | undefined): void {
    if (this.#passed) throw this.#tooLate('renamed');
    super.rename(path, replaced);
  }

  #tooLate(what: string): XbstreamError {
    return new XbstreamError(
      'XB_UNSUPPORTED_ORDER',
      `${pathText(this.path)} is to be ${what}, but was written already`,
      {
        path: this.path,
        details: ['with --stream a file is written as soon as it is whole, and the archive corrects this one later'],
        hints: ['leave out --stream, or read the archive from a file'],
      },
    );
  }
}
