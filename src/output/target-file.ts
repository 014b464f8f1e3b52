import type { Hash } from 'node:crypto';
import * as fs from 'node:fs';
import { systemCodeOf, systemError, XbstreamError } from '../errors.js';
import { pathForSystem, pathText, type StoredPath } from '../format/stored-path.js';
import type { DescriptorHolder, DescriptorPool } from './descriptor-pool.js';
import type { Place } from './target-directory.js';
import { FILE_MODE, NEW_FILE_FLAGS, writeAll } from './file-calls.js';
import { partialName } from './partial-name.js';
import type { OutputFile } from './output.js';
import type { WriteQueue } from './write-queue.js';

const { O_NOFOLLOW, O_RDWR, O_WRONLY } = fs.constants;
const HASH_PIECE_BYTES = 256 * 1024;
/** Less than this is written sooner than handed over. */
const SHARED_WRITE_BYTES = 32 * 1024;

/** What a {@link TargetFile} has to know of the extraction it belongs to. */
export interface TargetFileContext {
  pool: DescriptorPool;
  /** A file that was there before may be replaced. */
  overwrite: boolean;
  fsync: boolean;
  /** Work out each file's SHA-256 as written. */
  hash: boolean;
  /** Rises with every piece of the archive. */
  step: number;
  /** Who shares the writing. */
  queue: WriteQueue;
  /** Files that have a partial name at present, by its path in the target. */
  partials: Map<StoredPath, TargetFile>;
  /** Where a file goes that a correction renames. @throws XbstreamError `XB_TARGET_EXISTS` */
  placeForRename: (path: StoredPath, replaced: OutputFile | undefined) => { path: StoredPath; place: Place };
  /** Files whose first bytes are not written yet; to be flushed before the piece of the archive they lie in is given up. */
  unwritten: Set<TargetFile>;
}

/**
 * A file that grows under a partial name beside its final place and gets its final name when it is whole.
 *
 * Its content may come in any order; its descriptor may be given up and opened again in between.
 */
export class TargetFile implements OutputFile, DescriptorHolder {
  readonly kept = false;
  lastUse = 0;
  path: StoredPath;
  sizeBytes = 0;
  /** SHA-256 of the content in hex, once whole and if asked for. */
  sha256: string | undefined;

  readonly #context: TargetFileContext;
  #place: Place;
  /** Undefined as long as there is no file. */
  #partialName: StoredPath | undefined;
  /** Partial files of an earlier run, in the way of ours; superfluous once this file is whole. */
  readonly #stale: StoredPath[] = [];
  #descriptor: number | undefined;
  #identity: { dev: number; ino: number } | undefined;
  #createdInStep = -1;
  /** The first bytes, as long as it may turn out that they are all: then the file is made in one go. */
  #first: { bytes: Buffer; fileOffset: number } | undefined;
  /** The last job of the writing thread for this file. */
  #lastJob: number | undefined;
  #writtenEndBytes = 0;
  /** Of the first `#hashedBytes` of the file; undefined when content did not come in order. */
  #hash: Hash | undefined;
  #hashedBytes = 0;

  /**
   * @param path its path in the target
   * @param place the same, with its directory open
   */
  constructor(context: TargetFileContext, path: StoredPath, place: Place) {
    this.#context = context;
    this.path = path;
    this.#place = place;
    this.#hash = context.hash ? sha256() : undefined;
  }

  /** @throws XbstreamError `XB_IO` */
  write(bytes: Buffer, fileOffset: number): void {
    if (this.#partialName === undefined && this.#first === undefined && this.#context.queue.shares(bytes)) {
      this.#first = { bytes, fileOffset };
      this.#context.unwritten.add(this);
      return;
    }
    this.flush();
    this.#write(bytes, fileOffset);
  }

  /** Writes what was held back. */
  flush(): void {
    const first = this.#first;
    if (first === undefined) return;
    this.#first = undefined;
    this.#context.unwritten.delete(this);
    this.#write(first.bytes, first.fileOffset);
  }

