/**
 * A file of the target. There is one for each file of an archive as long as the archive is read, so that it keeps little:
 * what is needed only while it grows is the {@link PartialFile}'s.
 */
import * as fs from 'node:fs';
import { systemCodeOf, systemError, XbstreamError } from '../../errors.js';
import { below, pathText, rawPath, type StoredPath } from '../../format/stored-path.js';
import type { LendableFile, OutputFile } from '../output.js';
import type { Directory } from './directory.js';
import { changeName, makeFile, refusal } from './file-calls.js';
import type { FileMetadata } from './owner.js';
import { PartialFile, type PartialFileContext } from './partial-file.js';
import { moveAside, partialName } from './partial-name.js';
import { targetExists, type Place } from './target-directory.js';

/** What a {@link TargetFile} has to know of the extraction it belongs to. */
export interface TargetFileContext extends PartialFileContext {
  /** The file whose first bytes are not written yet; to be flushed before the piece of the archive they lie in is given up. */
  unwritten: TargetFile | undefined;
  /** What went wrong with files while others were at work. */
  failures: XbstreamError[];
  /** Where a file goes that a correction renames. @throws XbstreamError `XB_TARGET_EXISTS` */
  placeForRename: (path: StoredPath, replaced: OutputFile | undefined) => { path: StoredPath; place: Place };
}

export class TargetFile implements LendableFile {
  path: StoredPath;
  sizeBytes = 0;
  sha256: string | undefined;
  readonly #context: TargetFileContext;
  #directory: Directory;
  readonly #like: FileMetadata | undefined;
  #partial: PartialFile | undefined;
  /** The partial name it has while it is set aside. */
  #asideName: StoredPath | undefined;
  /** The first bytes, as long as it may turn out that they are all: then the file is made in one go. */
  #first: { bytes: Buffer; fileOffset: number } | undefined;

  /**
   * @param path its path in the target
   * @param directory the directory it goes into
   * @param like whose owner and permissions it gets
   */
  constructor(context: TargetFileContext, path: StoredPath, directory: Directory, like?: FileMetadata) {
    this.#context = context;
    this.path = path;
    this.#directory = directory;
    this.#like = like;
  }

  get kept(): boolean {
    return false;
  }

  write(bytes: Buffer, fileOffset: number): void {
    const context = this.#context;
    if (this.#partial === undefined && this.#first === undefined && context.queue.holds(bytes)) {
      context.unwritten?.flush();
      context.unwritten = this;
      this.#first = { bytes, fileOffset };
      return;
    }
    this.flush();
    this.#grow().write(bytes, fileOffset);
  }

  /** Writes what was held back. @throws XbstreamError `XB_IO` */
  flush(): void {
    const first = this.#first;
    if (first === undefined) return;
    this.#first = undefined;
    this.#context.unwritten = undefined;
    this.#grow().write(first.bytes, first.fileOffset);
  }

  lend(waitForOthers: () => void, lengthBytes?: number): number {
    this.flush();
    return this.#grow().lend(waitForOthers, lengthBytes);
  }

  restart(): void {
    this.flush();
    this.#grow().restart();
  }

