import { zeros } from '../format/zeros.js';

const BLOCK_BYTES = 512;
/** More parts than this make a map that nobody wrote in earnest. */
const PAIRS_MAX = 1024 * 1024;
const DIGITS_MAX = 16;
const NEWLINE = 0x0a;
const DIGIT_0 = 0x30;

/**
 * Gives a sparse file its holes back (GNU tar manual, "PAX Format, Version 1.0"). Its stored content begins with a map: the
 * number of parts, and of each its start and length, a decimal number a line, filled up to whole blocks. The parts follow.
 */
export class TarSparseContent {
  readonly #sizeBytes: number;
  readonly #emit: (bytes: Buffer) => void;
  /** Bytes of the parts and of what is left of the map. */
  #left: number;
  #mapBytes = 0;
  #value = 0;
  #digits = 0;
  #pairs: number | undefined;
  readonly #map: number[] = [];
  #partBytes = 0;
  #state: 'map' | 'padding' | 'parts' = 'map';
  /** The part that is being read. */
  #at = 0;
  #position = 0;

  /**
   * @param sizeBytes of the file
   * @param storedBytes of what {@link push} will be given in all
   * @param emit takes the file's content, holes as zeros; `bytes` are lent until it returns
   */
  constructor(sizeBytes: number, storedBytes: number, emit: (bytes: Buffer) => void) {
    this.#sizeBytes = sizeBytes;
    this.#left = storedBytes;
    this.#emit = emit;
  }

  /** @returns false when the map makes no sense */
  push(bytes: Buffer): boolean {
    let at = 0;
    for (; this.#state === 'map' && at < bytes.length; at += 1) {
      this.#mapBytes += 1;
      if (!this.#takeMap(bytes[at]!)) return false;
    }
    if (this.#state === 'padding') {
      const rest = Math.min(bytes.length - at, (BLOCK_BYTES - (this.#mapBytes % BLOCK_BYTES)) % BLOCK_BYTES);
      this.#mapBytes += rest;
      at += rest;
      if (this.#mapBytes % BLOCK_BYTES === 0) {
        this.#state = 'parts';
        if (this.#partBytes !== this.#left - this.#mapBytes) return false;
      }
    }
    return at === bytes.length || this.#takeParts(bytes.subarray(at));
  }

  /** All has come. @returns false when the map has not */
  end(): boolean {
    if (this.#state !== 'parts') return false;
    this.#zeros(this.#sizeBytes);
    return true;
  }

  #takeMap(byte: number): boolean {
    if (byte !== NEWLINE) {
      this.#value = this.#value * 10 + byte - DIGIT_0;
      this.#digits += 1;
      return byte >= DIGIT_0 && byte <= DIGIT_0 + 9 && this.#digits <= DIGITS_MAX;
    }
    const value = this.#value;
    if (this.#digits === 0 || !Number.isSafeInteger(value)) return false;
    this.#value = 0;
    this.#digits = 0;
    if (this.#pairs === undefined) this.#pairs = value;
    else if (!this.#takeBound(value)) return false;
    if (this.#map.length === 2 * this.#pairs) this.#state = 'padding';
    return this.#pairs <= PAIRS_MAX;
  }

  /** The start or the length of a part. */
  #takeBound(value: number): boolean {
    const map = this.#map;
    map.push(value);
    if (map.length % 2 === 1) return map.length === 1 || value >= map.at(-3)! + map.at(-2)!;
    // Each part begins in a block of its own: only the last one with content may end inside a block.
    const isAligned = value === 0 || this.#partBytes % BLOCK_BYTES === 0;
    this.#partBytes += value;
    return isAligned && map.at(-2)! + value <= this.#sizeBytes;
  }

  #takeParts(bytes: Buffer): boolean {
    for (let at = 0; at < bytes.length;) {
      const [start, length] = [this.#map[this.#at], this.#map[this.#at + 1]];
      if (start === undefined || length === undefined) return false;
      this.#zeros(start);
      const part = bytes.subarray(at, at + start + length - this.#position);
      if (part.length > 0) this.#emit(part);
      this.#position += part.length;
      at += part.length;
      if (this.#position === start + length) this.#at += 2;
    }
    return true;
  }

  #zeros(end: number): void {
    for (const bytes of zeros(end - this.#position)) {
      this.#emit(bytes);
      this.#position += bytes.length;
    }
  }
}
