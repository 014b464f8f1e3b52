import { errorFromRecord } from '../../errors.js';
import { Helper } from '../../threads/helper.js';
import type { PositionedBytes } from '../positioned.js';
import {
  FETCHED_PIECE_BYTES,
  HEAD_BYTES,
  WHOLE,
  type FetchAnswer,
  type FetchData,
  type FetchTask,
} from './fetch-protocol.js';
import { Foretelling } from './foretelling.js';
import type { FoundObject } from './range-client.js';

/** So much is fetched ahead of who reads on and on, in ranges of up to an eighth of it: 8 ranges are under way. */
const AHEAD_BYTES_MAX = 64 * 1024 * 1024;
const RANGES_AHEAD = 8;
const RANGE_BYTES_MIN = 64 * 1024;
/** What was read stays for a while: who looks for something goes back a little. */
const BEHIND_BYTES = 2 * 1024 * 1024;
/** Who reads less than this at a place, and goes on elsewhere, wants headers. */
const HOP_BYTES = 64 * 1024;
/** So much is fetched of a place that was foretold, of it so much before it. */
const FORETOLD_BYTES = 4096;
const BEFORE_FORETOLD_BYTES = 1024;
/** More small pieces are not kept. */
const SMALL_PIECES_MAX = 512;

/** Bytes that have come. */
interface Piece {
  start: number;
  bytes: Uint8Array<ArrayBuffer>;
}

/** A range that is on its way. */
interface Range {
  id: number;
  /** Of the next byte to come. */
  next: number;
  end: number;
}

/**
 * What lies at an address, read by position: a thread fetches ranges, and this one waits for it in calls. It fetches ahead
 * of who reads on, and foretells where who hops from header to header will look next.
 */
export class RemoteBytes implements PositionedBytes {
  readonly #helper: Helper<FetchData, FetchTask, FetchAnswer>;
  readonly #isStopped: () => boolean;
  readonly #foretelling = new Foretelling();
  #object: FoundObject = { sizeBytes: 0, hasRanges: true };
  /** In the order in which they came. */
  #pieces: Piece[] = [];
  readonly #ranges = new Map<number, Range>();
  #lastId = WHOLE;
  /** Memory of pieces that nobody needs any more. */
  #spare: ArrayBuffer[] = [];
  /** Where who reads on and on began, and where the next byte of that stands. */
  #runStart = 0;
  #runEnd = 0;
  /** Up to here all was fetched, or is on its way, for who reads on. */
  #aheadEnd = 0;
  /** Of what comes as a whole: how much has come, and whether that is all. */
  #comeBytes = 0;
  #hasEnded = false;

