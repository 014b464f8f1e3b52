/**
 * A file that was in the target before and is kept: what the archive has for it is compared, not written.
 */
import * as fs from 'node:fs';
import { systemError, XbstreamError } from '../../errors.js';
import { firstIndex } from '../../format/first-index.js';
import { pathText, type StoredPath } from '../../format/stored-path.js';
import { closeRead } from '../../input/close.js';
import type { OutputFile } from '../output.js';
import type { DescriptorHolder, DescriptorPool } from './descriptor-pool.js';
import type { Place } from './target-directory.js';

const PIECE_BYTES = 256 * 1024;
/** Into a list of more gaps none is put: to make room in a longer one takes too long, where an archive has it done for each byte. */
const GAPS_MAX = 65_536;
const ZEROS = Buffer.alloc(PIECE_BYTES);
const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;

/** Where what is compared is read to: one for all files, of which there may be many. */
let sharedPiece: Buffer | undefined;

/** What to do where an existing file is kept: a pipe does not tell beforehand what becomes of a file. */
export const FROM_FILE =
  'if an earlier run has left it: read the archive from a file (not a pipe, and not compressed as a whole), and --skip-existing goes on where that run stopped';

export interface KeptFileOptions {
  pool: DescriptorPool;
  compareContent: boolean;
  hash: boolean;
}

/** A file that an earlier run may have left at a place, to be compared; undefined where there is none. */
export function earlierFile(place: Place | undefined, path: StoredPath, pool: DescriptorPool): KeptFile | undefined {
  if (place?.directory.names.get(place.name) !== 'before') return undefined;
  if (place.directory.look(place.name)?.isFile() !== true) return undefined;
  return new KeptFile(place, path, { pool, compareContent: true, hash: false });
}

export class KeptFile implements OutputFile, DescriptorHolder {
  lastUse = 0;
  readonly path: StoredPath;
  readonly kept = true;
  sha256: string | undefined;
  readonly sizeBytes: number;
  readonly #place: Place;
  readonly #options: KeptFileOptions;
  /** Undefined until it was opened for the first time. */
  readonly #identity: { dev: number; ino: number } | undefined;
  #descriptor: number | undefined;
  /** What no content has come for yet below `#seenEndBytes`: start and end (exclusive) of each gap in turn, rising. */
  readonly #gaps: number[] = [];
  #seenEndBytes = 0;

  /** @throws XbstreamError `XB_TARGET_EXISTS` when it is no regular file, `XB_IO` */
  constructor(place: Place, path: StoredPath, options: KeptFileOptions) {
    this.path = path;
    this.#place = place;
    this.#options = options;
    const stat = this.#look(this.#opened());
    this.#identity = stat;
    this.sizeBytes = stat.size;
    if (stat.isFile()) return;
    this.#close();
    throw this.#differs('it is no regular file');
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
      for (let at = 0; at < this.#gaps.length; at += 2) {
        const start = this.#gaps[at]!;
        this.#compare(start, this.#gaps[at + 1]! - start, (piece) => ZEROS.subarray(0, piece.length));
      }
    }
    if (this.#options.hash) this.sha256 = this.#hash();
    this.#close();
    done();
  }

  remove(): void {
    throw this.#corrected();
  }

  rename(): void {
    throw this.#corrected();
  }

  setAside(): void {
    throw this.#corrected();
  }

  restore(): void {
    // It is never set aside.
  }

  abandon(): undefined {
    this.#close();
    return undefined;
  }

  suspend(): void {
    if (this.#descriptor !== undefined) closeRead(this.#descriptor);
    this.#descriptor = undefined;
  }

  #close(): void {
    this.suspend();
    this.#options.pool.forget(this);
  }

