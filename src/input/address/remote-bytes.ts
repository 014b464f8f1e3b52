/**
 * What lies at an address, read by position: a thread fetches ranges, and this one waits for it in calls. It fetches ahead
 * of a sequential reader, and foretells where one that hops from header to header will look next.
 */
import { errorFromRecord } from '../../errors.js';
import { Helper } from '../../threads/helper.js';
import { copyBytes } from '../../threads/copy-bytes.js';
import type { PositionedBytes, Span } from '../positioned.js';
import type { Address } from './address.js';
import {
  FetchNews,
  HEAD_BYTES,
  type FetchAnswer,
  type FetchData,
  type FetchTask,
  type FoundObject,
  type FoundObjects,
} from './fetch-protocol.js';
import { comeBytes, FetchedRanges, isWhole, type Range } from './fetched-ranges.js';
import { Foretelling } from './foretelling.js';
import { RangeMemory, roomFor } from './range-memory.js';

/** The most that is fetched ahead of a sequential reader, in ranges of up to an eighth of it: 8 ranges are under way. */
const AHEAD_BYTES_MAX = 64 * 1024 * 1024;
const RANGES_AHEAD = 8;
/**
 * A server that answers at once needs less: what comes long before it is read has left the CPU's caches, which takes half as long again
 * over loopback. This is what 4 GB/s bring until the answer begins.
 */
const AHEAD_BYTES_PER_US = 4096;
const AHEAD_BYTES_MIN = 16 * 1024 * 1024;
const RANGE_BYTES_MIN = 64 * 1024;
/** Up to this size a range is a quarter of what is fetched ahead: over loopback a request costs about as much as half a MiB that it brings. */
const QUARTER_BYTES_MAX = 4 * 1024 * 1024;
/** Of what somebody has said that he will read, so many ranges at a time. */
const EXPECTED_RANGES_MAX = 64;
/** What was read stays for a while: a search goes back a little. */
const BEHIND_BYTES = 2 * 1024 * 1024;
/** A reader that reads less than this at a place, and goes on elsewhere, wants headers. */
const HOP_BYTES = 64 * 1024;
/** How much a sequential reader waits for: on a fast network, waking it costs more than receiving a smaller piece. */
const WAITED_BYTES_MAX = 256 * 1024;
/** How much is fetched around a place that was foretold, and how much of that before it. */
const FORETOLD_BYTES = 4096;
const BEFORE_FORETOLD_BYTES = 1024;
/** More small ranges are not kept. */
const SMALL_RANGES_MAX = 512;

export class RemoteBytes implements PositionedBytes {
  readonly #helper: Helper<FetchData, FetchTask, FetchAnswer>;
  readonly #isStopped: () => boolean;
  readonly #foretelling = new Foretelling();
  readonly #news = new Int32Array(new SharedArrayBuffer(FetchNews.BYTES));
  #object: FoundObject = { sizeBytes: 0, hasRanges: true };
  readonly #ranges = new FetchedRanges();
  #lastId = 0;
  /** What will be read, in this order, and is not fetched yet. */
  #expected: Span[] = [];
  /** Where who reads on and on began, and where the next byte of that stands. */
  #runStart = 0;
  #runEnd = 0;
  /** Up to here all was fetched, or is on its way, for sequential reading. */
  #aheadEnd = 0;
  /** What comes as a whole, as it comes: pieces that were not read yet, how much has come, and whether that is all. */
  readonly #pieces: Uint8Array[] = [];
  #comeBytes = 0;
  #hasEnded = false;

