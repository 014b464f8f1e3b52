/** Writes a tar archive of regular files, one after the other. */
import { XbstreamError } from '../errors.js';
import { FileNames } from '../format/file-names.js';
import { isUtf8, pathText, type StoredPath, rawPath } from '../format/stored-path.js';
import { zeros } from '../format/zeros.js';
import { Stopped, type SequentialSink } from '../output/sinks.js';
import { tarEntries } from './header.js';
import { TarStreamSink } from './stream-sink.js';

/** All of a small file, so that it is written in one step. */
const HELD_BYTES = 64 * 1024;

/** With so much waiting it is time to write. */
const FULL_BYTES = 16 * 1024 * 1024;

/** The file that says that a tar is not all there is: its content is missing, which no reader of tar archives overlooks. */
const MISSING_NAME = rawPath('THE-REST-OF-THIS-ARCHIVE-IS-MISSING');
const MISSING_BYTES = 1024 * 1024;

/** Content that is still to be written, and its place in the file. */
interface Piece {
  bytes: Buffer;
  fileOffset: number;
  written: (() => void) | undefined;
}

export class TarWriter {
  readonly #sink: TarStreamSink;
  readonly #mtime: number;
  readonly #sparse: boolean;
  readonly #isStopped: () => boolean;
  /** It must be such that it can be unpacked. */
  readonly #names = new FileNames();

  /** The file that is being written. */
  #path: StoredPath | undefined;
  #sizeBytes = 0;
  /** Where its data lies, start and end in turn; all of it where holes are written as zeros. */
  #bounds: readonly number[] = [];
  /** The pair of bounds that the position is in or before. */
  #at = 0;
  #position = 0;
  /** Bytes of it that are to be written, and those that were. */
  #dataBytes = 0;
  #written = 0;
  #pieces: Piece[] = [];
  #waitingBytes = 0;
  /** Where the last of them ends in the file. */
  #givenBytes = 0;
  /** The end of it, which is written when the file has proved to be good: a bad one is never complete. */
  readonly #held = Buffer.allocUnsafeSlow(HELD_BYTES);
  #heldBytes = 0;

  /**
   * @param mtime of all files, in seconds since 1970
   * @param isStopped asked while zeros are written: a few bytes of an archive may be holes without end
   */
  constructor(
    sink: SequentialSink,
    { mtime, sparse, isStopped }: { mtime: number; sparse: boolean; isStopped: () => boolean },
  ) {
    this.#sink = new TarStreamSink(sink);
    this.#mtime = mtime;
    this.#sparse = sparse;
    this.#isStopped = isStopped;
  }

