/** Looks where files would go, and writes nothing. */
import * as fs from 'node:fs';
import { dirname, resolve } from 'node:path';
import { systemError, XbstreamError } from '../../errors.js';
import { FileNames } from '../../format/file-names.js';
import { pathText, type StoredPath } from '../../format/stored-path.js';
import type { InputChoice } from '../../input/open-source.js';
import {
  HOLE_UNIT_BYTES_MAX,
  strippedOf,
  type ForeignCorrection,
  stripComponents,
  type ExistingFilePolicy,
  type OutputFile,
} from '../output.js';
import { filesOf, type FileIdentity } from '../file-identity.js';
import { VirtualFile, VirtualOutput } from '../virtual-output.js';
import { earlierFile, KeptFile } from './kept-file.js';
import { assertGivesWay, nameTaken, notStored, targetExists, TargetDirectory, type Place } from './target-directory.js';

/** What all usual file systems have (NAME_MAX of limits.h). */
const COMPONENT_BYTES_MAX = 255;

export interface DryRunOptions {
  /** What the archive is read from; undefined where there is none. */
  input: InputChoice | undefined;
  /** The target directory as the user gave it. */
  target: string;
  createTarget: boolean;
  allowSymlinks: boolean;
  existing: ExistingFilePolicy;
  stripComponents: number;
}

export class DryRunOutput extends VirtualOutput {
  readonly blockBytes: number;
  /** Bytes free in the file system of the target. */
  readonly freeBytes: number;
  readonly #options: DryRunOptions;
  readonly #target: TargetDirectory | undefined;
  readonly #archive: readonly FileIdentity[];
  readonly #names = new FileNames();
  #neededBytes = 0;
  #neededFiles = 0;
  /** Files that the file system still takes; undefined where it has no such number. */
  readonly #freeFiles: number | undefined;

  /** @throws XbstreamError `XB_IO` when the target cannot be used */
  constructor(options: DryRunOptions) {
    super();
    this.#options = options;
    this.#archive = options.input === undefined ? [] : filesOf(options.input);
    const existing = nearestExisting(resolve(options.target));
    this.#target =
      existing === resolve(options.target) || !options.createTarget
        ? new TargetDirectory(options.target, { create: false, allowSymlinks: options.allowSymlinks })
        : undefined;
    try {
      const { bavail, bsize, files, ffree } = fs.statfsSync(existing);
      this.#freeFiles = files > 0 ? ffree : undefined;
      this.freeBytes = bavail * bsize;
      this.blockBytes = Math.min(bsize, HOLE_UNIT_BYTES_MAX);
    } catch (error) {
      throw systemError(`cannot tell the free space of ${existing}`, error);
    }
  }

  open(storedPath: StoredPath): OutputFile {
    const path = this.#finalPath(storedPath);
    this.#take(path);
    const { existing } = this.#options;
    const place = this.#occupied(path);
    if (place === undefined) return new DryRunFile(this, path);
    if (existing === 'refuse') throw targetExists(place);
    if (existing === 'overwrite') {
      assertGivesWay(place, this.#archive);
      return new DryRunFile(this, path);
    }
    return new KeptFile(place, path, {
      pool: this.#target!.pool,
      compareContent: existing === 'keep-same-content',
      hash: false,
    });
  }

  /** A renamed file takes its new name. @returns that */
  rename(oldPath: StoredPath, newStoredPath: StoredPath): StoredPath {
    const path = this.#finalPath(newStoredPath);
    this.#names.free(oldPath);
    this.#take(path);
    this.#refuse(path);
    return path;
  }

  /** A file is taken away again, and would no longer need its room on the disk. */
  remove(path: StoredPath, bytes: number): void {
    this.#names.free(path);
    this.need(-bytes, -1);
  }

  /** Counts a file that would take room on the disk (or, with negative numbers, no longer would). */
  need(bytes: number, files: 1 | -1): void {
    this.#neededBytes += bytes;
    this.#neededFiles += files;
  }

  earlier(storedPath: StoredPath): KeptFile | undefined {
    const path = strippedOf(storedPath, this.#options.stripComponents);
    if (path === undefined || this.#target === undefined) return undefined;
    return earlierFile(this.#occupied(path), path, this.#target.pool);
  }

  /** It would be taken away. */
  forgetEarlier(storedPath: StoredPath): void {
    const place = this.#occupied(this.#finalPath(storedPath))!;
    place.directory.names.delete(place.name);
  }

  override correctForeign(storedPath: StoredPath, { isStored }: ForeignCorrection): void {
    const path = strippedOf(storedPath, this.#options.stripComponents);
    if (path === undefined) return;
    if (this.#names.has(path)) {
      if (isStored) return;
      throw notStored(path);
    }
    this.#refuse(path);
  }

  override release(): void {
    this.#target?.pool.suspendAll();
  }

  override close(): void {
    const files = this.#neededFiles;
    const free = this.#freeFiles ?? Infinity;
    if (files > free) {
      throw new XbstreamError('XB_IO', `${this.#options.target} has too few free inodes for the files`, {
        details: [`there are ${files} files, and the file system takes ${free} more`],
        hints: ['remove files there, or choose another target with -C'],
      });
    }
    if (this.#neededBytes <= this.freeBytes) return;
    throw new XbstreamError('XB_IO', `the files do not fit into the free space of ${this.#options.target}`, {
      details: [`they need ${this.#neededBytes} bytes, ${this.freeBytes} are free`],
      hints: ['make room, or choose another target with -C'],
    });
  }

  #finalPath(storedPath: StoredPath): StoredPath {
    const path = stripComponents(storedPath, this.#options.stripComponents);
    // Where a directory is still to be made nothing can be asked.
    if (path.split('/').some((component) => component.length > COMPONENT_BYTES_MAX)) {
      throw systemError(`cannot create ${pathText(path)}`, Object.assign(new Error(), { code: 'ENAMETOOLONG' }), {
        path,
      });
    }
    return path;
  }

  #take(path: StoredPath): void {
    const clash = this.#names.take(path);
    if (clash !== undefined) throw nameTaken(path, clash, this.#options.stripComponents);
  }

  /** The place of a file that was in the target before, if there is one. */
  #occupied(path: StoredPath): Place | undefined {
    const place = this.#target?.place(path, false);
    return place?.directory.names.has(place.name) === true ? place : undefined;
  }

  #refuse(path: StoredPath): void {
    const place = this.#occupied(path);
    if (place === undefined) return;
    if (this.#options.existing !== 'overwrite') throw targetExists(place);
    assertGivesWay(place, this.#archive);
  }
}

class DryRunFile extends VirtualFile {
  readonly #output: DryRunOutput;
  #bytes = 0;

  constructor(output: DryRunOutput, path: StoredPath) {
    super(path);
    this.#output = output;
  }

  override write(bytes: Buffer): void {
    this.#bytes += bytes.length;
  }

  override finish(sizeBytes: number, done: () => void): void {
    this.#output.need(this.#bytes, 1);
    super.finish(sizeBytes, done);
  }

  override remove(): void {
    this.#output.remove(this.path, this.#bytes);
  }

  override rename(storedPath: StoredPath, replaced: OutputFile | undefined): void {
    replaced?.remove();
    this.path = this.#output.rename(this.path, storedPath);
  }
}

function nearestExisting(path: string): string {
  const parent = dirname(path);
  return parent === path || fs.existsSync(path) ? path : nearestExisting(parent);
}