  /**
   * Connects, and waits until it is known what is there.
   *
   * @param timeoutMs so long the server may be silent
   * @param isStopped asked while it waits
   * @throws XbstreamError `XB_IO`, `XB_USAGE`
   */
  constructor({ address, timeoutMs }: { address: Address; timeoutMs: number }, isStopped: () => boolean) {
    this.#isStopped = isStopped;
    const head = new RangeMemory(roomFor(HEAD_BYTES));
    const module = new URL('./fetch-thread.js', import.meta.url);
    const data = { address, timeoutMs, news: this.#news.buffer, head: head.shared };
    this.#helper = new Helper(module, { name: 'the fetching thread', data, decodes: true });
    this.#helper.unref();
    let isFound = false;
    try {
      while (!isFound) {
        const { news, answer } = this.#hear();
        isFound = answer?.kind === 'found';
        if (!isFound && answer === undefined && !this.#wait(news)) break;
      }
    } catch (error) {
      this.close();
      throw error;
    }
    const first = Math.min(HEAD_BYTES, this.endBytes);
    if (this.hasRanges && first > 0) this.#ranges.add({ id: 0, start: 0, end: first, isExpected: false }, head);
    this.#aheadEnd = first;
  }

  /** Whether it can be read by position; if not, only on and on. */
  get hasRanges(): boolean {
    return this.#object.hasRanges;
  }

  /** What it is made of, where it lies as objects. */
  get objects(): FoundObjects | undefined {
    return this.#object.objects;
  }

  get endBytes(): number {
    return this.#object.sizeBytes ?? this.#comeBytes;
  }

  /** At least one byte, where there is one, and perhaps fewer than wanted. */
  read(memory: Buffer, at: number, bytes: number, position: number | null): number {
    return this.hasRanges ? this.#readAt(memory, at, bytes, position!) : this.#readOn(memory, at, bytes);
  }

  /** Fetches ahead what will be read, as far as there is room, and nothing else on the way. */
  expect(spans: readonly Span[]): void {
    if (!this.hasRanges) return;
    for (const range of this.#ranges.all) range.isExpected = false;
    this.#expected = spans.map(({ start, end }) => ({ start, end: Math.min(end, this.endBytes) })).reverse();
    this.#fetchExpected();
  }

  #readAt(memory: Buffer, at: number, bytes: number, position: number): number {
    const wanted = Math.min(bytes, this.endBytes - position);
    if (wanted <= 0) return 0;
    if (position !== this.#runEnd) this.#jump(position, wanted);
    for (;;) {
      const { news } = this.#hear();
      const range = this.#ranges.at(position) ?? this.#fetch(position, position + this.#demand(wanted, position));
      const from = position - range.start;
      const count = Math.min(wanted, comeBytes(range) - from);
      const enough = Math.min(wanted, range.end - position, WAITED_BYTES_MAX);
      if (count >= enough) {
        copyBytes(range.memory.bytes(from, from + count), memory, at);
        this.#read(range, position + count);
        return count;
      }
      Atomics.store(this.#news, FetchNews.WANTED_BYTES, from + enough);
      Atomics.store(this.#news, FetchNews.WANTED_RANGE, range.id);
      if (!this.#wait(news)) return 0;
    }
  }

  /** Somebody has read up to a place. */
  #read(range: Range, end: number): void {
    this.#runEnd = end;
    const wasExpected = range.isExpected;
    if (end === range.end) range.isExpected = false;
    if (wasExpected) this.#fetchExpected();
    else this.#fetchAhead();
    this.#forget();
  }

  #readOn(memory: Buffer, at: number, bytes: number): number {
    for (;;) {
      // Before it is heard that no more can be had.
      const piece = this.#pieces[0];
      if (piece !== undefined) {
        const count = Math.min(bytes, piece.length);
        copyBytes(piece.subarray(0, count), memory, at);
        this.#runEnd += count;
        if (count < piece.length) this.#pieces[0] = piece.subarray(count);
        else {
          this.#pieces.shift();
          this.#helper.tell({ kind: 'taken', bytes: this.#runEnd });
        }
        return count;
      }
      if (this.#hasEnded) return 0;
      const { news, answer } = this.#hear();
      if (answer === undefined && !this.#wait(news)) return 0;
    }
  }

  /** How much to fetch of what nobody has foreseen. */
  #demand(wanted: number, position: number): number {
    const run = Math.min(position - this.#runStart, this.#aheadBytesMax / RANGES_AHEAD);
    return Math.min(this.endBytes - position, Math.max(wanted, FORETOLD_BYTES, run));
  }

  /** Somebody goes on elsewhere. */
  #jump(position: number, wanted: number): void {
    const known = this.#ranges.at(position);
    this.#runStart = this.#runEnd = position;
    this.#aheadEnd = position;
    if (known?.isExpected === true) return;
    // What is on its way for sequential reading is not wanted any more, unless it is what is read now.
    const dropped = this.#ranges.remove((range) => {
      const isSmall = range.end - range.start <= HOP_BYTES;
      const isNear = position < range.end && position + AHEAD_BYTES_MAX > range.start;
      return !isSmall && !isNear && !range.isExpected && !isWhole(range);
    });
    for (const { id } of dropped) this.#helper.tell({ kind: 'drop', id });
    if (known === undefined) this.#fetch(position, position + this.#demand(wanted, position));
    if (wanted >= HOP_BYTES) return;
    for (const place of this.#foretelling.hop(position, known !== undefined)) {
      const start = place - BEFORE_FORETOLD_BYTES;
      if (start < this.endBytes) this.#fetch(start, Math.min(this.endBytes, start + FORETOLD_BYTES));
    }
  }

  /** How much to fetch ahead of a sequential reader. */
  get #aheadBytesMax(): number {
    const latencyUs = Atomics.load(this.#news, FetchNews.LATENCY_US);
    return Math.max(AHEAD_BYTES_MIN, Math.min(AHEAD_BYTES_MAX, AHEAD_BYTES_PER_US * latencyUs));
  }

  /** Fetches on, twice as much as was read in one go. */
  #fetchAhead(): void {
    const run = this.#runEnd - this.#runStart;
    if (run < HOP_BYTES) return;
    const ahead = Math.min(this.#aheadBytesMax, 2 * run);
    const quarter = Math.min(QUARTER_BYTES_MAX, Math.floor(ahead / 4));
    const range = Math.max(RANGE_BYTES_MIN, quarter, Math.floor(ahead / RANGES_AHEAD));
    const target = Math.min(this.endBytes, this.#runEnd + ahead);
    this.#aheadEnd = Math.max(this.#aheadEnd, this.#comeEnd(this.#runEnd));
    while (this.#aheadEnd < target) {
      const end = Math.min(this.endBytes, this.#aheadEnd + range);
      // Not a bit at a time.
      if (end > target && this.#aheadEnd > this.#runEnd) return;
      this.#fetch(this.#aheadEnd, end);
      this.#aheadEnd = end;
    }
  }

  /** In as few requests as possible: a reader that says what it will read has no use for more. */
  #fetchExpected(): void {
    let bytes = 0;
    let count = 0;
    for (const { start, end, isExpected } of this.#ranges.all) {
      if (!isExpected) continue;
      bytes += end - start;
      count += 1;
    }
    while (this.#expected.length > 0 && bytes < AHEAD_BYTES_MAX && count < EXPECTED_RANGES_MAX) {
      const span = this.#expected.at(-1)!;
      const start = this.#comeEnd(span.start);
      const end = Math.min(span.end, start + AHEAD_BYTES_MAX / RANGES_AHEAD);
      if (end === span.end || start >= span.end) this.#expected.pop();
      else span.start = end;
      if (start >= end) continue;
      this.#fetch(start, end, true);
      bytes += end - start;
      count += 1;
    }
  }

  /** Up to where all is there, or on its way, from a place on. */
  #comeEnd(position: number): number {
    let end = position;
    for (let range = this.#ranges.at(end); range !== undefined; range = this.#ranges.at(end)) end = range.end;
    return end;
  }

  #fetch(start: number, end: number, isExpected = false): Range {
    this.#lastId += 1;
    const range = this.#ranges.add({ id: this.#lastId, start, end, isExpected });
    this.#helper.tell({ kind: 'fetch', id: range.id, start, end, memory: range.memory.shared });
    return range;
  }

  /** Waits until something has come. @returns false when it is to stop */
  #wait(news: number): boolean {
    if (this.#isStopped()) return false;
    if (this.#helper.presence.waitWhile(this.#news, FetchNews.COUNT, news, this.#isStopped)) return true;
    if (this.#isStopped()) return false;
    throw this.#helper.ended();
  }

  /** Takes note of what the thread has said. @returns the number of the news that this was */
  #hear(): { news: number; answer: FetchAnswer | undefined } {
    const news = Atomics.load(this.#news, FetchNews.COUNT);
    const answer = this.#helper.answerIfAny();
    switch (answer?.kind) {
      case 'found':
        this.#object = answer.object;
        break;
      case 'bytes':
        this.#pieces.push(answer.bytes);
        this.#comeBytes += answer.bytes.length;
        break;
      case 'end':
        this.#hasEnded = true;
        break;
      case 'failed':
        throw errorFromRecord(answer.error);
      case undefined:
        break;
    }
    return { news, answer };
  }

  /** Lets go of what lies behind who reads, and of more than can be of use. */
  #forget(): void {
    const isSmall = ({ start, end }: Range): boolean => end - start <= FORETOLD_BYTES;
    const isOld = (range: Range): boolean =>
      !range.isExpected &&
      !isSmall(range) &&
      (range.end <= this.#runEnd - BEHIND_BYTES || range.start >= this.#runEnd + AHEAD_BYTES_MAX) &&
      isWhole(range);
    const { all } = this.#ranges;
    const excess = all.length - SMALL_RANGES_MAX;
    if (excess <= 0 && !all.some(isOld)) return;
    this.#ranges.remove((range, place) => isOld(range) || (place < excess && isSmall(range) && isWhole(range)));
  }

  close(): void {
    this.#helper.terminate();
  }
}
