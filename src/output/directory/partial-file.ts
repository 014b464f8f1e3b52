/**
 * A file while it grows under a partial name, beside the place where it gets its final name when it is whole.
 *
 * Its content may come in any order; its descriptor may be given up and opened again in between.
 */
import type { Hash } from 'node:crypto';
import * as fs from 'node:fs';
import { systemCodeOf, systemError, XbstreamError } from '../../errors.js';
import { below, pathForSystem, pathText, type StoredPath } from '../../format/stored-path.js';
import type { WriteQueue } from '../writing/write-queue.js';
import type { DescriptorHolder, DescriptorPool } from './descriptor-pool.js';
import type { Directory } from './directory.js';
import { changeName, FILE_MODE, NEW_FILE_FLAGS, writeAll, refusal } from './file-calls.js';
import { giveTo, makeLike, type FileMetadata, type Owner } from './owner.js';
import { moveAside, partialName, removeStale } from './partial-name.js';
import { targetExists, type Place } from './target-directory.js';

const { O_NOFOLLOW, O_NONBLOCK, O_RDWR, O_WRONLY } = fs.constants;
/** Of a file that gets the permissions of another. */
const OWN_FILE_MODE = 0o600;
const HASH_PIECE_BYTES = 256 * 1024;
/** A file with holes is made longer by so much at a time: it has as many parts as pages. */
const LENGTHEN_BYTES = 1024 * 1024;
/** Less than this is written sooner than handed over. */
const SHARED_WRITE_BYTES = 32 * 1024;

/** What a {@link PartialFile} has to know of the extraction it belongs to. */
export interface PartialFileContext {
  pool: DescriptorPool;
  /** The queue of the thread that shares the writing. */
  queue: WriteQueue;
  /** A file that was there before may be replaced. */
  overwrite: boolean;
  fsync: boolean;
  /** The owner of each file from when it is whole; undefined: the user of this process. */
  owner: Owner | undefined;
  /** Work out each file's SHA-256 as written. */
  hash: boolean;
  /** Large parts are worth offering to that thread. */
  sharesParts: boolean;
  /** Rises with every piece of the archive. */
  step: number;
}

export class PartialFile implements DescriptorHolder {
  lastUse = 0;
  readonly #context: PartialFileContext;
  readonly #place: Place;
  readonly #directory: Directory;
  readonly #like: FileMetadata | undefined;
  #name: StoredPath;
  /** Partial files of an earlier run, in the way of ours; superfluous once this file is whole. */
  readonly #stale: StoredPath[] = [];
  #descriptor: number | undefined;
  #identity: { dev: number; ino: number } | undefined;
  readonly #createdInStep: number;
  /** The last job of the writing thread for this file. */
  #lastJob: number | undefined;
  /** Waits until nobody else writes, where others do. */
  #waitForOthers: (() => void) | undefined;
  /** Where all that has come ends. */
  #endBytes = 0;
  /** Set once there is a hole: the length that the file was given. See {@link #lengthen}. */
  #lengthBytes: number | undefined;
  /** Of the first `#hashedBytes` of the file; undefined when content did not come in order. */
  #hash: Hash | undefined;
  #hashedBytes = 0;

  /**
   * Creates it, exclusively.
   *
   * @param place where it goes when it is whole
   * @param like whose owner and permissions it gets then; until then it is nobody else's
   * @throws XbstreamError `XB_IO`
   */
  constructor(context: PartialFileContext, place: Place, like?: FileMetadata) {
    this.#context = context;
    this.#place = place;
    this.#directory = place.directory;
    this.#like = like;
    this.#createdInStep = context.step;
    this.#hash = context.hash ? sha256() : undefined;
    this.#name = this.#create();
  }

