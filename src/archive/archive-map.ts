/**
 * Where in an archive the chunks of each file lie, and what of it is damaged, in parts of equal size: how large the archive
 * is need not be known before, and what is kept of a file does not grow with its chunks.
 */
import { chunkEnd, type ChunkHeader } from '../format/chunk.js';

/** An archive is shown in so many cells at most, and, where it is not very small, in at least half as many. */
const MAX_CELLS = 1024;
const FIRST_CELL_BYTES = 512;

/** A part of an archive. */
export interface MapCell {
  /** The files that have chunks in it, by the ordinals of their entries, and how many bytes these have there. */
  files: ReadonlyMap<number, number>;
  /** Something in it cannot be read, or is not what its checksum says. */
  damaged: boolean;
}

/** A cell that grows. */
interface Cell extends MapCell {
  files: Map<number, number>;
}

export class ArchiveMap {
  #cellBytes = FIRST_CELL_BYTES;
  #cells: Cell[] = [];
  /** The last chunk: it ends where the next one begins, whatever it says itself. */
  #last: { from: number; to: number; ordinal: number | undefined; damaged: boolean } | undefined;

  /** Bytes of the archive in each cell; in the last one there may be fewer. */
  get cellBytes(): number {
    return this.#cellBytes;
  }

  get cells(): readonly MapCell[] {
    return this.#cells;
  }

  /** A chunk begins. */
  chunk(header: ChunkHeader): void {
    this.#closeLast(header.archiveOffset);
    this.#last = { from: header.archiveOffset, to: chunkEnd(header), ordinal: undefined, damaged: false };
  }

  /** It is of this entry. */
  owned(ordinal: number): void {
    this.#last!.ordinal = ordinal;
  }

  /** Something is wrong at this place: with all of the last chunk, if it begins there. */
  damage(archiveOffset: number): void {
    if (this.#last?.from === archiveOffset) this.#last.damaged = true;
    else this.#note(archiveOffset, archiveOffset + 1, undefined, true);
  }

  /** The archive ends here, in bytes. */
  end(archiveBytes: number): void {
    this.#closeLast(archiveBytes);
    this.#last = undefined;
    this.#cells.length = Math.min(this.#cells.length, Math.ceil(archiveBytes / this.#cellBytes));
  }

  /** The last chunk goes no further than to this place; and where it ends before, nothing is known of what is between. */
  #closeLast(place: number): void {
    const { from, to, ordinal, damaged } = this.#last ?? { from: 0, to: 0, ordinal: undefined, damaged: false };
    this.#note(from, Math.min(to, place), ordinal, damaged);
    this.#note(to, place, undefined, true);
  }

  #note(from: number, to: number, ordinal: number | undefined, damaged: boolean): void {
    if (from >= to) return;
    while (to > MAX_CELLS * this.#cellBytes) this.#halve();
    const last = Math.ceil(to / this.#cellBytes) - 1;
    for (let index = Math.floor(from / this.#cellBytes); index <= last; index += 1) {
      const start = index * this.#cellBytes;
      const cell = this.#cellAt(index);
      cell.damaged ||= damaged;
      if (ordinal === undefined) continue;
      const bytes = Math.min(to, start + this.#cellBytes) - Math.max(from, start);
      cell.files.set(ordinal, (cell.files.get(ordinal) ?? 0) + bytes);
    }
  }

  #cellAt(index: number): Cell {
    while (this.#cells.length <= index) this.#cells.push({ files: new Map(), damaged: false });
    return this.#cells[index]!;
  }

  /** Makes one cell of two. */
  #halve(): void {
    const cells: Cell[] = [];
    this.#cells.forEach((cell, index) => {
      if (index % 2 === 0) {
        cells.push(cell);
        return;
      }
      const before = cells.at(-1)!;
      before.damaged ||= cell.damaged;
      for (const [ordinal, bytes] of cell.files) before.files.set(ordinal, (before.files.get(ordinal) ?? 0) + bytes);
    });
    this.#cells = cells;
    this.#cellBytes *= 2;
  }
}
