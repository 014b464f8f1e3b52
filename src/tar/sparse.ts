/** Sparse files in a tar: where their parts lie, and their content with its holes. */
import { zeros } from '../format/zeros.js';

const BLOCK_BYTES = 512;
/** More parts than this make a map that nobody wrote in earnest. */
const PAIRS_MAX = 1024 * 1024;
const DIGITS_MAX = 16;
const NEWLINE = 0x0a;
const DIGIT_0 = 0x30;

/** Where the parts of a sparse file lie: start and length of each in turn, as a tar states them, one after the other. */
export class SparseBounds {
  readonly bounds: number[] = [];
  /** Bytes of the parts. */
  partBytes = 0;
  readonly #sizeBytes: number;

  /** @param sizeBytes of the file */
  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
  }

  /** The start or the length of a part. @returns false where it cannot be that */
  take(value: number): boolean {
    const { bounds } = this;
    if (bounds.length >= 2 * PAIRS_MAX) return false;
    bounds.push(value);
    if (bounds.length % 2 === 1) return bounds.length === 1 || value >= bounds.at(-3)! + bounds.at(-2)!;
    // Each part begins in a block of its own: only the last one with content may end inside a block.
    const isAligned = value === 0 || this.partBytes % BLOCK_BYTES === 0;
    this.partBytes += value;
    return isAligned && bounds.at(-2)! + value <= this.#sizeBytes;
  }
}

/** Content of a sparse file on its way into a file with holes. */
export interface SparseContent {
  /** @returns false when it makes no sense */
  push(bytes: Buffer): boolean;
  /** All has come. @returns as {@link push} */
  end(): boolean;
}

/** Gives a sparse file its holes back when its map is known. */
export class SparseParts implements SparseContent {
  readonly #sizeBytes: number;
  readonly #bounds: readonly number[];
  readonly #emit: (bytes: Buffer) => void;
  /** The part that is being read. */
  #at = 0;
  #position = 0;

  /**
   * @param sizeBytes of the file
   * @param emit takes the file's content, holes as zeros; `bytes` are lent until it returns
   */
  constructor(sizeBytes: number, { bounds }: SparseBounds, emit: (bytes: Buffer) => void) {
    this.#sizeBytes = sizeBytes;
    this.#bounds = bounds;
    this.#emit = emit;
  }

  push(bytes: Buffer): boolean {
    for (let at = 0; at < bytes.length;) {
      const [start, length] = [this.#bounds[this.#at], this.#bounds[this.#at + 1]];
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

  end(): boolean {
    this.#zeros(this.#sizeBytes);
    return true;
  }

  #zeros(end: number): void {
    for (const bytes of zeros(end - this.#position)) {
      this.#emit(bytes);
      this.#position += bytes.length;
    }
  }
}

/**
 * A sparse file in GNU's newer form (GNU tar manual, "PAX Format, Version 1.0"): its stored content begins with a map, the
 * number of parts, and of each its start and length, a decimal number a line, filled up to whole blocks. The parts follow.
 */
export class TarSparseContent implements SparseContent {
  readonly #parts: SparseParts;
  readonly #map: SparseBounds;
  readonly #storedBytes: number;
  #mapBytes = 0;
  #value = 0;
  #digits = 0;
  #pairs: number | undefined;
  #state: 'map' | 'padding' | 'parts' = 'map';

  /**
   * @param sizeBytes of the file
   * @param storedBytes of what {@link push} will be given in all
   * @param emit as of {@link SparseParts}
   */
  constructor(sizeBytes: number, storedBytes: number, emit: (bytes: Buffer) => void) {
    this.#map = new SparseBounds(sizeBytes);
    this.#parts = new SparseParts(sizeBytes, this.#map, emit);
    this.#storedBytes = storedBytes;
  }

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
        if (this.#map.partBytes !== this.#storedBytes - this.#mapBytes) return false;
      }
    }
    return at === bytes.length || this.#parts.push(bytes.subarray(at));
  }

  end(): boolean {
    return this.#state === 'parts' && this.#parts.end();
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
    else if (!this.#map.take(value)) return false;
    if (this.#map.bounds.length === 2 * this.#pairs) this.#state = 'padding';
    return this.#pairs <= PAIRS_MAX;
  }
}