  finish(sizeBytes: number, done: () => void): void {
    this.sizeBytes = sizeBytes;
    if (this.#makeWhole(sizeBytes, done)) return;
    this.flush();
    this.sha256 = this.#grow().complete(sizeBytes);
    this.#partial = undefined;
    done();
  }

  remove(): void {
    const directory = this.#directory;
    this.#context.queue.waitFor();
    try {
      fs.unlinkSync(directory.systemPath(this.#asideName ?? this.#name));
    } catch (error) {
      throw systemError(`cannot remove ${pathText(this.path)}`, error, { path: this.path });
    }
    directory.names.delete(this.#asideName ?? this.#name);
    directory.changed = true;
  }

  setAside(): void {
    const directory = this.#directory;
    this.#context.queue.waitFor();
    try {
      this.#asideName = moveAside(directory, this.#name, this.#name, 1);
    } catch (error) {
      throw systemError(`cannot set ${pathText(this.path)} aside`, error, { path: this.path });
    }
    directory.names.set(this.#asideName, 'ours');
  }

  restore(): void {
    const directory = this.#directory;
    const aside = this.#asideName;
    if (aside === undefined) return;
    try {
      changeName(directory.systemPath(aside), directory.systemPath(this.#name), false);
    } catch (error) {
      if (systemCodeOf(error) === 'EEXIST') throw targetExists({ directory, name: this.#name });
      throw systemError(`cannot give ${pathText(this.path)} its name again`, error, { path: this.path });
    }
    this.#asideName = undefined;
    directory.names.delete(aside);
    directory.names.set(this.#name, 'ours');
    directory.changed = true;
  }

  rename(storedPath: StoredPath, replaced: OutputFile | undefined): void {
    this.#context.queue.waitFor();
    const from = this.#directory;
    const { path, place } = this.#context.placeForRename(storedPath, replaced);
    const replace = replaced !== undefined || this.#context.overwrite;
    try {
      changeName(from.systemPath(this.#name), place.directory.systemPath(place.name), replace);
    } catch (error) {
      if (systemCodeOf(error) === 'EEXIST') throw targetExists(place);
      const doing = `cannot rename ${pathText(this.path)} to ${pathText(path)}`;
      throw refusal(doing, error, from.prefix, { path: this.path });
    }
    from.names.delete(this.#name);
    place.directory.names.set(place.name, 'ours');
    from.changed = place.directory.changed = true;
    this.path = path;
    this.#directory = place.directory;
  }

  abandon(removePartial: boolean): StoredPath | undefined {
    if (this.#asideName !== undefined) return this.#abandonAside(this.#asideName, removePartial);
    this.#directory.names.delete(this.#name);
    try {
      // Some of a file that will not be whole may be better than nothing.
      this.flush();
    } catch {
      // The error that has it abandoned is the one to tell.
    }
    return this.#partial?.abandon(removePartial);
  }

  #abandonAside(name: StoredPath, remove: boolean): StoredPath | undefined {
    if (!remove) return this.#directory.pathOf(name);
    this.remove();
    this.#asideName = undefined;
    return undefined;
  }

  get #name(): StoredPath {
    return rawPath(this.path.slice(this.path.lastIndexOf('/') + 1));
  }

  #grow(): PartialFile {
    const place = { directory: this.#directory, name: this.#name };
    return (this.#partial ??= new PartialFile(this.#context, place, this.#like));
  }

  /**
   * Makes the file in one go where all of it came in one piece: most of the files of many a backup are that small. The
   * writing thread does it if it has time.
   *
   * @returns whether that is all there is to do
   */
  #makeWhole(sizeBytes: number, done: () => void): boolean {
    const first = this.#first;
    const { fsync, owner, hash, overwrite, queue } = this.#context;
    const directory = this.#directory;
    if (first?.fileOffset !== 0 || first.bytes.length !== sizeBytes) return false;
    if (fsync || owner !== undefined || hash || this.#like !== undefined) return false;
    const name = this.#name;
    const partial = partialName(name);
    if (directory.names.has(partial)) return false;
    const { prefix } = directory;
    directory.changed = true;
    const names = { partialPath: below(prefix, partial), finalPath: below(prefix, name), replace: overwrite };
    const job = queue.offerFile(first.bytes, names, (well) => {
      if (well || this.#madeSlowly(first.bytes)) done();
    });
    if (job === undefined) {
      try {
        makeFile(names.partialPath, names.finalPath, first.bytes, overwrite);
      } catch {
        return false; // step by step it will fail again, and then it is told why
      }
      done();
    }
    this.#first = undefined;
    this.#context.unwritten = undefined;
    return true;
  }

  /** Makes what the writing thread could not. @returns whether that went well: this is heard while other files are at work */
  #madeSlowly(bytes: Buffer): boolean {
    try {
      this.#grow().write(bytes, 0);
      this.#grow().complete(bytes.length);
    } catch (error) {
      if (!(error instanceof XbstreamError)) throw error;
      this.#context.failures.push(error);
      return false;
    }
    this.#partial = undefined;
    return true;
  }
}