  /** @throws XbstreamError `XB_IO` */
  write(bytes: Buffer, fileOffset: number): void {
    const descriptor = this.#opened();
    this.#lengthen(descriptor, fileOffset, fileOffset + bytes.length);
    const isOffered = this.#context.sharesParts && bytes.length >= SHARED_WRITE_BYTES;
    if (!isOffered || !this.#offer(descriptor, bytes, fileOffset)) {
      this.#writeNow(descriptor, bytes, fileOffset);
    }
    if (this.#hash === undefined) return;
    if (fileOffset === this.#hashedBytes) {
      this.#hash.update(bytes);
      this.#hashedBytes += bytes.length;
    } else {
      this.#hash = undefined;
    }
  }

  /** Lets others write, too: see {@link LendableFile.lend}. @throws XbstreamError `XB_IO` */
  lend(waitForOthers: () => void, lengthBytes?: number): number {
    const descriptor = this.#opened();
    if (lengthBytes !== undefined) this.#foretell(descriptor, lengthBytes);
    this.#waitForOthers = waitForOthers;
    return descriptor;
  }

  /** @throws XbstreamError `XB_IO` */
  restart(): void {
    const descriptor = this.#opened();
    this.#waitForWriters();
    this.#waitForOthers = undefined;
    try {
      fs.ftruncateSync(descriptor, 0);
    } catch (error) {
      throw this.#refused('cannot write', error);
    }
    this.#endBytes = 0;
    this.#lengthBytes = undefined;
    this.#hash = this.#context.hash ? sha256() : undefined;
    this.#hashedBytes = 0;
  }

  /**
   * Gives it its size and its final name; it is no partial file after that.
   *
   * @returns its SHA-256 in hex, if the context asks for it
   * @throws XbstreamError `XB_IO`, `XB_TARGET_EXISTS`
   */
  complete(sizeBytes: number): string | undefined {
    const descriptor = this.#opened();
    const { step, fsync, owner, hash } = this.#context;
    this.#waitForWriters();
    let digest: string | undefined;
    try {
      this.#setLength(descriptor, sizeBytes);
      if (hash) digest = this.#finishHash(descriptor, sizeBytes);
      if (owner !== undefined) giveTo(owner, descriptor);
      if (this.#like !== undefined) makeLike(this.#like, descriptor);
      if (fsync) fs.fsyncSync(descriptor);
      this.#identity ??= fs.fstatSync(descriptor);
      // What was begun in this very step had no time to be tampered with: a call saved for each of many small files.
      if (step !== this.#createdInStep) this.#checkIdentity(descriptor);
      // Before it has its name: a file server may not say before this that it has no room for what was written.
      this.#close();
    } catch (error) {
      throw this.#refused('cannot complete', error);
    }
    this.#takeFinalName();
    removeStale(this.#directory, this.#stale);
    return digest;
  }

  /** A stored file is to have the very name of this partial file: it moves out of the way. */
  yieldName(): void {
    const directory = this.#directory;
    this.#context.queue.waitFor();
    try {
      this.#checkIdentity(this.#opened());
      this.#name = moveAside(directory, this.#name, this.#place.name, 2);
    } catch (error) {
      throw systemError(`cannot rename ${pathText(directory.pathOf(this.#name))}`, error);
    }
    directory.names.set(this.#name, this);
  }

  /**
   * It will not be whole: it stays as it is, or is removed.
   *
   * @returns where it was left, in the target
   */
  abandon(remove: boolean): StoredPath | undefined {
    const directory = this.#directory;
    let left: StoredPath | undefined = directory.pathOf(this.#name);
    if (remove) {
      try {
        this.#checkIdentity(this.#opened());
        fs.unlinkSync(directory.systemPath(this.#name));
        directory.names.delete(this.#name);
        left = undefined;
      } catch {
        // It is no longer ours, or cannot be removed: then it is named as left.
      }
    }
    try {
      this.suspend();
    } catch {
      // Why it is abandoned is what there is to tell.
    }
    this.#context.pool.forget(this);
    return left;
  }

  /** @throws XbstreamError `XB_IO` when what was written is not on the disk after all */
  suspend(): void {
    if (this.#descriptor === undefined) return;
    this.#waitForWriters();
    try {
      this.#identity ??= fs.fstatSync(this.#descriptor);
      this.#shorten(this.#descriptor);
      this.#close();
    } catch (error) {
      throw this.#refused('cannot write', error);
    }
  }

  #close(): void {
    const descriptor = this.#descriptor!;
    // The number is free in any case, and may be another's at once.
    this.#descriptor = undefined;
    this.#context.pool.forget(this);
    fs.closeSync(descriptor);
  }

  /**
   * Waits until nobody else writes with the descriptor. Not before may it be closed: its number may become another file's,
   * and what is written late would land there.
   */
  #waitForWriters(): void {
    if (this.#lastJob !== undefined) this.#context.queue.waitFor(this.#lastJob);
    this.#waitForOthers?.();
  }

  #create(): StoredPath {
    const directory = this.#directory;
    const flags = this.#context.hash ? (NEW_FILE_FLAGS & ~O_WRONLY) | O_RDWR : NEW_FILE_FLAGS;
    const mode = this.#like === undefined ? FILE_MODE : OWN_FILE_MODE;
    for (let number = 1; ; number += 1) {
      const name = partialName(this.#place.name, number);
      const state = directory.names.get(name);
      if (state === 'before') this.#stale.push(name);
      if (state !== undefined) continue;
      try {
        this.#descriptor = this.#context.pool.open(this, () => fs.openSync(directory.systemPath(name), flags, mode));
        directory.names.set(name, this);
        directory.changed = true;
        return name;
      } catch (error) {
        if (systemCodeOf(error) !== 'EEXIST') throw this.#refused('cannot create', error);
      }
    }
  }

  #opened(): number {
    const { pool, hash } = this.#context;
    if (this.#descriptor !== undefined) {
      pool.touch(this);
      return this.#descriptor;
    }
    // What another has put in its place may be a named pipe, whose opening waits.
    const flags = (hash ? O_RDWR : O_WRONLY) | O_NOFOLLOW | O_NONBLOCK;
    try {
      this.#descriptor = pool.open(this, () => fs.openSync(this.#directory.systemPath(this.#name), flags));
      const { dev, ino } = fs.fstatSync(this.#descriptor);
      if (dev !== this.#identity?.dev || ino !== this.#identity.ino) throw this.#replacedByOther();
    } catch (error) {
      // A named pipe or a symbolic link.
      if (['ENXIO', 'ELOOP'].includes(systemCodeOf(error) ?? '')) throw this.#replacedByOther();
      throw this.#refused('cannot go on writing', error);
    }
    return this.#descriptor;
  }

  /**
   * Makes the file long enough, before it is written, for what comes behind a hole. XFS reserves blocks ahead of a writer at
   * the end of a file, more the longer the file is, and keeps those that a hole then lies over; inside the file it does not.
   */
  #lengthen(descriptor: number, startBytes: number, endBytes: number): void {
    const before = this.#endBytes;
    this.#endBytes = Math.max(before, endBytes);
    // Where others write nobody knows where its content ends. Where they leave holes it has its length: see `#foretell`.
    if (this.#waitForOthers !== undefined) return;
    if (this.#lengthBytes === undefined && startBytes <= before) return;
    try {
      if (this.#lengthBytes === undefined) this.#giveUpReserved(descriptor, before);
      if (endBytes <= this.#lengthBytes!) return;
      const rounded = Math.ceil(endBytes / LENGTHEN_BYTES) * LENGTHEN_BYTES;
      this.#lengthBytes = Math.min(rounded, Number.MAX_SAFE_INTEGER);
      fs.ftruncateSync(descriptor, this.#lengthBytes);
    } catch (error) {
      throw this.#refused('cannot write', error);
    }
  }

  /** As {@link #lengthen}, before others write. */
  #foretell(descriptor: number, lengthBytes: number): void {
    try {
      if (this.#lengthBytes === undefined) this.#giveUpReserved(descriptor, this.#endBytes);
      if (lengthBytes > this.#endBytes) fs.ftruncateSync(descriptor, lengthBytes);
    } catch {
      // It only saves room, and may be too long a guess: what cannot be written says so itself.
    }
  }

  /** Gives back what the file system has reserved behind the end, before that becomes a part of the file. */
  #giveUpReserved(descriptor: number, endBytes: number): void {
    // Not shorter than what others are still writing makes it.
    fs.ftruncateSync(descriptor, endBytes);
    this.#lengthBytes = endBytes;
  }

  /** What may be left behind ends where its content does. */
  #shorten(descriptor: number): void {
    if (this.#waitForOthers !== undefined) return;
    if (this.#lengthBytes === undefined || this.#lengthBytes <= this.#endBytes) return;
    try {
      fs.ftruncateSync(descriptor, this.#endBytes);
      this.#lengthBytes = this.#endBytes;
    } catch {
      // Zeros at the end of what is not whole anyway.
    }
  }

  /** All of it is written. */
  #setLength(descriptor: number, bytes: number): void {
    if (this.#waitForOthers !== undefined) {
      fs.ftruncateSync(descriptor, bytes);
      return;
    }
    if (this.#lengthBytes === undefined && this.#endBytes < bytes) this.#giveUpReserved(descriptor, this.#endBytes);
    if ((this.#lengthBytes ?? this.#endBytes) !== bytes) fs.ftruncateSync(descriptor, bytes);
  }

  /** @returns whether the writing thread takes it */
  #offer(descriptor: number, bytes: Buffer, fileOffset: number): boolean {
    const job = this.#context.queue.offerWrite(bytes, descriptor, fileOffset, (well) => {
      if (!well) this.#writeNow(descriptor, bytes, fileOffset);
    });
    if (job !== undefined) this.#lastJob = job;
    return job !== undefined;
  }

  #writeNow(descriptor: number, bytes: Buffer, fileOffset: number): void {
    try {
      writeAll(descriptor, bytes, fileOffset);
    } catch (error) {
      throw this.#refused('cannot write', error);
    }
  }

  /** The partial name must still be the file that was written, or another's content would get the final name. */
  #checkIdentity(descriptor: number): void {
    const ours = (this.#identity ??= fs.fstatSync(descriptor));
    const there = fs.lstatSync(this.#directory.systemPath(this.#name), { throwIfNoEntry: false });
    if (there?.ino !== ours.ino || there.dev !== ours.dev) throw this.#replacedByOther();
  }

  #takeFinalName(): void {
    const directory = this.#directory;
    const { name } = this.#place;
    try {
      const { prefix } = directory;
      changeName(pathForSystem(below(prefix, this.#name)), pathForSystem(below(prefix, name)), this.#context.overwrite);
    } catch (error) {
      if (systemCodeOf(error) === 'EEXIST') throw targetExists(this.#place);
      throw this.#refused('cannot give its final name to', error);
    }
    directory.names.delete(this.#name);
  }

  #finishHash(descriptor: number, sizeBytes: number): string {
    if (this.#hash !== undefined && this.#hashedBytes === sizeBytes) return this.#hash.digest('hex');
    const hash = sha256();
    const piece = Buffer.allocUnsafe(HASH_PIECE_BYTES);
    for (let at = 0; at < sizeBytes;) {
      const bytes = fs.readSync(descriptor, piece, 0, Math.min(piece.length, sizeBytes - at), at);
      if (bytes === 0) throw new Error('the file is shorter than what was written');
      hash.update(piece.subarray(0, bytes));
      at += bytes;
    }
    return hash.digest('hex');
  }

  get #finalPath(): StoredPath {
    return this.#directory.pathOf(this.#place.name);
  }

  #refused(doing: string, error: unknown): XbstreamError {
    return refusal(`${doing} ${pathText(this.#finalPath)}`, error, this.#directory.prefix, { path: this.#finalPath });
  }

  #replacedByOther(): XbstreamError {
    const path = this.#finalPath;
    return new XbstreamError(
      'XB_IO',
      `somebody else replaced the partial file of ${pathText(path)} while it was being written`,
      { path, hints: ['unpack into a directory that nothing else writes to'] },
    );
  }
}

/** Not imported: loading it takes longer than unpacking a small archive. */
function sha256(): Hash {
  return process.getBuiltinModule('node:crypto').createHash('sha256');
}
