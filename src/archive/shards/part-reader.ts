/**
 * Reads a part of an archive, from a chunk that proves itself to the next part's (docs/many-machines.md).
 *
 * What follows such a chunk is read in the same way whatever came before it: whoever begins there, and whoever comes there from
 * the archive's start, finds the same.
 */
import type { ChunkHeader } from '../../format/chunk.js';
import { PIECE_BYTES, PIECE_ROOM_BYTES, type Source } from '../../input/source.js';
import type { ChunkConsumer, PayloadUse } from '../chunk-reader.js';
import { viewOf, type ByteView } from '../salvage/byte-view.js';
import { Evidence, MAGIC } from '../salvage/evidence.js';
import { RereadBudget } from '../salvage/reread-budget.js';
import type { DamageConsumer } from '../salvage/salvage.js';
import { SalvagingReader } from '../salvage/salvaging-reader.js';

const SEARCHED_BYTES = 1024 * 1024;
/** A header, as a rule, is all that is wanted there. */
const BYTES_AFTER_SKIP = 4096;

/** Receives what is in a part, in archive order. */
export interface PartConsumer extends DamageConsumer {
  /** @param spanBytes bytes of the file that the chunk covers, holes included; 0 for chunks that carry no content */
  chunk(header: ChunkHeader, spanBytes: number): void;
}

/** How a part is read. */
export interface PartOptions {
  absoluteNames: boolean;
  /** Asked before each piece; true ends it. */
  isStopped: () => boolean;
  /** Called with how many bytes of the archive were looked at in total. */
  onProgress: (bytes: number) => void;
  /** Chunks that begin here were checked, and are passed over. */
  proven?: ReadonlySet<number> | undefined;
}

/** Where the reading of a part has ended: before the first chunk of the next part, or at the archive's end. */
export type PartEnd = { next: number } | { archiveBytes: number };

/** The first chunk of another part: not one of this. */
class OfNextPart extends Error {
  constructor(readonly archiveOffset: number) {
    super();
  }
}

/** Reads parts of an archive. */
export class PartReader {
  readonly #source: Source;
  readonly #view: ByteView;
  readonly #options: PartOptions;
  readonly #evidence: Evidence;
  /** What may be read for chunks that do not prove themselves: a hostile archive has many. */
  readonly #budget = new RereadBudget(() => this.#searchedBytes);
  #searchedBytes = 0;

  /** @param source can seek */
  constructor(source: Source, options: PartOptions) {
    this.#source = source;
    this.#view = viewOf(source)!;
    this.#options = options;
    const { absoluteNames } = options;
    this.#evidence = new Evidence(this.#view, this.#budget, {
      byPosition: true,
      absoluteNames,
      damage: { entryOf: () => undefined },
    });
  }

  /**
   * Searches the first chunk that proves itself, of those that begin between two places.
   *
   * @returns undefined where there is none, where too much would have to be read, or it was told to stop
   */
  find(from: number, to: number): number | undefined {
    const { isStopped, onProgress } = this.#options;
    for (let at = from; at < to && !isStopped(); at += SEARCHED_BYTES) {
      const bytes = this.#view.bytesAt(at, SEARCHED_BYTES + MAGIC.length - 1);
      const most = Math.min(SEARCHED_BYTES, to - at);
      for (let found = bytes.indexOf(MAGIC); found !== -1 && found < most; found = bytes.indexOf(MAGIC, found + 1)) {
        if (this.#evidence.isProven(at + found)) return at + found;
        if (this.#budget.isExceeded || isStopped()) return undefined;
      }
      this.#searchedBytes += most;
      onProgress(Math.min(to, at + bytes.length) - from);
    }
    return undefined;
  }

  /**
   * Reads from a place where a chunk begins (or the archive) to the first chunk behind `until` that proves itself.
   *
   * @returns where it has ended; undefined where it was told to stop
   * @throws XbstreamError `XB_IO`, and a `ForeignInput` where the archive is none
   */
  read(from: number, until: number, consumer: PartConsumer): PartEnd | undefined {
    const { absoluteNames, isStopped, onProgress, proven } = this.#options;
    const chunks = new PartChunks(consumer, (header) => this.#isOfNextPart(header, until), proven);
    const reader = new SalvagingReader(chunks, consumer, { view: this.#view, absoluteNames, refused: 'check', from });
    const room = Buffer.allocUnsafeSlow(PIECE_ROOM_BYTES);
    try {
      for (let at = from; ; at -= reader.takeRewind()) {
        if (isStopped()) return undefined;
        // Of chunks that were checked before.
        const skipped = reader.skippableBytes;
        reader.skip(skipped);
        at += skipped;
        const piece = this.#source.bytesAt!(at, skipped === 0 ? PIECE_BYTES : BYTES_AFTER_SKIP, room);
        if (piece.length === 0) {
          const again = reader.endReached();
          if (again === 0) break;
          at -= again;
          continue;
        }
        reader.push(piece);
        at += piece.length;
        onProgress(reader.archiveBytes - from);
      }
      reader.end();
      return { archiveBytes: reader.archiveBytes };
    } catch (error) {
      if (error instanceof OfNextPart) return { next: error.archiveOffset };
      throw error;
    }
  }

  #isOfNextPart({ type, archiveOffset }: ChunkHeader, until: number): boolean {
    if (archiveOffset < until || (type !== 'payload' && type !== 'sparse')) return false;
    return this.#evidence.isProven(archiveOffset);
  }
}

/** Hands on the chunks of a part, and ends the reading at the first of another. */
class PartChunks implements ChunkConsumer {
  readonly #consumer: PartConsumer;
  readonly #isOfNextPart: (header: ChunkHeader) => boolean;
  readonly #proven: ReadonlySet<number> | undefined;

  constructor(
    consumer: PartConsumer,
    isOfNextPart: (header: ChunkHeader) => boolean,
    proven: ReadonlySet<number> | undefined,
  ) {
    this.#consumer = consumer;
    this.#isOfNextPart = isOfNextPart;
    this.#proven = proven;
  }

  chunk(header: ChunkHeader, spanBytes: number): PayloadUse {
    if (this.#isOfNextPart(header)) throw new OfNextPart(header.archiveOffset);
    this.#consumer.chunk(header, spanBytes);
    return this.#proven?.has(header.archiveOffset) === true ? 'pass' : 'check';
  }

  payload(): void {
    // Its checksum is all that counts.
  }

  chunkEnd(): void {
    // There is nothing to do for a checksum that held.
  }
}
