/** Files in a directory: partial names until they are whole, and nothing that was there replaced unless told to. */
import * as fs from 'node:fs';
import { systemError } from '../../errors.js';
import { takenTwice } from '../../format/file-names.js';
import { pathText, type StoredPath } from '../../format/stored-path.js';
import { PIECE_BYTES, PIECE_ROOM_BYTES } from '../../input/source.js';
import { filesOf, type FileIdentity } from '../file-identity.js';
import {
  HOLE_UNIT_BYTES_MAX,
  strippedOf,
  stripComponents,
  type ForeignCorrection,
  type Output,
  type OutputFile,
} from '../output.js';
import { WriteQueue } from '../writing/write-queue.js';
import type { NameState } from './directory.js';
import type { DryRunOptions } from './dry-run-output.js';
import { refusal, writeAll } from './file-calls.js';
import { earlierFile, FROM_FILE, KeptFile } from './kept-file.js';
import type { FileMetadata, Owner } from './owner.js';
import { PARTIAL_ENDING } from './partial-name.js';
import { assertGivesWay, nameTaken, notStored, targetExists, TargetDirectory, type Place } from './target-directory.js';
import { TargetFile, type TargetFileContext } from './target-file.js';

export interface DirectoryOutputOptions extends DryRunOptions {
  fsync: boolean;
  /** The owner of files, each from when it is whole, and of directories that are made. */
  owner: Owner | undefined;
  /** Work out each file's SHA-256. */
  hash: boolean;
  /** Threads there may be: with more than 1 a second one makes small files, with more than 2 it also writes parts of large ones. */
  threads: number;
  /** Size of the archive in bytes, if it is known. */
  archiveBytes: number | undefined;
}

/** Pieces of the archive in memory at a time. */
const PIECES = 3;
/** A thread takes some 40 ms to start: worth it from a few MiB on. */
const THREAD_FROM_BYTES = 8 * 1024 * 1024;
const THREAD_AFTER_STEPS = Math.ceil(THREAD_FROM_BYTES / PIECE_BYTES);
/**
 * With fewer, parts of large files are written by the thread that reads them: on two cores, one of which whoever fills the pipe needs, to
 * share them took 1.11 of the time at 1.22 x the CPU time. Small files take 0.77 of it.
 */
const PARTS_FROM_THREADS = 3;

export class DirectoryOutput implements Output {
  readonly isWritten = true;
  readonly blockBytes: number;
  readonly #options: DirectoryOutputOptions;
  readonly #archive: readonly FileIdentity[];
  protected readonly target: TargetDirectory;
  readonly #context: TargetFileContext;
  readonly #queue: WriteQueue;

