/** Puts the content of files one after the other; what comes before its turn is held. */
import { XbstreamError } from '../errors.js';
import { pathText, type StoredPath } from '../format/stored-path.js';
import { HeldContent } from './held-content.js';
import { outOfOrder, type OutputFile } from './output.js';
import { PieceMemory } from './piece-memory.js';
import { VirtualFile, VirtualOutput } from './virtual-output.js';

/** Takes bytes, in order. They are its own until the promise is settled. */
export type ContentSink = (bytes: Buffer) => Promise<void>;

/** What may wait in memory for the files before it. */
const HELD_BYTES_MAX = 64 * 1024 * 1024;
/** With so much in memory it is time to write. */
const FULL_BYTES = 16 * 1024 * 1024;

export class StreamOutput extends VirtualOutput {
  /** No hole is worth leaving. */
  readonly blockBytes = 2 ** 30;
  readonly #sink: ContentSink;
  readonly #rank: (path: StoredPath) => number;
  readonly #memory = new PieceMemory();
  /** What waits, by rank, in the order in which it came. */
  readonly #files: (StreamFile[] | undefined)[] = [];
  #heldBytes = 0;
  #ended = false;

  /** @param rank what comes first; files of rank 0 are written as they come, others at the end */
  constructor(sink: ContentSink, rank: (path: StoredPath) => number) {
    super();
    this.#sink = sink;
    this.#rank = rank;
  }

  open(path: StoredPath): OutputFile {
    const rank = this.#rank(path);
    const file = new StreamFile(path, {
      isLater: rank > 0,
      memory: this.#memory,
      onHeld: (bytes) => {
        this.#heldBytes += bytes;
      },
      keepsPlace: (name) => this.#rank(name) === rank,
    });
    (this.#files[rank] ??= []).push(file);
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
    const ranks = this.#ended ? this.#files : this.#files.slice(0, 1);
    // There may be ranks that no file has.
    for (const files of ranks) if (!(await this.#flushRank(files ?? []))) break;
    if (this.#heldBytes > HELD_BYTES_MAX) throw tooMuchHeld();
  }

  /** @returns whether all of them are done */
  async #flushRank(files: StreamFile[]): Promise<boolean> {
    let done = 0;
    for (const file of files) {
      // More of them may come meanwhile.
      for (const piece of file.held.take()) {
        await this.#sink(piece);
        this.#memory.release(piece);
      }
      if (!file.isDone) break;
      done += 1;
    }
    files.splice(0, done);
    return files.length === 0;
  }
}

interface StreamFileContext {
  /** None of it is written before all others have come. */
  isLater: boolean;
  memory: PieceMemory;
  /** What waits has grown by so many bytes. */
  onHeld: (bytes: number) => void;
  /** Whether a file of this name would come where this one does. */
  keepsPlace: (name: StoredPath) => boolean;
}

class StreamFile extends VirtualFile {
  readonly held: HeldContent;
  isDone = false;
  readonly #context: StreamFileContext;

  constructor(path: StoredPath, context: StreamFileContext) {
    super(path);
    this.#context = context;
    this.held = new HeldContent(context.onHeld);
  }

  write(bytes: Buffer, fileOffset: number): void {
    if (!this.held.put(this.#context.memory.copy(bytes), fileOffset)) throw this.#outOfOrder(fileOffset);
  }

  override finish(sizeBytes: number, done: () => void): void {
    if (!this.held.skipTo(sizeBytes)) throw this.#outOfOrder(sizeBytes);
    this.isDone = true;
    super.finish(sizeBytes, done);
  }

  override remove(): void {
    if (this.#context.isLater || this.held.positionBytes === 0) {
      this.held.clear();
      this.isDone = true;
      return;
    }
    throw new XbstreamError('XB_UNSUPPORTED_ORDER', `${pathText(this.path)} is taken back further on in the archive`, {
      path: this.path,
      details: ['its content may have been written by then'],
      hints: ['read the archive from a file instead of a pipe'],
    });
  }

  override rename(path: StoredPath, replaced: OutputFile | undefined): void {
    if (this.#context.keepsPlace(path)) {
      super.rename(path, replaced);
      return;
    }
    const message = `${pathText(path)} had another name when its content came, and its place in the order is another`;
    throw new XbstreamError('XB_UNSUPPORTED_ORDER', message, {
      path,
      hints: ['read the archive from a file instead of a pipe'],
    });
  }

  #outOfOrder(fileOffset: number): XbstreamError {
    return outOfOrder(
      this.path,
      `the content of ${pathText(this.path)} does not come in order`,
      { expected: this.held.positionBytes, found: fileOffset },
      'read the archive from a file instead of a pipe',
    );
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
