/**
 * A file on the disk for content that has to wait. It has no name: the system takes it away however this process ends.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { systemError, XbstreamError } from '../../errors.js';
import { closeRead } from '../../input/close.js';
import { NEW_FILE_FLAGS, writeAll } from '../directory/file-calls.js';

/** Files wait in parts of this size; what of one is not used takes no room on the disk. */
export const SLOT_BYTES = 256 * 1024;
/** What is gathered before it is written: content may come in parts of a byte. */
const STAGE_BYTES = 64 * 1024;
/** How much may be written, at most, before the free space is looked at again. */
const CHECK_BYTES = 64 * 1024 * 1024;
/** What small files may take of the memory, together. */
const MEMORY_BYTES = 16 * 1024 * 1024;

export class Spool {
  /** Bytes of memory that small files may still take. */
  memoryLeft = MEMORY_BYTES;
  readonly #directory: string;
  readonly #free: number[] = [];
  #slots = 0;
  #fd: number | undefined;
  /** Bytes that may be written before the free space is looked at again. */
  #unchecked = 0;
  /** Where what was gathered belongs, in bytes. */
  #stageOffset = 0;
  #staged = 0;
  readonly #stage = Buffer.allocUnsafeSlow(STAGE_BYTES);

  constructor(directory: string) {
    this.#directory = directory;
  }

  takeSlot(): number {
    return this.#free.pop() ?? this.#slots++;
  }

  freeSlots(slots: readonly number[]): void {
    for (const slot of slots) this.#free.push(slot);
  }

  /** @throws XbstreamError `XB_IO` */
  write(slot: number, at: number, bytes: Buffer): void {
    this.#fd ??= this.#open();
    if (bytes.length > this.#unchecked) this.#check(bytes.length);
    this.#unchecked -= bytes.length;
    const offset = slot * SLOT_BYTES + at;
    if (offset !== this.#stageOffset + this.#staged || this.#staged + bytes.length > STAGE_BYTES) {
      this.#flush();
      this.#stageOffset = offset;
    }
    if (bytes.length > STAGE_BYTES) this.#put(this.#fd, bytes, offset);
    else this.#staged += bytes.copy(this.#stage, this.#staged);
  }

  /** @throws XbstreamError `XB_IO` */
  read(slot: number, at: number, target: Buffer): void {
    this.#flush();
    try {
      for (let done = 0; done < target.length;) {
        const bytes = fs.readSync(this.#fd!, target, done, target.length - done, slot * SLOT_BYTES + at + done);
        if (bytes === 0) throw new Error('it is shorter than what was written');
        done += bytes;
      }
    } catch (error) {
      throw systemError(`cannot read back what waits in ${this.#directory}`, error);
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeRead(this.#fd);
    this.#fd = undefined;
  }

  #flush(): void {
    if (this.#staged > 0) this.#put(this.#fd!, this.#stage.subarray(0, this.#staged), this.#stageOffset);
    this.#staged = 0;
  }

  #put(fd: number, bytes: Buffer, offset: number): void {
    try {
      writeAll(fd, bytes, offset);
    } catch (error) {
      throw this.#told(error);
    }
  }

  #open(): number {
    const { randomBytes } = process.getBuiltinModule('node:crypto');
    const path = join(this.#directory, `.tsxbstream-${process.pid}-${randomBytes(6).toString('hex')}.spool`);
    try {
      const fd = fs.openSync(path, (NEW_FILE_FLAGS & ~fs.constants.O_WRONLY) | fs.constants.O_RDWR, 0o600);
      fs.unlinkSync(path);
      return fd;
    } catch (error) {
      throw systemError(`cannot make a file in ${this.#directory}, where content has to wait`, error, {
        hints: ['choose another place: --tmp-dir DIR'],
      });
    }
  }

  /** A disk is not filled to the last byte: others need it, too. */
  #check(bytes: number): void {
    const freeBytes = this.#freeBytes();
    if (freeBytes < bytes) throw this.#told(Object.assign(new Error(), { code: 'ENOSPC' }));
    this.#unchecked = Math.min(CHECK_BYTES, Math.max(bytes, Math.floor(freeBytes / 2)));
  }

  #freeBytes(): number {
    try {
      const { bavail, bsize } = fs.statfsSync(this.#directory);
      return bavail * bsize;
    } catch (error) {
      throw systemError(`cannot tell the free space of ${this.#directory}`, error);
    }
  }

  #told(error: unknown): XbstreamError {
    return systemError(
      `files that come from a pipe do not fit into ${this.#directory}, where they have to wait`,
      error,
      {
        hints: [
          'choose a place with more room: --tmp-dir DIR',
          'or read the archive from a file, which needs no room',
          'or write each file as soon as it is whole: --stream',
        ],
      },
    );
  }
}