  /**
   * Begins a file.
   *
   * @param extents where its data lies, start and length in turn, rising; needed only where holes are kept
   * @throws XbstreamError `XB_TARGET_EXISTS` when the tar could not be unpacked: two files of one name, or a file where a
   *   directory must be; `XB_IO`
   */
  async begin(path: StoredPath, sizeBytes: number, extents: readonly number[] | undefined): Promise<void> {
    const clash = this.#names.take(path);
    if (clash !== undefined) {
      throw new XbstreamError('XB_TARGET_EXISTS', `the tar could not be unpacked: ${clash}`, { path });
    }
    const covered = extents?.reduce((sum, number, index) => (index % 2 === 1 ? sum + number : sum), 0) ?? sizeBytes;
    const isSparse = this.#sparse && extents !== undefined && covered < sizeBytes && isUtf8(path);
    this.#path = path;
    this.#sizeBytes = sizeBytes;
    this.#bounds = isSparse ? boundsOf(extents) : [0, sizeBytes];
    this.#at = 0;
    this.#position = 0;
    this.#dataBytes = isSparse ? covered : sizeBytes;
    this.#written = 0;
    this.#heldBytes = 0;
    this.#pieces = [];
    this.#givenBytes = 0;
    const map = isSparse ? withEnd(extents, sizeBytes) : undefined;
    const entries = tarEntries({ path, sizeBytes, mtime: this.#mtime, extents: map });
    const own = entries.pop()!;
    for (const entry of entries) {
      this.#sink.begin(entry);
      await this.#sink.complete(entry.preamble);
    }
    this.#sink.begin(own);
    if (own.preamble.length > 0) await this.#sink.write(own.preamble);
  }

  /**
   * Takes content, in rising order; what is left out is zeros.
   *
   * @param bytes lent until {@link drained} is
   * @param written told when they are in the tar
   * @throws XbstreamError `XB_UNSUPPORTED_ORDER`, `XB_IO`
   */
  write(bytes: Buffer, fileOffset: number, written?: () => void): void {
    if (fileOffset < this.#givenBytes) {
      throw new XbstreamError('XB_UNSUPPORTED_ORDER', `${pathText(this.#path!)} does not come in order`);
    }
    this.#givenBytes = fileOffset + bytes.length;
    if (this.#givenBytes > this.#sizeBytes) throw this.#changed();
    this.#pieces.push({ bytes, fileOffset, written });
    this.#waitingBytes += bytes.length;
  }

  /** So much waits that it is to be written before more comes. */
  get isFull(): boolean {
    return this.#waitingBytes >= FULL_BYTES;
  }

  /** Settled when all that was given is written. @throws XbstreamError `XB_IO`; {@link Stopped} */
  async drained(): Promise<void> {
    this.#waitingBytes = 0;
    for (const { bytes, fileOffset, written } of this.#pieces.splice(0)) {
      const end = fileOffset + bytes.length;
      await this.#fill(fileOffset);
      await this.#put(bytes);
      this.#position = end;
      written?.();
    }
  }

  /** The file has proved to be good, and is complete. @throws XbstreamError `XB_IO`; {@link Stopped} */
  async finish(): Promise<void> {
    await this.drained();
    await this.#fill(this.#sizeBytes);
    if (this.#written !== this.#dataBytes) throw this.#changed();
    this.#path = undefined;
    await this.#sink.complete(this.#held.subarray(0, this.#heldBytes));
  }

  /** All files are in. @throws XbstreamError `XB_IO` */
  async end(): Promise<void> {
    await this.#sink.end();
  }

  /** The rest is missing: ends in the middle of a file, so that every reader fails. @throws XbstreamError `XB_IO` */
  async breakOff(): Promise<void> {
    if (this.#path !== undefined && this.#dataBytes === 0) await this.#sink.complete(this.#held.subarray(0, 0));
    if (this.#path === undefined || this.#dataBytes === 0) {
      const [entry] = tarEntries({ path: MISSING_NAME, sizeBytes: MISSING_BYTES, mtime: this.#mtime });
      this.#sink.begin(entry!);
    }
    await this.#sink.breakOff();
  }

  /** Writes the zeros between the position and `end` that no hole covers. */
  async #fill(end: number): Promise<void> {
    while (this.#position < end) {
      const [from = Infinity, to = Infinity] = [this.#bounds[this.#at], this.#bounds[this.#at + 1]];
      if (to <= this.#position) {
        this.#at += 2;
        continue;
      }
      const start = Math.max(this.#position, from);
      if (start >= end) break;
      for (const bytes of zeros(Math.min(to, end) - start)) {
        if (this.#isStopped()) throw new Stopped();
        await this.#put(bytes);
      }
      this.#position = Math.min(to, end);
    }
    this.#position = end;
  }

  async #put(bytes: Buffer): Promise<void> {
    const { length } = bytes;
    if (length === 0) return;
    this.#written += length;
    if (this.#written < this.#dataBytes) {
      await this.#sink.write(bytes);
      return;
    }
    const rest = Math.max(0, length - HELD_BYTES);
    this.#heldBytes = bytes.copy(this.#held, 0, rest);
    if (rest > 0) await this.#sink.write(bytes.subarray(0, rest));
  }

  #changed(): XbstreamError {
    return new XbstreamError('XB_IO', `the archive changed while it was read: ${pathText(this.#path!)} is another`);
  }
}

/** A hole at the end is told by an extent without bytes. */
function withEnd(extents: readonly number[], sizeBytes: number): readonly number[] {
  const end = (extents.at(-2) ?? 0) + (extents.at(-1) ?? 0);
  return end < sizeBytes ? [...extents, sizeBytes, 0] : extents;
}

function boundsOf(extents: readonly number[]): number[] {
  return extents.map((number, index) => (index % 2 === 1 ? extents[index - 1]! + number : number));
}
