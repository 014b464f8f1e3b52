/** A file that lies in a directory already: read there, and taken away when what is made of it is whole. */
import * as fs from 'node:fs';
import { systemError, XbstreamError } from '../../errors.js';
import { pathText, type StoredPath } from '../../format/stored-path.js';
import { closeRead } from '../../input/close.js';
import type { FileMetadata } from './owner.js';
import type { Place } from './target-directory.js';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;

/** No link is followed to it, and what has taken its name meanwhile is neither read nor removed. */
export class OriginalFile {
  /** Its path below the directory's root. */
  readonly path: StoredPath;
  readonly sizeBytes: number;
  readonly metadata: FileMetadata;
  readonly #place: Place;
  readonly #opened: fs.Stats;
  #descriptor: number | undefined;

  /** Opens it. @throws XbstreamError `XB_IO`, also for what is no regular file */
  constructor(place: Place, path: StoredPath) {
    this.path = path;
    this.#place = place;
    const { directory, name } = place;
    try {
      this.#descriptor = fs.openSync(directory.systemPath(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      this.#opened = fs.fstatSync(this.#descriptor);
    } catch (error) {
      this.close();
      throw systemError(`cannot open ${pathText(path)}`, error, { path });
    }
    const { size, mode, uid, gid } = this.#opened;
    this.sizeBytes = size;
    this.metadata = { mode, uid, gid };
    if (this.#opened.isFile()) return;
    this.close();
    throw new XbstreamError('XB_IO', `${pathText(path)} is no regular file`, { path });
  }

  /** Reads into `memory` from its byte `at` on. @returns how many bytes there were: none only at the end */
  read(memory: Buffer, at: number, bytes: number, position: number): number {
    try {
      return fs.readSync(this.#descriptor!, memory, at, bytes, position);
    } catch (error) {
      throw systemError(`cannot read ${pathText(this.path)}`, error, { path: this.path });
    }
  }

  /** @param readBytes how many there were up to its end @throws XbstreamError `XB_IO` where somebody writes to it */
  assertUnchanged(readBytes: number): void {
    const { size, mtimeMs } = this.#stat();
    if (size === readBytes && size === this.sizeBytes && mtimeMs === this.#opened.mtimeMs) return;
    throw this.#changed('was written to while it was read');
  }

  /** Has its content on the disk. @throws XbstreamError `XB_IO` */
  sync(): void {
    try {
      fs.fsyncSync(this.#descriptor!);
    } catch (error) {
      throw systemError(`cannot write ${pathText(this.path)} to the disk`, error, { path: this.path });
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeRead(this.#descriptor);
    this.#descriptor = undefined;
  }

  /** Takes it away, closed or not. @throws XbstreamError `XB_IO` */
  remove(): void {
    const { directory, name } = this.#place;
    const there = directory.look(name);
    if (there?.dev !== this.#opened.dev || there.ino !== this.#opened.ino) {
      throw this.#changed('was replaced by another file while it was decoded');
    }
    // It may have waited for the disk to have what was made of it.
    if (there.size !== this.#opened.size || there.mtimeMs !== this.#opened.mtimeMs) {
      throw this.#changed('was written to after it was decoded');
    }
    try {
      fs.unlinkSync(directory.systemPath(name));
    } catch (error) {
      throw systemError(`cannot remove ${pathText(this.path)}, which is decoded`, error, { path: this.path });
    }
    directory.names.delete(name);
    directory.changed = true;
  }

  #stat(): fs.Stats {
    try {
      return fs.fstatSync(this.#descriptor!);
    } catch (error) {
      throw systemError(`cannot read ${pathText(this.path)}`, error, { path: this.path });
    }
  }

  #changed(what: string): XbstreamError {
    return new XbstreamError('XB_IO', `${pathText(this.path)} ${what}`, {
      path: this.path,
      hints: ['decode it when nothing else writes there any more'],
    });
  }
}
