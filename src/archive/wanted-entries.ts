import { XbstreamError } from '../errors.js';
import type { ChunkHeader } from '../format/chunk.js';
import { pathText } from '../format/stored-path.js';
import { PIECE_ROOM_BYTES, type ByteSink, type Source } from '../input/source.js';
import { ChunkReader, type ChunkConsumer, type PayloadUse } from './chunk-reader.js';
import { EntryTable, type Entry } from './entries.js';
import type { Selection } from './selection.js';

/** Tells of each entry, while the archive is read, whether it is wanted. */
export interface WantedEntries {
  /** An entry begins. */
  begins(entry: Entry<unknown>): boolean;
  /** A rename gave the entry another name; `wanted` is what was said of it so far. */
  renamed(entry: Entry<unknown>, wanted: boolean): boolean;
}

/**
 * Decides by the names that entries have when they come. All there is on a pipe: a file that was passed over cannot be
 * brought back when a later rename gives it a wanted name.
 */
export class WantedByCurrentName implements WantedEntries {
  readonly #selection: Selection;

  constructor(selection: Selection) {
    this.#selection = selection;
  }

  begins(entry: Entry<unknown>): boolean {
    return this.#selection.wants(entry.path);
  }

  /** @throws XbstreamError `XB_NO_MATCH` when an entry that was passed over is wanted now */
  renamed(entry: Entry<unknown>, wanted: boolean): boolean {
    const now = this.#selection.wants(entry.path);
    if (now && !wanted) {
      throw new XbstreamError('XB_NO_MATCH', `${pathText(entry.path)} had another name when its content came by`, {
        path: entry.path,
        details: ['its content was passed over, since the name it had then was not selected'],
        hints: ['read the archive from a file instead of a pipe, or select everything'],
      });
    }
    return now;
  }
}

/** Decides by final names, which a look through the archive's headers has told. */
export class WantedByFinalName implements WantedEntries {
  readonly #wanted: ReadonlySet<number>;

  private constructor(wanted: ReadonlySet<number>) {
    this.#wanted = wanted;
  }

  /**
   * Looks through an archive without reading payloads.
   *
   * @param source a second reader of the same bytes, which can seek
   * @throws XbstreamError `XB_IO`. Damage is no matter here: the look ends there, and so will the reading.
   */
  static async look(source: Source, selection: Selection, absoluteNames: boolean): Promise<WantedByFinalName> {
    const table = new EntryTable<never>(absoluteNames);
    const look = new HeaderLook(table);
    try {
      await source.run(look);
    } catch (error) {
      if (!(error instanceof XbstreamError) || error.code === 'XB_IO') throw error;
    }
    const wanted = new Set<number>();
    for (const entry of table.entries) if (selection.wants(entry.path)) wanted.add(entry.ordinal);
    return new WantedByFinalName(wanted);
  }

  begins(entry: Entry<unknown>): boolean {
    return this.#wanted.has(entry.ordinal);
  }

  renamed(_entry: Entry<unknown>, wanted: boolean): boolean {
    return wanted;
  }
}

class HeaderLook implements ByteSink, ChunkConsumer {
  readonly #room = Buffer.allocUnsafeSlow(PIECE_ROOM_BYTES);
  readonly #reader = new ChunkReader(this);
  readonly #table: EntryTable<never>;

  constructor(table: EntryTable<never>) {
    this.#table = table;
  }

  room(): Buffer {
    return this.#room;
  }

  push(piece: Buffer): undefined {
    this.#reader.push(piece);
  }

  get skippableBytes(): number {
    return this.#reader.skippableBytes;
  }

  skip(bytes: number): void {
    this.#reader.skip(bytes);
  }

  chunk(header: ChunkHeader, spanBytes: number): PayloadUse {
    this.#table.apply(header, spanBytes);
    return 'pass';
  }

  payload(): void {
    // Passed over.
  }

  chunkEnd(): void {
    // Passed over.
  }
}
