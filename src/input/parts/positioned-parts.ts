/** Several things that are read by position, one behind the other, as if they were one. */
import { XbstreamError } from '../../errors.js';
import { firstIndex } from '../../format/first-index.js';
import type { PositionedBytes, Span } from '../positioned.js';

/** One of them. */
export interface Part {
  /** For messages. */
  readonly name: string;
  readonly bytes: number;
  /** @throws XbstreamError `XB_IO` */
  open(): PositionedBytes;
}

/** The most that are open at a time: there may be a million of them, and they are read one after the other. */
const OPEN_MAX = 4;

export class PositionedParts implements PositionedBytes {
  readonly endBytes: number;
  readonly #parts: readonly Part[];
  /** Where each begins, in bytes. */
  readonly #starts: Float64Array;
  /** By their places, that which was not used for longest first. */
  readonly #open = new Map<number, PositionedBytes>();
  /** The part that was read last. */
  #current = 0;
  readonly #note: string;
  readonly #whole: PositionedBytes | undefined;

  /**
   * @param note what else to say of a place
   * @param whole all of them as one, where that is fetched ahead; closed at the end
   */
  constructor(parts: readonly Part[], note: string, whole?: PositionedBytes) {
    this.#parts = parts;
    this.#note = note;
    this.#whole = whole;
    this.#starts = new Float64Array(parts.length);
    let endBytes = 0;
    for (const [index, { bytes }] of parts.entries()) {
      this.#starts[index] = endBytes;
      endBytes += bytes;
    }
    this.endBytes = endBytes;
  }

  read(memory: Buffer, at: number, bytes: number, position: number): number {
    let done = 0;
    while (done < bytes) {
      const index = this.#indexAt(position + done);
      if (index === undefined) break;
      const part = this.#parts[index]!;
      const inPart = position + done - this.#starts[index]!;
      const wanted = Math.min(bytes - done, part.bytes - inPart);
      const count = this.#opened(index).read(memory, at + done, wanted, inPart);
      if (count === 0) throw new XbstreamError('XB_IO', `${part.name} has become shorter while it was being read`);
      done += count;
      // Over a network the rest may still be on its way.
      if (count < wanted) break;
    }
    return done;
  }

  expect(spans: readonly Span[]): void {
    this.#whole?.expect?.(spans);
  }

  placeOf(position: number): string | undefined {
    const index = this.#indexAt(position) ?? this.#parts.length - 1;
    const part = this.#parts[index];
    return part && `byte ${position - this.#starts[index]!} of ${part.name}${this.#note}`;
  }

  close(): void {
    for (const opened of this.#open.values()) opened.close();
    this.#open.clear();
    this.#whole?.close();
  }

  #opened(index: number): PositionedBytes {
    const known = this.#open.get(index);
    if (known !== undefined && index === this.#current) return known;
    this.#current = index;
    this.#open.delete(index);
    const [oldest] = this.#open;
    if (this.#open.size >= OPEN_MAX && oldest !== undefined) {
      oldest[1].close();
      this.#open.delete(oldest[0]);
    }
    const opened = known ?? this.#parts[index]!.open();
    this.#open.set(index, opened);
    return opened;
  }

  /** The part that has a byte. */
  #indexAt(position: number): number | undefined {
    if (this.#has(this.#current, position)) return this.#current;
    if (position < 0 || position >= this.endBytes) return undefined;
    return firstIndex(this.#starts.length, (index) => this.#starts[index]! > position) - 1;
  }

  #has(index: number, position: number): boolean {
    const start = this.#starts[index];
    return start !== undefined && position >= start && position < start + this.#parts[index]!.bytes;
  }
}