  /** @throws XbstreamError `XB_IO` when the target cannot be used */
  constructor(options: DirectoryOutputOptions) {
    this.#options = options;
    this.#archive = options.input === undefined ? [] : filesOf(options.input);
    this.#queue = new WriteQueue(PIECE_ROOM_BYTES, PIECES);
    this.target = new TargetDirectory(
      options.target,
      { create: options.createTarget, allowSymlinks: options.allowSymlinks, owner: options.owner },
      () => this.#queue.waitFor(),
    );
    this.blockBytes = Math.min(blockBytesOf(options.target), HOLE_UNIT_BYTES_MAX);
    // Not before all that may fail: nobody would end the thread.
    if (options.threads > 1 && (options.archiveBytes ?? 0) >= THREAD_FROM_BYTES) this.#queue.start();
    this.#context = {
      queue: this.#queue,
      unwritten: undefined,
      failures: [],
      placeForRename: (path, replaced) => this.#placeForRename(path, replaced),
      pool: this.target.pool,
      overwrite: options.existing === 'overwrite',
      fsync: options.fsync,
      owner: options.owner,
      hash: options.hash,
      sharesParts: options.threads >= PARTS_FROM_THREADS,
      step: 0,
    };
  }

  /** @param like whose owner and permissions the file gets */
  open(storedPath: StoredPath, like?: FileMetadata): OutputFile {
    const { existing } = this.#options;
    const path = stripComponents(storedPath, this.#options.stripComponents);
    const place = this.target.place(path, true);
    const { directory, name } = place;
    const state = this.#stateOf(place);
    if (state === 'ours') throw nameTaken(path, takenTwice(path), this.#options.stripComponents);
    if (state !== undefined) {
      if (existing === 'keep-same-size' || existing === 'keep-same-content') {
        // It is a file of the archive now: no other may have its name, and nobody take it for something stale.
        directory.names.set(name, 'ours');
        return new KeptFile(place, path, {
          pool: this.target.pool,
          compareContent: existing === 'keep-same-content',
          hash: this.#options.hash,
        });
      }
      if (existing === 'refuse') throw targetExists(place);
      // Better told now than when all of it has come.
      assertGivesWay(place, this.#archive);
    }
    // From here on the name is taken, though the file has it only when it is whole.
    directory.names.set(name, 'ours');
    return new TargetFile(this.#context, path, directory, like);
  }

  borrow(path: StoredPath, descriptor: number): Pick<OutputFile, 'write'> {
    return {
      write: (bytes, fileOffset) => {
        try {
          writeAll(descriptor, bytes, fileOffset);
        } catch (error) {
          throw refusal(`cannot write ${pathText(path)}`, error, this.target.prefix, { path });
        }
      },
    };
  }

  /** What stands under a name that a stored file is to have; a partial file moves out of its way. */
  #stateOf({ directory, name }: Place): NameState | undefined {
    // Jobs of the writing thread do not list their partial names.
    if (name.endsWith(PARTIAL_ENDING)) this.#queue.waitFor();
    const state = directory.names.get(name);
    if (typeof state === 'object') state.yieldName();
    return directory.names.get(name);
  }

  /** Where a renamed file goes; the place must be free but for `replaced`. */
  #placeForRename(storedPath: StoredPath, replaced: OutputFile | undefined): { path: StoredPath; place: Place } {
    // Refuses it.
    if (replaced?.kept === true) replaced.remove();
    const path = stripComponents(storedPath, this.#options.stripComponents);
    const place = this.target.place(path, true);
    const state = this.#stateOf(place);
    if (replaced?.path !== path && state !== undefined && (state !== 'before' || !this.#context.overwrite)) {
      throw targetExists(place).with({ hints: this.#options.existing.startsWith('keep-') ? [FROM_FILE] : [] });
    }
    if (state === 'before') assertGivesWay(place, this.#archive);
    return { path, place };
  }

  earlier(storedPath: StoredPath): KeptFile | undefined {
    const path = strippedOf(storedPath, this.#options.stripComponents);
    const place = path === undefined ? undefined : this.target.place(path, false);
    return earlierFile(place, path!, this.target.pool);
  }

  forgetEarlier(storedPath: StoredPath): void {
    const path = stripComponents(storedPath, this.#options.stripComponents);
    const { directory, name } = this.target.place(path, false)!;
    try {
      fs.unlinkSync(directory.systemPath(name));
    } catch (error) {
      throw systemError(`cannot remove ${pathText(path)}, which an earlier run has left`, error, { path });
    }
    directory.names.delete(name);
    directory.changed = true;
  }

  correctForeign(storedPath: StoredPath, { remove, isStored }: ForeignCorrection): void {
    this.#queue.waitFor();
    const path = strippedOf(storedPath, this.#options.stripComponents);
    const place = path === undefined ? undefined : this.target.place(path, false);
    if (place === undefined) return;
    const { directory, name } = place;
    if (directory.names.get(name) === 'ours') {
      if (isStored) return;
      throw notStored(path!);
    }
    const stat = directory.look(name);
    // The partial file of another is no file that the archive can mean.
    if (stat === undefined || typeof directory.names.get(name) === 'object') return;
    if (!this.#context.overwrite || directory.names.get(name) !== 'before') {
      const what = isStored ? 'this run has not written it' : 'did not store it';
      throw targetExists(place).with({ details: [`the archive wants it removed or renamed, but ${what}`] });
    }
    assertGivesWay(place, this.#archive);
    if (!remove) return;
    try {
      fs.unlinkSync(directory.systemPath(name));
    } catch (error) {
      throw systemError(`cannot remove ${pathText(directory.pathOf(name))}`, error);
    }
    directory.names.delete(name);
    directory.changed = true;
  }

  room(): Buffer {
    return this.#queue.nextPiece();
  }

  lastPieceIsSafe(): void {
    this.#queue.lastPieceIsSafe();
  }

  endStep(): void {
    this.#context.unwritten?.flush();
    this.#context.step += 1;
    if (this.#options.threads > 1 && this.#context.step === THREAD_AFTER_STEPS) this.#queue.start();
    this.#throwFailure();
  }

  awaitNames(): void {
    this.#queue.waitFor();
  }

  close(): void {
    this.#queue.waitFor();
    this.#throwFailure();
    if (this.#options.fsync) this.target.sync();
  }

  drain(): void {
    this.#queue.drain();
  }

  #throwFailure(): void {
    const failure = this.#context.failures.shift();
    if (failure !== undefined) throw failure;
  }

  release(): void {
    this.#queue.close();
    this.target.pool.suspendAll();
  }
}

/** The unit in which the target's file system allots room. */
function blockBytesOf(target: string): number {
  try {
    return fs.statfsSync(target).bsize;
  } catch (error) {
    throw systemError(`cannot unpack into ${target}`, error);
  }
}
