import { XbstreamError } from '../errors.js';
import { pathText, type StoredPath } from '../format/stored-path.js';
import type { OutputFile } from './output.js';
import { UnwrittenFile, UnwrittenOutput } from './virtual-output.js';

/** Takes bytes, in order. They are its own until the promise is settled. */
export type ContentSink = (bytes: Buffer) => Promise<void>;

/** What may wait in memory for the files before it. */
const HELD_BYTES_MAX = 64 * 1024 * 1024;
/** With so much in memory it is time to write. */
const FULL_BYTES = 16 * 1024 * 1024;
/** What a piece takes beside its bytes, about: a hostile archive may cut content into parts of a byte. */
const PIECE_OVERHEAD_BYTES = 200;
const ZEROS = Buffer.alloc(256 * 1024);

/** Content and holes (numbers of bytes) that are still to be written. */
type Pieces = (Buffer | number)[];

/** Puts the content of files one after the other; what comes before its turn is held. */
export class StreamOutput extends UnwrittenOutput {
  /** No hole is worth leaving. */
  readonly blockBytes = 2 ** 30;
  readonly #sink: ContentSink;
  readonly #rank: (path: StoredPath) => number;
  readonly #files: StreamFile[] = [];
  #heldBytes = 0;
  #ended = false;

  /** @param rank what comes first; files of rank 0 are written as they come, others at the end */
  constructor(sink: ContentSink, rank: (path: StoredPath) => number) {
    super();
    this.#sink = sink;
    this.#rank = rank;
  }

  open(path: StoredPath): OutputFile {
    const file = new StreamFile(path, this.#rank(path), (bytes) => this.#hold(bytes));
    this.#files.push(file);
    this.#files.sort((a, b) => a.rank - b.rank); // stable: files of one rank stay in their order
    return file;
  }

  /** No more files will come. {@link flush} writes what is left. */
  override close(): void {
    this.#ended = true;
  }

  /** It should be flushed before more comes. */
  get isFull(): boolean {
    return this.#heldBytes >= FULL_BYTES;
  }

  /** Writes all whose turn it is. @throws XbstreamError `XB_UNSUPPORTED_ORDER` when too much has to wait */
  async flush(): Promise<void> {
    for (let file = this.#files[0]; file !== undefined; file = this.#files[0]) {
      if (file.rank > 0 && !this.#ended) break;
      // More of them may come meanwhile.
      while (file.pieces.length > 0) for (const piece of file.pieces.splice(0)) await this.#write(piece);
      if (!file.isDone) break;
      this.#files.shift();
    }
    if (this.#heldBytes > HELD_BYTES_MAX) throw tooMuchHeld();
  }

  async #write(piece: Buffer | number): Promise<void> {
    if (typeof piece !== 'number') {
      this.#heldBytes -= piece.length + PIECE_OVERHEAD_BYTES;
      await this.#sink(piece);
      return;
    }
    for (let left = piece; left > 0; left -= ZEROS.length) await this.#sink(ZEROS.subarray(0, left));
  }

  #hold(bytes: number): void {
    this.#heldBytes += bytes;
  }
}

class StreamFile extends UnwrittenFile {
  readonly rank: number;
  readonly pieces: Pieces = [];
  isDone = false;
  readonly #hold: (bytes: number) => void;
  #positionBytes = 0;

  constructor(path: StoredPath, rank: number, hold: (bytes: number) => void) {
    super(path);
    this.rank = rank;
    this.#hold = hold;
  }

  write(bytes: Buffer, fileOffset: number): void {
    this.#skipTo(fileOffset);
    this.pieces.push(Buffer.from(bytes));
    this.#hold(bytes.length + PIECE_OVERHEAD_BYTES);
    this.#positionBytes += bytes.length;
  }

  override finish(sizeBytes: number, done: () => void): void {
    this.#skipTo(sizeBytes);
    this.isDone = true;
    super.finish(sizeBytes, done);
  }

  override remove(): void {
    throw new XbstreamError('XB_UNSUPPORTED_ORDER', `${pathText(this.path)} is taken back further on in the archive`, {
      path: this.path,
      details: ['its content may have been written by then'],
      hints: ['read the archive from a file instead of a pipe'],
    });
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
