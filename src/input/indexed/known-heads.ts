/** The heads of an archive's chunks by where they stand, in little room: a part of them at a time. */
import { chunkEnd } from '../../format/chunk.js';
import { firstIndex } from '../../format/first-index.js';
import type { ChunkHead, HeadPlace, IndexFile } from './index-file.js';
import { BLOCK_BYTES } from './layout.js';

/** Heads that follow each other, from a place that is known to the next one. */
interface HeadGroup {
  blocks: Buffer[];
  /** Of each head: where its chunk begins, which block it lies in, where in that, and how long its header is. */
  archiveOffsets: number[];
  blockOf: number[];
  starts: number[];
  headerBytes: number[];
  /** Archive offset behind the last chunk. */
  endOffset: number;
}

export class KnownHeads {
  readonly #index: IndexFile;
  /** Where to begin again, in order: not more than one for each full block. */
  readonly #places: HeadPlace[] = [];
  /** The last place is the last that there is. */
  #isComplete = false;
  #group: HeadGroup | undefined;

  constructor(index: IndexFile) {
    this.#index = index;
  }

  /** All of them, in the order of the archive. @throws XbstreamError `XB_BAD_INDEX` as {@link IndexFile.heads} */
  *all(): Iterable<ChunkHead> {
    for (const head of this.#index.heads()) {
      if (head.place !== undefined) this.#note(head.place);
      yield head;
    }
    this.#isComplete = true;
  }

  #findAllPlaces(): void {
    for (const { place } of this.#index.heads()) if (place !== undefined) this.#note(place);
    this.#isComplete = true;
  }

  #note(place: HeadPlace): void {
    const last = this.#places.at(-1);
    if (last === undefined || place.headBytes >= last.headBytes + BLOCK_BYTES) this.#places.push(place);
  }

  /** Where the chunk ends that a place in the archive lies in. */
  chunkEnd(archiveOffset: number): number {
    const { archiveOffsets, endOffset } = this.#groupAt(archiveOffset);
    return (
      archiveOffsets[firstIndex(archiveOffsets.length, (head) => archiveOffsets[head]! > archiveOffset)] ?? endOffset
    );
  }

  /** Where in a part of the archive the first header stands that is not the known one. */
  differing(bytes: Buffer, archiveOffset: number): number | undefined {
    const end = archiveOffset + bytes.length;
    for (let from = archiveOffset; from < Math.min(end, this.#index.archiveBytes);) {
      const group = this.#groupAt(from);
      const { archiveOffsets, headerBytes } = group;
      const first = firstIndex(archiveOffsets.length, (head) => archiveOffsets[head]! >= from);
      for (let head = first; head < archiveOffsets.length; head += 1) {
        const offset = archiveOffsets[head]!;
        const headerEnd = offset + headerBytes[head]!;
        if (headerEnd > end) return undefined;
        const start = group.starts[head]!;
        const known = group.blocks[group.blockOf[head]!]!.subarray(start, start + headerBytes[head]!);
        // The map behind it is held by the checksum of the chunk.
        if (known.compare(bytes, offset - archiveOffset, headerEnd - archiveOffset) !== 0) return offset;
      }
      from = group.endOffset;
    }
    return undefined;
  }

  #groupAt(archiveOffset: number): HeadGroup {
    const known = this.#group;
    if (known !== undefined && has(known, archiveOffset)) return known;
    const last = this.#places.at(-1);
    // A first reading of the archive looks for what lies right before its position.
    if (!this.#isComplete && (last === undefined || last.archiveOffset < archiveOffset)) {
      const group = last && this.#read(last);
      if (group !== undefined && has(group, archiveOffset)) return (this.#group = group);
      this.#findAllPlaces();
    }
    const at = firstIndex(this.#places.length, (place) => this.#places[place]!.archiveOffset > archiveOffset);
    return (this.#group = this.#read(this.#places[at - 1] ?? this.#places[0], this.#places[at]));
  }

  /** @param next where the group ends; missing where as much as a block is enough */
  #read(from: HeadPlace | undefined, next?: HeadPlace): HeadGroup {
    const group: HeadGroup = {
      blocks: [],
      archiveOffsets: [],
      blockOf: [],
      starts: [],
      headerBytes: [],
      endOffset: from?.archiveOffset ?? 0,
    };
    for (const { header, block, start, place } of this.#index.heads(from)) {
      if (place !== undefined) {
        if (place.at === next?.at) break;
        if (!this.#isComplete && place.headBytes >= (from?.headBytes ?? 0) + BLOCK_BYTES) break;
        group.blocks.push(block);
      }
      group.archiveOffsets.push(header.archiveOffset);
      group.blockOf.push(group.blocks.length - 1);
      group.starts.push(start);
      group.headerBytes.push(header.headerBytes);
      group.endOffset = chunkEnd(header);
    }
    return group;
  }
}

function has({ archiveOffsets: [first], endOffset }: HeadGroup, archiveOffset: number): boolean {
  return first !== undefined && archiveOffset >= first && archiveOffset < endOffset;
}
