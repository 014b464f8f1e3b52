/** Files that wait, in memory or on the disk, until it is known what becomes of them. */
import { XbstreamError } from '../../errors.js';
import { pathText, type StoredPath } from '../../format/stored-path.js';
import { zeros } from '../../format/zeros.js';
import type { OutputFile } from '../output.js';
import { VirtualOutput, VirtualFile } from '../virtual-output.js';
import { SpooledParts } from './spooled-parts.js';
import { type Spool, SLOT_BYTES } from './spool.js';

/** A file no larger than this waits in memory, if there is room. */
const MEMORY_FILE_BYTES = 64 * 1024;
const BLOCK_BYTES = 4096;
const EMPTY = Buffer.alloc(0);
/** The files that wait may be in so many parts more than files, together: what an archive claims must not fill the memory. */
export const WAITING_PARTS_MAX = 2 ** 20;
/** With no more parts left, holes up to this become zeros. */
const ZEROS_BYTES_MAX = 64 * 1024 * 1024;
/** What memory takes beside its bytes, about. */
const OVERHEAD_BYTES = 200;

/** Where content waits: in memory up to a size, then on the disk, or nowhere, when only the size is wanted. */
export interface SpooledPlace {
  spool: Spool | undefined;
  memoryBytes: number;
  /** Further parts that its files may be in. */
  partsLeft: number;
}

/** A file that waits until it is known what becomes of it. */
export class SpooledFile extends VirtualFile {
  isWhole = false;
  /** Its content was forgotten. */
  isGone = false;
  readonly #place: SpooledPlace;
  readonly #extents = new SpooledParts();
  /** What has come, with room for more; undefined when it waits elsewhere. */
  #memory: Buffer | undefined = EMPTY;
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
    for (const { fileOffset, bytes } of this.#extents.inOrder()) {
      const start = fileOffset - (fileOffset % BLOCK_BYTES);
      const end = Math.min(this.sizeBytes, Math.ceil((fileOffset + bytes) / BLOCK_BYTES) * BLOCK_BYTES);
      const last = found.length - 2;
      if (last >= 0 && start <= found[last]! + found[last + 1]!) found[last + 1] = end - found[last]!;
      else found.push(start, end - start);
    }
    return found;
  }

  write(bytes: Buffer, fileOffset: number): void {
    const { count, endBytes } = this.#extents;
    if (count > 0 && fileOffset !== endBytes) {
      if (this.#place.partsLeft > 0) this.#place.partsLeft -= 1;
      else this.#zeros(fileOffset - endBytes);
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
    this.#place.partsLeft += Math.max(0, this.#extents.count - 1);
    this.#extents.clear();
    this.#forgetMemory();
    this.#memory = EMPTY;
    this.#place.spool?.freeSlots(this.#slots);
    this.#slots = [];
    this.isGone = true;
  }

  /** Gives its content in rising order, small holes as zeros; each piece is lent until the next. */
  *content(): Iterable<{ bytes: Buffer; fileOffset: number }> {
    const room = Buffer.allocUnsafe(SLOT_BYTES);
    let start = 0;
    let filled = 0;
    for (const { fileOffset, bytes, dataOffset } of this.#extents.inOrder()) {
      const hole = fileOffset - start - filled;
      if (hole >= 0 && hole < BLOCK_BYTES && filled + hole < SLOT_BYTES) {
        room.fill(0, filled, filled + hole);
        filled += hole;
      } else {
        if (filled > 0) yield { bytes: room.subarray(0, filled), fileOffset: start };
        start = fileOffset;
        filled = 0;
      }
      for (let done = 0; done < bytes;) {
        const part = room.subarray(filled, filled + bytes - done);
        this.#read(dataOffset + done, part);
        done += part.length;
        filled += part.length;
        if (filled < SLOT_BYTES) continue;
        yield { bytes: room, fileOffset: start };
        start += filled;
        filled = 0;
      }
    }
    if (filled > 0) yield { bytes: room.subarray(0, filled), fileOffset: start };
  }

  /** Reads what has come back, from its memory or the disk. */
  #read(dataOffset: number, target: Buffer): void {
    if (this.#memory !== undefined) {
      this.#memory.copy(target, 0, dataOffset);
      return;
    }
    for (let done = 0; done < target.length;) {
      const inSlot = (dataOffset + done) % SLOT_BYTES;
      const part = target.subarray(done, done + SLOT_BYTES - inSlot);
      this.#place.spool!.read(this.#slots[Math.floor((dataOffset + done) / SLOT_BYTES)]!, inSlot, part);
      done += part.length;
    }
  }

  /** Fills the hole behind what has come last. */
  #zeros(bytes: number): void {
    const { endBytes } = this.#extents;
    if (bytes < 0 || (this.hasContent && bytes > ZEROS_BYTES_MAX)) throw tooManyParts(this.path);
    if (!this.hasContent) {
      this.#extents.add(endBytes, bytes);
      return;
    }
    let fileOffset = endBytes;
    for (const piece of zeros(bytes)) {
      this.#add(piece, fileOffset);
      fileOffset += piece.length;
    }
  }

  #add(bytes: Buffer, fileOffset: number): void {
    this.#keep(bytes);
    this.#extents.add(fileOffset, bytes.length);
  }

  #keep(bytes: Buffer): void {
    if (this.#memory !== undefined) {
      if (this.#holds(bytes)) return;
      this.#spill(this.#memory);
    }
    const { spool } = this.#place;
    if (spool !== undefined) this.#append(bytes, this.#extents.dataBytes, spool);
  }

  /** Puts it into memory. @returns false where there is no room */
  #holds(bytes: Buffer): boolean {
    const { spool, memoryBytes } = this.#place;
    const memory = this.#memory!;
    const { dataBytes } = this.#extents;
    const needed = dataBytes + bytes.length;
    if (needed > memory.length) {
      // Twice as much, for what comes in many small parts.
      const size = memory.length === 0 ? needed : Math.min(memoryBytes, Math.max(needed, 2 * memory.length));
      const cost = costOf(size) - costOf(memory.length);
      if (needed > memoryBytes || cost > (spool?.memoryLeft ?? Infinity)) return false;
      if (spool !== undefined) spool.memoryLeft -= cost;
      this.#memory = Buffer.allocUnsafe(size);
      memory.copy(this.#memory, 0, 0, dataBytes);
    }
    bytes.copy(this.#memory!, dataBytes);
    return true;
  }

  #spill(memory: Buffer): void {
    const { spool } = this.#place;
    if (spool !== undefined) this.#append(memory.subarray(0, this.#extents.dataBytes), 0, spool);
    this.#forgetMemory();
  }

  #forgetMemory(): void {
    const { spool } = this.#place;
    if (spool !== undefined && this.#memory !== undefined) spool.memoryLeft += costOf(this.#memory.length);
    this.#memory = undefined;
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

function costOf(memoryBytes: number): number {
  return memoryBytes === 0 ? 0 : OVERHEAD_BYTES + memoryBytes;
}

function tooManyParts(path: StoredPath): XbstreamError {
  return new XbstreamError(
    'XB_UNSUPPORTED_ORDER',
    `${pathText(path)} comes in too many parts, which are far apart or not in order`,
    {
      path,
      details: [`files from a pipe may be in ${WAITING_PARTS_MAX} parts, together`],
      hints: ['read the archive from a file instead of a pipe'],
    },
  );
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
    this.#place = { spool, memoryBytes: MEMORY_FILE_BYTES, partsLeft: WAITING_PARTS_MAX };
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
