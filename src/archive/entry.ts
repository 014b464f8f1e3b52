import type { StoredPath } from '../format/stored-path.js';
import { Coverage, type RangeBudget } from './coverage.js';
import type { ChunkOrder } from './salvage/chunk-order.js';

const WHOLE = 1;
const WRITTEN = 2;
const SPARSE = 4;
const DOUBTED = 8;
const END_ONLY = 16;
const REFUSED = 32;
const TORN = 64;

/** A stored file, as far as the archive has told of it. */
export class Entry<Content> {
  /** In which order the archive's entries began, from 0. A rewritten file is a new entry. */
  readonly ordinal: number;
  /** Its name at this point of the archive. */
  path: StoredPath;
  /** Size of the file in bytes, holes included; grows while the entry is open. */
  sizeBytes = 0;
  chunks = 0;
  /** As long as it is open; kept by the code that asks for it. */
  order: ChunkOrder | undefined;
  /** Where the archive first mentions it, in bytes. */
  readonly archiveOffset: number;
  /** What the reader of the archive keeps with it. */
  content: Content | undefined;

  /** What of it has come; no longer kept when it is whole. */
  coverage: Coverage | undefined;

  /** What is true of it, a bit each: there is one entry for every file of an archive as long as it is read. */
  #bits: number;

  constructor(ordinal: number, path: StoredPath, archiveOffset: number, budget: RangeBudget, endOnly: boolean) {
    this.ordinal = ordinal;
    this.path = path;
    this.archiveOffset = archiveOffset;
    this.coverage = new Coverage(budget);
    this.#bits = endOnly ? END_ONLY : 0;
  }

  /** Its end chunk has come. */
  get whole(): boolean {
    return (this.#bits & WHOLE) !== 0;
  }

  /** Its {@link content} is complete. */
  get isWritten(): boolean {
    return (this.#bits & WRITTEN) !== 0;
  }

  /** It has chunks that may leave holes. */
  get sparse(): boolean {
    return (this.#bits & SPARSE) !== 0;
  }

  /** Which of its bytes have come is not known: a damaged chunk told a wrong length. */
  get isDoubted(): boolean {
    return (this.#bits & DOUBTED) !== 0;
  }

  /** It has nothing but an end chunk: it is empty, or all its chunks were given another name by damage. */
  get endOnly(): boolean {
    return (this.#bits & END_ONLY) !== 0;
  }

  /** There can be no such file beside others of the archive. */
  get isRefused(): boolean {
    return (this.#bits & REFUSED) !== 0;
  }

  /** More of it came after its end chunk: that was another's, or its own came too early. */
  get isTorn(): boolean {
    return (this.#bits & TORN) !== 0;
  }

  tear(): void {
    this.#bits |= TORN;
  }

  refuse(): void {
    this.#bits |= REFUSED;
    this.close();
  }

  /** Nothing more is expected of it. */
  close(): void {
    this.#bits |= WHOLE;
    this.coverage?.release();
    this.coverage = undefined;
  }

  markWritten(): void {
    this.#bits |= WRITTEN;
  }

  /** What it was taken for whole is not known any more. */
  unmarkWritten(): void {
    this.#bits &= ~WRITTEN;
  }

  markSparse(): void {
    this.#bits |= SPARSE;
  }

  doubt(): void {
    this.#bits |= DOUBTED;
  }
}
