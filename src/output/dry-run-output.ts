import * as fs from 'node:fs';
import { dirname, resolve } from 'node:path';
import { systemError, XbstreamError } from '../errors.js';
import type { StoredPath } from '../format/stored-path.js';
import { PIECE_ROOM_BYTES } from '../input/source.js';
import { stripComponents, type Output, type OutputFile } from './output.js';
import { targetExists, TargetDirectory } from './target-directory.js';

export interface DryRunOptions {
  target: string;
  createTarget: boolean;
  allowSymlinks: boolean;
  /** Files that are there would be refused. */
  refuseExisting: boolean;
  stripComponents: number;
}

/** Looks where files would go, and writes nothing. */
export class DryRunOutput implements Output {
  readonly blockBytes: number;
  /** Bytes free in the file system of the target. */
  readonly freeBytes: number;
  readonly #options: DryRunOptions;
  readonly #target: TargetDirectory | undefined;
  #neededBytes = 0;
  readonly #room = Buffer.allocUnsafeSlow(PIECE_ROOM_BYTES);

  /** @throws XbstreamError `XB_IO` when the target cannot be used */
  constructor(options: DryRunOptions) {
    this.#options = options;
    const existing = nearestExisting(resolve(options.target));
    this.#target =
      existing === resolve(options.target) || !options.createTarget
        ? new TargetDirectory(options.target, { create: false, allowSymlinks: options.allowSymlinks })
        : undefined;
    try {
      const { bavail, bsize } = fs.statfsSync(existing);
      this.freeBytes = bavail * bsize;
      this.blockBytes = bsize;
    } catch (error) {
      throw systemError(`cannot tell the free space of ${existing}`, error);
    }
  }

  open(storedPath: StoredPath): OutputFile {
    const path = stripComponents(storedPath, this.#options.stripComponents);
    const place = this.#target?.place(path, false);
    if (place?.directory.names.has(place.name) === true && this.#options.refuseExisting) throw targetExists(place);
    return new DryRunFile(this, path);
  }

  /** Counts bytes that would take room on the disk (or no longer would, when negative). */
  need(bytes: number): void {
    this.#neededBytes += bytes;
  }

  correctForeign(storedPath: StoredPath): void {
    const place = this.#target?.place(stripComponents(storedPath, this.#options.stripComponents), false);
    if (place?.directory.names.has(place.name) === true && this.#options.refuseExisting) throw targetExists(place);
  }

  room(): Buffer {
    return this.#room;
  }

  endStep(): void {
    // Nothing here waits for input.
  }

  drain(): void {
    // Nothing is under way.
  }

  release(): void {
    this.#target?.pool.suspendAll();
  }

  close(): void {
    if (this.#neededBytes <= this.freeBytes) return;
    throw new XbstreamError('XB_IO', `the files do not fit into the free space of ${this.#options.target}`, {
      details: [`they need ${this.#neededBytes} bytes, ${this.freeBytes} are free`],
      hints: ['make room, or choose another target with -C'],
    });
  }
}

class DryRunFile implements OutputFile {
  path: StoredPath;
  readonly kept = false;
  sizeBytes = 0;
  readonly sha256 = undefined;
  readonly #output: DryRunOutput;
  #bytes = 0;

  constructor(output: DryRunOutput, path: StoredPath) {
    this.#output = output;
    this.path = path;
  }

  write(bytes: Buffer): void {
    this.#bytes += bytes.length;
  }

  finish(sizeBytes: number, done: () => void): void {
    this.sizeBytes = sizeBytes;
    this.#output.need(this.#bytes);
    done();
  }

  remove(): void {
    this.#output.need(-this.#bytes);
  }

  rename(path: StoredPath, replaced: OutputFile | undefined): void {
    replaced?.remove();
    this.path = path;
  }

  abandon(): undefined {
    return undefined;
  }
}

function nearestExisting(path: string): string {
  const parent = dirname(path);
  return parent === path || fs.existsSync(path) ? path : nearestExisting(parent);
}
