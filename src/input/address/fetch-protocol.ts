/** The protocol between a thread that reads an archive at an address and the thread that fetches it. */
import type { ErrorRecord } from '../../errors.js';
import type { StoredPath } from '../../format/stored-path.js';
import type { StoredObject } from '../parts/object-layout.js';
import type { Address } from './address.js';

/** What the thread is started with. */
export interface FetchData {
  address: Address;
  timeoutMs: number;
  /** {@link FetchNews}. */
  news: SharedArrayBuffer;
  /** For the first {@link HEAD_BYTES}: {@link RangeMemory}. */
  head: SharedArrayBuffer;
}

/** What both see of each other, as int32 in shared memory. */
export const FetchNews = {
  /** Changed after anything has come. */
  COUNT: 0,
  /** How long the server takes until it begins to answer, in microseconds; 0 until that is known. */
  LATENCY_US: 1,
  /** The range that the reader waits for, and how many of its bytes: it is not woken before. */
  WANTED_RANGE: 2,
  WANTED_BYTES: 3,
  BYTES: 16,
} as const;

/** What it is told. */
export type FetchTask =
  /** Fetch a range into memory for it: {@link RangeMemory}. */
  | { kind: 'fetch'; id: number; start: number; end: number; memory: SharedArrayBuffer }
  /** The rest of a range is not wanted any more. */
  | { kind: 'drop'; id: number }
  /** Of what comes as a whole so many bytes were taken in all. */
  | { kind: 'taken'; bytes: number };

/** What lies at an address. */
export interface FoundObject {
  /** Its size; undefined where the server does not say. */
  sizeBytes: number | undefined;
  /** Whether it can be read by position. If not, all of it comes with the answer to the first question. */
  hasRanges: boolean;
  /** What it is made of, where it lies as objects. */
  objects?: FoundObjects;
}

/** The objects of a backup. */
export interface FoundObjects {
  found: readonly StoredObject[];
  /** Names of objects that there must be, as far as that is known. */
  expected: readonly StoredPath[];
}

/** What it answers. That bytes of a range have come is told by their memory. */
export type FetchAnswer =
  | { kind: 'found'; object: FoundObject }
  /** The next bytes of what comes as a whole. */
  | { kind: 'bytes'; bytes: Uint8Array<ArrayBuffer> }
  /** What comes as a whole has ended. */
  | { kind: 'end' }
  | { kind: 'failed'; error: ErrorRecord };

/** How much of the beginning is requested to find out what is there: a small archive has come as a whole then. */
export const HEAD_BYTES = 64 * 1024;

/** Of what comes as a whole so many bytes are under way at most. */
export const WHOLE_BYTES_MAX = 16 * 1024 * 1024;
