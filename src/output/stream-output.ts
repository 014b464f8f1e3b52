import { XbstreamError } from '../errors.js';
import { pathText, type StoredPath } from '../format/stored-path.js';
import { PIECE_ROOM_BYTES } from '../input/source.js';
import type { Output, OutputFile } from './output.js';

/** Takes bytes, in order. They are its own until the promise is settled. */
export type ContentSink = (bytes: Buffer) => Promise<void>;

/** What may wait in memory for the files before it. */
const HELD_BYTES_MAX = 64 * 1024 * 1024;
const ZEROS = Buffer.alloc(256 * 1024);

/** Content and holes (numbers of bytes) that are still to be written. */
type Pieces = (Buffer | number)[];

/** Puts the content of files one after the other; what comes before its turn is held. */
export class StreamOutput implements Output {
  /** No hole is worth leaving. */
  readonly blockBytes = 2 ** 30;
  readonly #sink: ContentSink;
  readonly #rank: (path: StoredPath) => number;
  readonly #room = Buffer.allocUnsafeSlow(PIECE_ROOM_BYTES);
  readonly #files: StreamFile[] = [];
  #heldBytes = 0;
  #ended = false;

  /** @param rank what comes first; files of rank 0 are written as they come, others at the end */
  constructor(sink: ContentSink, rank: (path: StoredPath) => number) {
    this.#sink = sink;
    this.#rank = rank;
  }

  open(path: StoredPath): OutputFile {
    const file = new StreamFile(path, this.#rank(path), (bytes) => this.#hold(bytes));
    this.#files.push(file);
    this.#files.sort((a, b) => a.rank - b.rank); // stable: files of one rank stay in their order
    return file;
  }

  correctForeign(): void {
    // Nothing was there before.
  }

  room(): Buffer {
    return this.#room;
  }

  endStep(): void {
    // What is written was copied.
  }

  /** No more files will come. {@link flush} writes what is left. */
  close(): void {
    this.#ended = true;
  }

  drain(): void {
    // Nothing is under way.
  }

  release(): void {
    // Nothing is held but memory.
  }

  /** Writes all whose turn it is. @throws XbstreamError `XB_UNSUPPORTED_ORDER` when too much has to wait */
  async flush(): Promise<void> {
    for (let file = this.#files[0]; file !== undefined; file = this.#files[0]) {
      if (file.rank > 0 && !this.#ended) break;
      for (const piece of file.pieces.splice(0)) await this.#write(piece);
      if (!file.isDone) break;
      this.#files.shift();
    }
    if (this.#heldBytes > HELD_BYTES_MAX) throw tooMuchHeld();
  }

  async #write(piece: Buffer | number): Promise<void> {
    if (typeof piece !== 'number') {
      this.#heldBytes -= piece.length;
      await this.#sink(piece);
      return;
    }
    for (let left = piece; left > 0; left -= ZEROS.length) await this.#sink(ZEROS.subarray(0, left));
  }

  #hold(bytes: number): void {
    this.#heldBytes += bytes;
  }
}

class StreamFile implements OutputFile {
  path: StoredPath;
  readonly rank: number;
  readonly pieces: Pieces = [];
  readonly kept = false;
  readonly sha256 = undefined;
  sizeBytes = 0;
  isDone = false;
  readonly #hold: (bytes: number) => void;
  #positionBytes = 0;

  constructor(path: StoredPath, rank: number, hold: (bytes: number) => void) {
    this.path = path;
    this.rank = rank;
    this.#hold = hold;
  }

  write(bytes: Buffer, fileOffset: number): void {
    this.#skipTo(fileOffset);
    this.pieces.push(Buffer.from(bytes));
    this.#hold(bytes.length);
    this.#positionBytes += bytes.length;
  }

  finish(sizeBytes: number, done: () => void): void {
    this.#skipTo(sizeBytes);
    this.sizeBytes = sizeBytes;
    this.isDone = true;
    done();
  }

  remove(): void {
    throw new XbstreamError('XB_UNSUPPORTED_ORDER', `${pathText(this.path)} is taken back further on in the archive`, {
      path: this.path,
      details: ['its content may have been written by then'],
      hints: ['read the archive from a file instead of a pipe'],
    });
  }

  rename(path: StoredPath, replaced: OutputFile | undefined): void {
    replaced?.remove();
    this.path = path;
  }

  abandon(): undefined {
    return undefined;
  }

  #skipTo(fileOffset: number): void {
    if (fileOffset < this.#positionBytes) {
      throw new XbstreamError('XB_UNSUPPORTED_ORDER', `the content of ${pathText(this.path)} does not come in order`, {
        path: this.path,
        details: [`expected byte ${this.#positionBytes} of the file, found byte ${fileOffset}`],
        hints: ['read the archive from a file instead of a pipe'],
      });
    }
    if (fileOffset > this.#positionBytes) this.pieces.push(fileOffset - this.#positionBytes);
    this.#positionBytes = fileOffset;
  }
}

function tooMuchHeld(): XbstreamError {
  return new XbstreamError(
    'XB_UNSUPPORTED_ORDER',
    'the files do not come in the order in which they are to be written',
    {
      details: [`more than ${HELD_BYTES_MAX} bytes would have to wait in memory for those before them`],
      hints: ['read the archive from a file instead of a pipe', 'or name one file at a time'],
    },
  );
}
