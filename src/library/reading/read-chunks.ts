import type { ChunkConsumer, PayloadUse } from '../../archive/chunk-reader.js';
import { XbstreamError } from '../../errors.js';
import type { ChunkHeader } from '../../format/chunk.js';
import { ArchiveReading } from './archive-reading.js';
import type { ArchiveInput } from '../caller/input.js';
import { EVENT_LOOP_READING, programFlag, streamOption, toldWith, type Callbacks } from '../caller/options.js';
import type { Given } from '../../verbs/options/option.js';

/**
 * Reads an archive chunk by chunk, in this thread, as fast as chunks are asked for: of whatever lengths chunks claim, no more
 * than a piece is in memory.
 *
 * Chunks are judged by themselves: their headers, sparse maps and checksums. Whether files are whole is for {@link verify}
 * or {@link readEntries} to say. Stored paths come as they are: they may be absolute or lead elsewhere.
 *
 * @throws XbstreamError (from the iteration) `XB_BAD_MAGIC`, `XB_BAD_HEADER`, `XB_UNKNOWN_CHUNK`, `XB_PATH_TOO_LONG`,
 *   `XB_BAD_SPARSE_MAP`, `XB_BAD_CRC`, `XB_TRUNCATED`, `XB_EMPTY_ARCHIVE`, `XB_IO`, `XB_USAGE`
 * @throws the signal's reason after it was aborted
 */
export async function* readChunks(
  input: ArchiveInput,
  options: ReadChunksOptions = {},
): AsyncGenerator<ArchiveChunk, void, undefined> {
  const { check, allowEmpty, timeout } = toldWith(options, CHUNK_OPTIONS, 'signal');
  const chunks = new ChunkQueue(check ? 'check' : 'pass');
  const archive = new ArchiveReading(input, chunks, {
    ...{ signal: options.signal, allowEmpty },
    stream: streamOption(options),
    silentSeconds: timeout,
  });
  try {
    for (;;) {
      chunks.pass();
      archive.assertWanted();
      while (chunks.waiting === undefined && !archive.isOver) await archive.step();
      const header = chunks.begin();
      if (header === undefined) return;
      yield { header, payload: () => chunks.read(archive, header) };
    }
  } finally {
    await archive.close();
  }
}

const CHUNK_OPTIONS = {
  ...EVENT_LOOP_READING,
  /**
   * Judge the checksums of payloads that nobody reads. Default: true. Where it is false they are passed over, and not even
   * read where the input is a file.
   */
  check: programFlag(true),
};

/** Options of {@link readChunks}. */
export interface ReadChunksOptions extends Pick<Callbacks, 'signal'>, Given<typeof CHUNK_OPTIONS> {}

/** A piece of content. */
export interface PayloadPiece {
  /** At most 256 KiB. */
  bytes: Buffer;
  /** Where they belong in the file, in bytes. */
  fileOffset: number;
}

/** A chunk of an archive. */
export interface ArchiveChunk {
  readonly header: ChunkHeader;
  /**
   * Its payload, piece by piece; what no piece covers of a sparse chunk is a hole. It can be read once, and only until the
   * next chunk is asked for; it need not be. Its checksum is judged behind the last piece.
   */
  readonly payload: () => AsyncIterable<PayloadPiece>;
}

/** Holds every chunk back until it is known what to do with its payload. */
class ChunkQueue implements ChunkConsumer {
  /** The chunk that comes next. */
  waiting: ChunkHeader | undefined;
  readonly #unread: PayloadUse;
  #use: PayloadUse;
  #current: ChunkHeader | undefined;
  #pieces: PayloadPiece[] = [];
  /** The payload of the current chunk has come. */
  #isComplete = true;
  #isWanted = false;

  /** @param unread what to do with payloads that nobody asks for */
  constructor(unread: PayloadUse) {
    this.#unread = unread;
    this.#use = unread;
  }

  mustWait(header: ChunkHeader): boolean {
    this.waiting = header;
    return true;
  }

  chunk(): PayloadUse {
    return this.#use;
  }

  payload(bytes: Buffer, fileOffset: number): void {
    if (this.#isWanted) this.#pieces.push({ bytes, fileOffset });
  }

  chunkEnd(): void {
    this.#isComplete = true;
  }

  /** Nobody wants the rest of the current chunk. */
  pass(): void {
    this.#isWanted = false;
    this.#pieces = [];
    this.#current = undefined;
  }

  /** The waiting chunk is the current one from now on. */
  begin(): ChunkHeader | undefined {
    const header = this.waiting;
    this.waiting = undefined;
    this.#current = header;
    this.#use = this.#unread;
    this.#isComplete = header?.type !== 'payload' && header?.type !== 'sparse';
    return header;
  }

  /** @throws XbstreamError `XB_USAGE` when it is too late for that, or asked for a second time */
  read(archive: ArchiveReading, header: ChunkHeader): AsyncIterable<PayloadPiece> {
    if (this.#current !== header || this.#isWanted) {
      throw new XbstreamError(
        'XB_USAGE',
        'the payload of a chunk can be read once, and before the next chunk is asked for',
      );
    }
    this.#isWanted = true;
    this.#use = 'take';
    return this.#read(archive, header);
  }

  async *#read(archive: ArchiveReading, header: ChunkHeader): AsyncGenerator<PayloadPiece, void, undefined> {
    while (this.#current === header) {
      const piece = this.#pieces.shift();
      if (piece !== undefined) yield piece;
      else if (this.#isComplete) return;
      else await archive.step();
    }
    throw new XbstreamError('XB_USAGE', 'the next chunk was asked for while the payload of this one was being read');
  }
}