  /** Its descriptor, opened again where it was given up. */
  #opened(): number {
    const { pool } = this.#options;
    if (this.#descriptor !== undefined) {
      pool.touch(this);
      return this.#descriptor;
    }
    const { directory, name } = this.#place;
    try {
      const flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
      this.#descriptor = pool.open(this, () => fs.openSync(directory.systemPath(name), flags));
    } catch (error) {
      throw this.#unseen(error);
    }
    const known = this.#identity;
    const { dev, ino } = this.#look(this.#descriptor);
    if (known !== undefined && (known.dev !== dev || known.ino !== ino)) {
      throw this.#differs('another file took its place while it was compared');
    }
    return this.#descriptor;
  }

  #look(descriptor: number): fs.Stats {
    try {
      return fs.fstatSync(descriptor);
    } catch (error) {
      throw this.#unseen(error);
    }
  }

  #unseen(error: unknown): XbstreamError {
    return systemError(`cannot look at ${pathText(this.path)}, which is there already`, error, { path: this.path });
  }

  /** Takes the range from `start` to `end` out of what is still missing. */
  #note(start: number, end: number): void {
    if (start > this.#seenEndBytes) this.#gaps.push(this.#seenEndBytes, start);
    else if (start < this.#seenEndBytes) this.#fill(start, end);
    this.#seenEndBytes = Math.max(this.#seenEndBytes, end);
  }

  /** Gaps that are filled stay, without a byte: to take each out of many would take as long as there are others. */
  #fill(start: number, end: number): void {
    const gaps = this.#gaps;
    for (let at = this.#firstGapAfter(start); at < gaps.length && gaps[at]! < end; at += 2) {
      const from = gaps[at]!;
      const to = gaps[at + 1]!;
      if (from < start && to > end) {
        if (gaps.length >= 2 * GAPS_MAX) throw this.#tooManyParts();
        gaps.splice(at, 2, from, start, end, to);
        return;
      }
      if (from < start) gaps[at + 1] = start;
      else gaps[at] = Math.min(to, end);
    }
  }

  #tooManyParts(): XbstreamError {
    const path = pathText(this.path);
    return new XbstreamError(
      'XB_UNSUPPORTED_ORDER',
      `${path} is there already, and comes in too many parts to be compared`,
      {
        path: this.path,
        details: [`they do not come in order, and there are more than ${GAPS_MAX} gaps between them`],
        hints: ['unpack into an empty directory, or replace the file: tsxbstream extract --overwrite'],
      },
    );
  }

  /** Where the first gap is that ends after a byte. */
  #firstGapAfter(byte: number): number {
    const gaps = this.#gaps;
    return firstIndex(gaps.length / 2, (gap) => gaps[gap * 2 + 1]! > byte) * 2;
  }

  #compare(start: number, length: number, expected: (piece: Buffer, at: number) => Buffer): void {
    // What the archive claims beyond the file's end is not worth a single read.
    if (start + length > this.sizeBytes) throw this.#differs('the archive has more content');
    for (let at = 0; at < length;) {
      const wanted = Math.min(PIECE_BYTES, length - at);
      const piece = this.#read(start + at, wanted);
      if (piece.length === 0 || piece.compare(expected(piece, at)) !== 0) {
        throw this.#differs(`its content differs within bytes ${start + at}-${start + at + wanted - 1}`);
      }
      at += piece.length;
    }
  }

  /** Good until the next call, of any of these files. */
  #read(at: number, wanted: number): Buffer {
    sharedPiece ??= Buffer.allocUnsafe(PIECE_BYTES);
    const descriptor = this.#opened();
    try {
      return sharedPiece.subarray(0, fs.readSync(descriptor, sharedPiece, 0, wanted, at));
    } catch (error) {
      throw systemError(`cannot read ${pathText(this.path)} to compare it`, error, { path: this.path });
    }
  }

  #hash(): string {
    const hash = process.getBuiltinModule('node:crypto').createHash('sha256');
    for (let at = 0; at < this.sizeBytes;) {
      const piece = this.#read(at, PIECE_BYTES);
      if (piece.length === 0) break;
      hash.update(piece);
      at += piece.length;
    }
    return hash.digest('hex');
  }

  #differs(how: string): XbstreamError {
    return new XbstreamError('XB_TARGET_EXISTS', `${pathText(this.path)} in the target is not the archive's file`, {
      path: this.path,
      details: [how, 'it was not touched'],
      hints: ['to replace it: tsxbstream extract --overwrite', FROM_FILE],
    });
  }

  #corrected(): XbstreamError {
    return new XbstreamError(
      'XB_TARGET_EXISTS',
      `${pathText(this.path)} was kept as it was, but the archive changes it later`,
      { path: this.path, hints: [FROM_FILE, 'or begin anew: --overwrite, or an empty directory'] },
    );
  }
}
