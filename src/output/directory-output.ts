import * as fs from 'node:fs';
import { systemError, XbstreamError } from '../errors.js';
import { pathText, type StoredPath } from '../format/stored-path.js';
import { PIECE_ROOM_BYTES } from '../input/source.js';
import { KeptFile } from './kept-file.js';
import { stripComponents, type Output, type OutputFile } from './output.js';
import { TargetDirectory } from './target-directory.js';
import { TargetFile, targetExists, type TargetFileContext } from './target-file.js';
import { WriteQueue } from './write-queue.js';

export interface DirectoryOutputOptions {
  /** The target directory as the user gave it. */
  target: string;
  createTarget: boolean;
  allowSymlinks: boolean;
  existing: 'refuse' | 'overwrite' | 'keep-same-size' | 'keep-same-content';
  stripComponents: number;
  fsync: boolean;
  /** Work out each file's SHA-256. */
  hash: boolean;
  /** Threads to write with: with more than 1 a second one helps once the archive turns out not to be small. */
  threads: number;
}

/** Pieces of the archive in memory at a time. */
const PIECES = 6;
/** A thread costs some 30 ms to start: worth it from a few MiB on. */
const THREAD_AFTER_STEPS = 8;

/** Files in a directory: partial names until they are whole, and nothing that was there replaced unless told to. */
export class DirectoryOutput implements Output {
  readonly #options: DirectoryOutputOptions;
  readonly #target: TargetDirectory;
  readonly #context: TargetFileContext;
  readonly #growing = new Set<WrittenFile>();
  readonly #queue: WriteQueue;

  /** @throws XbstreamError `XB_IO` when the target cannot be used */
  constructor(options: DirectoryOutputOptions) {
    this.#options = options;
    this.#queue = new WriteQueue(PIECE_ROOM_BYTES, PIECES);
    this.#target = new TargetDirectory(
      options.target,
      { create: options.createTarget, allowSymlinks: options.allowSymlinks },
      () => this.#queue.settle(),
    );
    this.#context = {
      queue: this.#queue,
      unwritten: new Set(),
      pool: this.#target.pool,
      overwrite: options.existing === 'overwrite',
      fsync: options.fsync,
      hash: options.hash,
      step: 0,
    };
  }

  open(storedPath: StoredPath): OutputFile {
    const { existing } = this.#options;
    const path = stripComponents(storedPath, this.#options.stripComponents);
    const place = this.#target.place(path, true);
    const { directory, name } = place;
    let state = directory.names.get(name);
    if (state === 'partial') {
      this.#queue.settle();
      for (const file of this.#growing) file.yieldPartialName(directory.path + name);
      state = directory.names.get(name);
    }
    if (state === 'ours') {
      throw new XbstreamError('XB_TARGET_EXISTS', `two files of the archive would get the name ${pathText(path)}`, {
        path: storedPath,
        hints: this.#options.stripComponents > 0 ? ['strip fewer components'] : [],
      });
    }
    if (state !== undefined) {
      if (existing === 'keep-same-size' || existing === 'keep-same-content') {
        return new KeptFile(place, path, { compareContent: existing === 'keep-same-content', hash: this.#options.hash });
      }
      if (existing === 'refuse') throw targetExists(place);
    }
    const file = new TargetFile(this.#context, place);
    // From here on the name is taken, though the file has it only when it is whole.
    directory.names.set(name, 'ours');
    return new WrittenFile(this, path, file, this.#growing);
  }

  /** Renames a file of this output; its destination must be free but for `replaced`. */
  move(file: TargetFile, storedPath: StoredPath, replaced: OutputFile | undefined): StoredPath {
    const path = stripComponents(storedPath, this.#options.stripComponents);
    const place = this.#target.place(path, true);
    const state = place.directory.names.get(place.name);
    if (replaced?.path !== path && state !== undefined && (state !== 'before' || !this.#context.overwrite)) {
      throw targetExists(place);
    }
    file.moveTo(place);
    return path;
  }

  correctForeign(storedPath: StoredPath, remove: boolean): void {
    this.#queue.settle();
    const place = this.#target.place(stripComponents(storedPath, this.#options.stripComponents), false);
    if (place === undefined) return;
    const { directory, name } = place;
    const stat = fs.lstatSync(directory.systemPath(name), { throwIfNoEntry: false });
    if (stat === undefined) return;
    if (!this.#context.overwrite || directory.names.get(name) !== 'before' || stat.isDirectory()) {
      throw targetExists(place).with({ details: ['the archive wants it removed or renamed, but did not store it'] });
    }
    if (!remove) return;
    try {
      fs.unlinkSync(directory.systemPath(name));
    } catch (error) {
      throw systemError(`cannot remove ${pathText(directory.path + name)}`, error);
    }
    directory.names.delete(name);
    directory.changed = true;
  }

  room(): Buffer {
    return this.#queue.nextPiece();
  }

  endStep(): void {
    for (const file of this.#context.unwritten) file.flush();
    this.#context.step += 1;
    if (this.#options.threads > 1 && this.#context.step === THREAD_AFTER_STEPS) this.#queue.start();
  }

  close(): void {
    this.#queue.settle();
    if (this.#options.fsync) this.#target.sync();
  }

  release(): void {
    this.#queue.close();
  }
}

/** A file that this run writes. */
class WrittenFile implements OutputFile {
  path: StoredPath;
  readonly kept = false;
  readonly #output: DirectoryOutput;
  readonly #file: TargetFile;
  readonly #growing: Set<WrittenFile>;

  constructor(output: DirectoryOutput, path: StoredPath, file: TargetFile, growing: Set<WrittenFile>) {
    this.#output = output;
    this.path = path;
    this.#file = file;
    this.#growing = growing;
    growing.add(this);
  }

  get sha256(): string | undefined {
    return this.#file.sha256;
  }

  write(bytes: Buffer, fileOffset: number): void {
    this.#file.write(bytes, fileOffset);
  }

  finish(sizeBytes: number, done: () => void): void {
    this.#file.finish(sizeBytes, () => {
      this.#growing.delete(this);
      done();
    });
  }

  remove(): void {
    this.#file.remove();
  }

  rename(path: StoredPath, replaced: OutputFile | undefined): void {
    this.path = this.#output.move(this.#file, path, replaced);
  }

  abandon(removePartial: boolean): StoredPath | undefined {
    this.#growing.delete(this);
    return this.#file.abandon(removePartial);
  }

  yieldPartialName(path: StoredPath): void {
    if (this.#file.partialPath === path) this.#file.yieldPartialName();
  }
}
