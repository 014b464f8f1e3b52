import * as fs from 'node:fs';
import { systemError, XbstreamError } from '../errors.js';
import { pathText, type StoredPath } from '../format/stored-path.js';
import type { OutputFile } from './output.js';
import type { Place } from './target-directory.js';

const PIECE_BYTES = 256 * 1024;
const ZEROS = Buffer.alloc(PIECE_BYTES);

/**
 * A file that was in the target before and is kept: what the archive has for it is compared, not written.
 */
export class KeptFile implements OutputFile {
  readonly path: StoredPath;
  readonly kept = true;
  sha256: string | undefined;
  readonly #options: { compareContent: boolean; hash: boolean };
  readonly #descriptor: number;
  readonly sizeBytes: number;
  readonly #piece = Buffer.allocUnsafe(PIECE_BYTES);
  /** What no content has come for yet, start and end (exclusive), below `#seenEndBytes`. */
  #gaps: (readonly [number, number])[] = [];
  #seenEndBytes = 0;

  /** @throws XbstreamError `XB_TARGET_EXISTS` when it is no regular file, `XB_IO` */
  constructor(place: Place, path: StoredPath, options: { compareContent: boolean; hash: boolean }) {
    this.path = path;
    this.#options = options;
    const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;
    try {
      const flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
      this.#descriptor = fs.openSync(place.directory.systemPath(place.name), flags);
    } catch (error) {
      throw systemError(`cannot look at ${pathText(path)}, which is there already`, error, { path });
    }
    const stat = fs.fstatSync(this.#descriptor);
    if (!stat.isFile()) {
      fs.closeSync(this.#descriptor);
      throw this.#differs('it is no regular file');
    }
    this.sizeBytes = stat.size;
  }

  write(bytes: Buffer, fileOffset: number): void {
    if (!this.#options.compareContent) return;
    this.#note(fileOffset, fileOffset + bytes.length);
    this.#compare(fileOffset, bytes.length, (piece, at) => bytes.subarray(at, at + piece.length));
  }

  finish(sizeBytes: number, done: () => void): void {
    if (sizeBytes !== this.sizeBytes) {
      throw this.#differs(`it has ${this.sizeBytes} bytes, the archive's file ${sizeBytes}`);
    }
    if (this.#options.compareContent) {
      this.#note(sizeBytes, sizeBytes);
      for (const [start, end] of this.#gaps) {
        this.#compare(start, end - start, (piece) => ZEROS.subarray(0, piece.length));
      }
    }
    if (this.#options.hash) this.sha256 = this.#hash();
    fs.closeSync(this.#descriptor);
    done();
  }

  remove(): void {
    throw this.#corrected();
  }

  rename(): void {
    throw this.#corrected();
  }

  abandon(): undefined {
    fs.closeSync(this.#descriptor);
    return undefined;
  }

  /** Takes the range from `start` to `end` out of what is still missing. */
  #note(start: number, end: number): void {
    if (start > this.#seenEndBytes) this.#gaps.push([this.#seenEndBytes, start]);
    else if (start < this.#seenEndBytes) {
      this.#gaps = this.#gaps.flatMap((gap) => {
        const before = [gap[0], Math.min(gap[1], start)] as const;
        const after = [Math.max(gap[0], end), gap[1]] as const;
        return [before, after].filter(([from, to]) => from < to);
      });
    }
    this.#seenEndBytes = Math.max(this.#seenEndBytes, end);
  }

  #compare(start: number, length: number, expected: (piece: Buffer, at: number) => Buffer): void {
    // What the archive claims beyond the file's end is not worth a single read.
    if (start + length > this.sizeBytes) throw this.#differs('the archive has more content');
    for (let at = 0; at < length;) {
      const wanted = Math.min(PIECE_BYTES, length - at);
      const piece = this.#piece.subarray(0, this.#read(start + at, wanted));
      if (piece.length === 0 || piece.compare(expected(piece, at)) !== 0) {
        throw this.#differs(`its content differs within bytes ${start + at}-${start + at + wanted - 1}`);
      }
      at += piece.length;
    }
  }

  #read(at: number, wanted: number): number {
    try {
      return fs.readSync(this.#descriptor, this.#piece, 0, wanted, at);
    } catch (error) {
      throw systemError(`cannot read ${pathText(this.path)} to compare it`, error, { path: this.path });
    }
  }

  #hash(): string {
    const hash = process.getBuiltinModule('node:crypto').createHash('sha256');
    for (let at = 0; at < this.sizeBytes;) {
      const bytes = this.#read(at, PIECE_BYTES);
      if (bytes === 0) break;
      hash.update(this.#piece.subarray(0, bytes));
      at += bytes;
    }
    return hash.digest('hex');
  }

  #differs(how: string): XbstreamError {
    return new XbstreamError('XB_TARGET_EXISTS', `${pathText(this.path)} in the target is not the archive's file`, {
      path: this.path,
      details: [how, 'it was not touched'],
      hints: ['to replace it: tsxbstream extract --overwrite'],
    });
  }

  #corrected(): XbstreamError {
    return new XbstreamError(
      'XB_TARGET_EXISTS',
      `${pathText(this.path)} was kept as it was, but the archive changes it later`,
      { path: this.path, hints: ['unpack into an empty directory'] },
    );
  }
}