  /**
   * Gives it its size and its final name.
   *
   * @param done called when it has it, now or when the writing thread has come to it
   */
  finish(sizeBytes: number, done: () => void): void {
    this.sizeBytes = sizeBytes;
    if (this.#offerWhole(sizeBytes, done)) return;
    this.flush();
    const descriptor = this.#opened();
    const { step, fsync, hash, pool, queue } = this.#context;
    if (this.#lastJob !== undefined) queue.settle(this.#lastJob);
    try {
      if (this.#writtenEndBytes < sizeBytes) fs.ftruncateSync(descriptor, sizeBytes);
      if (hash) this.sha256 = this.#finishHash(descriptor, sizeBytes);
      if (fsync) fs.fsyncSync(descriptor);
      // What was begun in this very step had no time to be tampered with: two calls saved for each of many small files.
      if (step !== this.#createdInStep) this.#checkIdentity(descriptor);
    } catch (error) {
      throw this.#refused('cannot complete', error);
    }
    this.#takeFinalName(this.#partialName!);
    fs.closeSync(descriptor);
    this.#descriptor = undefined;
    pool.forget(this);
    this.#removeStale();
    done();
  }

  remove(): void {
    const { directory, name } = this.#place;
    this.#context.queue.settle();
    try {
      fs.unlinkSync(directory.systemPath(name));
    } catch (error) {
      throw systemError(`cannot remove ${this.#finalText}`, error);
    }
    directory.names.delete(name);
    directory.changed = true;
  }

  rename(storedPath: StoredPath, replaced: OutputFile | undefined): void {
    this.#context.queue.settle();
    const from = this.#place;
    const { path, place } = this.#context.placeForRename(storedPath, replaced);
    try {
      fs.renameSync(from.directory.systemPath(from.name), place.directory.systemPath(place.name));
    } catch (error) {
      throw systemError(`cannot rename ${this.#finalText} to ${pathText(path)}`, error);
    }
    this.path = path;
    from.directory.names.delete(from.name);
    place.directory.names.set(place.name, 'ours');
    from.directory.changed = place.directory.changed = true;
    this.#place = place;
  }

  /** A stored file is to have the very name of this partial file: it moves out of the way. */
  yieldPartialName(): void {
    const { directory } = this.#place;
    const old = this.#partialName!;
    this.#context.queue.settle();
    this.#checkIdentity(this.#opened());
    for (let number = 2; ; number += 1) {
      const name = partialName(this.#place.name, number);
      if (directory.names.has(name)) continue;
      try {
        fs.linkSync(directory.systemPath(old), directory.systemPath(name));
        fs.unlinkSync(directory.systemPath(old));
      } catch (error) {
        if (systemCodeOf(error) === 'EEXIST') continue;
        throw systemError(`cannot rename ${pathText(directory.path + old)}`, error);
      }
      this.#dropPartialName(old);
      this.#notePartialName(name);
      return;
    }
  }

  abandon(removePartial: boolean): StoredPath | undefined {
    const { directory, name } = this.#place;
    directory.names.delete(name);
    this.#keepFirst();
    const partial = this.#partialName;
    if (partial === undefined) return undefined;
    let left: StoredPath | undefined = directory.path + partial;
    if (removePartial) {
      try {
        this.#checkIdentity(this.#opened());
        fs.unlinkSync(directory.systemPath(partial));
        this.#dropPartialName(partial);
        left = undefined;
      } catch {
        // It is no longer ours, or cannot be removed: then it is named as left.
      }
    }
    this.suspend();
    this.#context.pool.forget(this);
    return left;
  }

  suspend(): void {
    if (this.#descriptor === undefined) return;
    if (this.#lastJob !== undefined) this.#context.queue.settle(this.#lastJob);
    this.#identity ??= fs.fstatSync(this.#descriptor);
    fs.closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #write(bytes: Buffer, fileOffset: number): void {
    const descriptor = this.#opened();
    this.#writtenEndBytes = Math.max(this.#writtenEndBytes, fileOffset + bytes.length);
    const outcome = (well: boolean): void => {
      if (!well) this.#writeNow(descriptor, bytes, fileOffset);
    };
    const job =
      bytes.length >= SHARED_WRITE_BYTES
        ? this.#context.queue.offerWrite(bytes, descriptor, fileOffset, outcome)
        : undefined;
    if (job === undefined) this.#writeNow(descriptor, bytes, fileOffset);
    else this.#lastJob = job;
    if (this.#hash === undefined) return;
    if (fileOffset === this.#hashedBytes) {
      this.#hash.update(bytes);
      this.#hashedBytes += bytes.length;
    } else {
      this.#hash = undefined;
    }
  }

  #writeNow(descriptor: number, bytes: Buffer, fileOffset: number): void {
    try {
      writeAll(descriptor, bytes, fileOffset);
    } catch (error) {
      throw this.#refused('cannot write', error);
    }
  }

  /** Has the writing thread make the file from its creation to its final name, where all of it came in one piece. */
  #offerWhole(sizeBytes: number, done: () => void): boolean {
    const first = this.#first;
    const { fsync, hash, overwrite, queue, unwritten } = this.#context;
    const { directory, name } = this.#place;
    if (first?.fileOffset !== 0 || first.bytes.length !== sizeBytes) return false;
    if (fsync || hash || !(overwrite || directory.namesAreExact)) return false;
    const partial = partialName(name);
    if (directory.names.has(partial)) return false;
    const prefix = directory.prefix;
    const job = queue.offerFile(first.bytes, prefix + partial, prefix + name, (well) => {
      if (well) {
        done();
        return;
      }
      this.#write(first.bytes, 0);
      this.finish(sizeBytes, done);
    });
    if (job === undefined) return false;
    this.#first = undefined;
    unwritten.delete(this);
    directory.changed = true;
    return true;
  }

  #notePartialName(name: StoredPath): void {
    const { directory } = this.#place;
    directory.names.set(name, 'partial');
    this.#context.partials.set(directory.path + name, this);
    this.#partialName = name;
  }

  #dropPartialName(name: StoredPath): void {
    const { directory } = this.#place;
    directory.names.delete(name);
    this.#context.partials.delete(directory.path + name);
    this.#partialName = undefined;
  }

  /** Some of a file that will not be whole may be better than nothing. */
  #keepFirst(): void {
    try {
      this.flush();
    } catch {
      // The error that has it abandoned is the one to tell.
    }
  }

  /** Creates the partial file, exclusively. @returns its descriptor */
  #create(): number {
    const { directory, name } = this.#place;
    const flags = this.#context.hash ? (NEW_FILE_FLAGS & ~O_WRONLY) | O_RDWR : NEW_FILE_FLAGS;
    for (let number = 1; ; number += 1) {
      const candidate = partialName(name, number);
      const state = directory.names.get(candidate);
      if (state === undefined) {
        try {
          const descriptor = this.#context.pool.open(this, () =>
            fs.openSync(directory.systemPath(candidate), flags, FILE_MODE),
          );
          this.#descriptor = descriptor;
          this.#notePartialName(candidate);
          directory.changed = true;
          this.#createdInStep = this.#context.step;
          return descriptor;
        } catch (error) {
          if (systemCodeOf(error) !== 'EEXIST') throw systemError(`cannot create ${this.#finalText}`, error);
        }
      } else if (state === 'before') {
        this.#stale.push(candidate);
      }
    }
  }

  #opened(): number {
    const { pool, hash } = this.#context;
    if (this.#descriptor !== undefined) {
      pool.touch(this);
      return this.#descriptor;
    }
    if (this.#partialName === undefined) {
      return this.#create();
    }
    const partial = this.#partialName;
    const flags = (hash ? O_RDWR : O_WRONLY) | O_NOFOLLOW;
    try {
      const { directory } = this.#place;
      this.#descriptor = pool.open(this, () => fs.openSync(directory.systemPath(partial), flags));
    } catch (error) {
      throw this.#refused('cannot go on writing', error);
    }
    const { dev, ino } = fs.fstatSync(this.#descriptor);
    if (dev !== this.#identity?.dev || ino !== this.#identity.ino) throw this.#replacedByOther();
    return this.#descriptor;
  }

  /** The partial name must still be the file that was written, or another's content would get the final name. */
  #checkIdentity(descriptor: number): void {
    const ours = (this.#identity ??= fs.fstatSync(descriptor));
    const { directory } = this.#place;
    const there = fs.lstatSync(directory.systemPath(this.#partialName!), { throwIfNoEntry: false });
    if (there?.ino !== ours.ino || there.dev !== ours.dev) throw this.#replacedByOther();
  }

  #takeFinalName(partial: StoredPath): void {
    const { directory, name } = this.#place;
    try {
      if (this.#context.overwrite || directory.namesAreExact) {
        const prefix = directory.prefix;
        fs.renameSync(pathForSystem(prefix + partial), pathForSystem(prefix + name));
      } else {
        // link() refuses an existing name where rename() would replace it.
        fs.linkSync(directory.systemPath(partial), directory.systemPath(name));
        fs.unlinkSync(directory.systemPath(partial));
      }
    } catch (error) {
      if (systemCodeOf(error) === 'EEXIST') throw targetExists(this.#place);
      throw this.#refused('cannot give its final name to', error);
    }
    this.#dropPartialName(partial);
  }

  #removeStale(): void {
    const { directory } = this.#place;
    for (const name of this.#stale) {
      const path = directory.systemPath(name);
      if (fs.lstatSync(path, { throwIfNoEntry: false })?.isFile() !== true) continue;
      try {
        fs.unlinkSync(path);
        directory.names.delete(name);
      } catch {
        // It was another run's, and only in the way: no reason to fail this one.
      }
    }
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

  get #finalText(): string {
    return pathText(this.path);
  }

  #refused(doing: string, error: unknown): XbstreamError {
    return systemError(`${doing} ${this.#finalText}`, error, {
      path: this.path,
      hints: systemCodeOf(error) === 'ENOSPC' ? ['make room, or choose another target with -C'] : [],
    });
  }

  #replacedByOther(): XbstreamError {
    return new XbstreamError(
      'XB_IO',
      `somebody else replaced the partial file of ${this.#finalText} while it was being written`,
      {
        path: this.path,
        hints: ['unpack into a directory that nothing else writes to'],
      },
    );
  }
}

/** Not imported: loading it takes longer than unpacking a small archive. */
function sha256(): Hash {
  return process.getBuiltinModule('node:crypto').createHash('sha256');
}

/** The error for a final name that is taken. */
export function targetExists({ directory, name }: Place): XbstreamError {
  return new XbstreamError('XB_TARGET_EXISTS', `${pathText(directory.path + name)} exists in the target already`, {
    path: directory.path + name,
    details: ['it was not touched'],
    hints: [
      'unpack into an empty directory, or tell what to do with files that are there:',
      'tsxbstream extract --overwrite (replace them) or --skip-existing (keep those of the same size)',
    ],
  });
}