  /**
   * Connects, and waits until it is known what is there.
   *
   * @param isStopped asked while it waits
   * @throws XbstreamError `XB_IO`, `XB_USAGE`
   */
  constructor(data: FetchData, isStopped: () => boolean) {
    this.#isStopped = isStopped;
    const module = new URL('./fetch-thread.js', import.meta.url);
    this.#helper = new Helper(module, { name: 'the fetching thread', data, decodes: true });
    this.#helper.unref();
    try {
      for (let answer = this.#wait(); answer !== undefined && answer.kind !== 'found'; answer = this.#wait());
    } catch (error) {
      this.close();
      throw error;
    }
    const first = Math.min(HEAD_BYTES, this.endBytes);
    if (this.hasRanges && first > 0) this.#ranges.set(WHOLE, { id: WHOLE, next: 0, end: first });
    this.#aheadEnd = first;
  }

  /** Whether it can be read by position; if not, only on and on. */
  get hasRanges(): boolean {
    return this.#object.hasRanges;
  }

  get endBytes(): number {
    return this.#object.sizeBytes ?? this.#comeBytes;
  }

  /** At least one byte, where there is one, and perhaps fewer than wanted: those that have come. */
  read(memory: Buffer, at: number, bytes: number, position: number | null): number {
    return this.hasRanges ? this.#readAt(memory, at, bytes, position!) : this.#readOn(memory, at, bytes);
  }

  #readAt(memory: Buffer, at: number, bytes: number, position: number): number {
    const wanted = Math.min(bytes, this.endBytes - position);
    if (wanted <= 0) return 0;
    if (position !== this.#runEnd) this.#jump(position, wanted);
    for (;;) {
      const piece = this.#pieceAt(position);
      if (piece !== undefined) {
        const from = position - piece.start;
        const count = Math.min(wanted, piece.bytes.length - from);
        memory.set(piece.bytes.subarray(from, from + count), at);
        this.#runEnd = position + count;
        this.#fetchAhead();
        this.#forget();
        return count;
      }
      if (!this.#isComing(position)) this.#fetch(position, position + this.#demand(wanted, position));
      if (this.#wait() === undefined) return 0;
    }
  }

  #readOn(memory: Buffer, at: number, bytes: number): number {
    for (;;) {
      const piece = this.#pieceAt(this.#runEnd);
      if (piece !== undefined) {
        const from = this.#runEnd - piece.start;
        const count = Math.min(bytes, piece.bytes.length - from);
        memory.set(piece.bytes.subarray(from, from + count), at);
        this.#runEnd += count;
        if (from + count === piece.bytes.length) {
          this.#pieces.shift();
          this.#helper.tell({ kind: 'taken', bytes: this.#runEnd });
        }
        return count;
      }
      if (this.#hasEnded || this.#wait() === undefined) return 0;
    }
  }

  /** How much to fetch of what nobody has foreseen. */
  #demand(wanted: number, position: number): number {
    const run = Math.min(position - this.#runStart, AHEAD_BYTES_MAX / RANGES_AHEAD);
    return Math.min(this.endBytes - position, Math.max(wanted, FORETOLD_BYTES, run));
  }

  /** Somebody goes on elsewhere. */
  #jump(position: number, wanted: number): void {
    const isKnown = this.#pieceAt(position) !== undefined || this.#isComing(position);
    // What is on its way for who read on is not wanted any more, unless it is what is read now.
    for (const { id, next, end } of this.#ranges.values()) {
      if (end - next <= HOP_BYTES || (position < end && position + AHEAD_BYTES_MAX > next)) continue;
      this.#ranges.delete(id);
      this.#helper.tell({ kind: 'drop', id });
    }
    const isHop = wanted < HOP_BYTES;
    this.#runStart = this.#runEnd = position;
    this.#aheadEnd = position;
    if (!isKnown) {
      const bytes = this.#demand(wanted, position);
      this.#fetch(position, position + bytes);
    }
    if (!isHop) return;
    for (const place of this.#foretelling.hop(position, isKnown)) {
      const start = place - BEFORE_FORETOLD_BYTES;
      if (start < this.endBytes) this.#fetch(start, Math.min(this.endBytes, start + FORETOLD_BYTES));
    }
  }

  /** Fetches on, twice as much as was read in one go. */
  #fetchAhead(): void {
    const run = this.#runEnd - this.#runStart;
    if (run < HOP_BYTES) return;
    const ahead = Math.min(AHEAD_BYTES_MAX, 2 * run);
    const range = Math.max(RANGE_BYTES_MIN, Math.floor(ahead / RANGES_AHEAD));
    const target = Math.min(this.endBytes, this.#runEnd + ahead);
    this.#aheadEnd = Math.max(this.#aheadEnd, this.#comeEnd());
    while (this.#aheadEnd < target) {
      const end = Math.min(this.endBytes, this.#aheadEnd + range);
      // Not a bit at a time.
      if (end > target && this.#aheadEnd > this.#runEnd) return;
      this.#fetch(this.#aheadEnd, end);
      this.#aheadEnd = end;
    }
  }

  /** Up to where all is there, or on its way, behind what was read. */
  #comeEnd(): number {
    let end = this.#runEnd;
    for (;;) {
      const piece = this.#pieceAt(end);
      const range = piece === undefined ? this.#rangeAt(end) : undefined;
      if (piece === undefined && range === undefined) return end;
      end = piece === undefined ? range!.end : piece.start + piece.bytes.length;
    }
  }

  #fetch(start: number, end: number): void {
    this.#lastId += 1;
    const id = this.#lastId;
    this.#ranges.set(id, { id, next: start, end });
    const memory = this.#spare;
    this.#spare = [];
    this.#helper.tell({ kind: 'fetch', id, start, end, memory }, memory);
  }

  #pieceAt(position: number): Piece | undefined {
    return this.#pieces.find(({ start, bytes }) => position >= start && position < start + bytes.length);
  }

  #rangeAt(position: number): Range | undefined {
    for (const range of this.#ranges.values()) if (position >= range.next && position < range.end) return range;
    return undefined;
  }

  #isComing(position: number): boolean {
    return this.#rangeAt(position) !== undefined;
  }

  /** Waits for the next answer, and takes note of it. @returns undefined when it is to stop */
  #wait(): FetchAnswer | undefined {
    const answer = this.#helper.waitUnless(this.#isStopped);
    switch (answer?.kind) {
      case 'found':
        this.#object = answer.object;
        break;
      case 'bytes':
        this.#come(answer.id, answer.bytes);
        break;
      case 'end':
        this.#hasEnded = true;
        break;
      case 'failed':
        throw errorFromRecord(answer.error);
      case undefined:
        break;
    }
    return answer;
  }

  #come(id: number, bytes: Uint8Array<ArrayBuffer>): void {
    if (!this.hasRanges) {
      this.#pieces.push({ start: this.#comeBytes, bytes });
      this.#comeBytes += bytes.length;
      return;
    }
    const range = this.#ranges.get(id);
    // It was dropped meanwhile.
    if (range === undefined) return;
    this.#pieces.push({ start: range.next, bytes });
    range.next += bytes.length;
    if (range.next === range.end) this.#ranges.delete(id);
  }

  /** Lets go of what lies behind who reads, and of more than can be of use. */
  #forget(): void {
    const isNear = ({ start, bytes }: Piece): boolean =>
      start + bytes.length > this.#runEnd - BEHIND_BYTES && start < this.#runEnd + AHEAD_BYTES_MAX;
    const isOld = (piece: Piece): boolean => piece.bytes.length > FORETOLD_BYTES && !isNear(piece);
    if (!this.#pieces.some(isOld) && this.#pieces.length <= SMALL_PIECES_MAX) return;
    const old = this.#pieces.filter(isOld);
    for (const { bytes } of old) if (bytes.buffer.byteLength === FETCHED_PIECE_BYTES) this.#spare.push(bytes.buffer);
    this.#pieces = this.#pieces.filter((piece) => !isOld(piece)).slice(-SMALL_PIECES_MAX);
  }

  close(): void {
    this.#helper.terminate();
  }
}
