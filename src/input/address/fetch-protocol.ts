/** What who reads an archive by its address, and the thread that fetches it, say to each other. */
import type { ErrorRecord } from '../../errors.js';
import type { Address } from './address.js';
import type { FoundObject } from './range-client.js';

/** What the thread is started with. */
export interface FetchData {
  address: Address;
  timeoutMs: number;
}

/** What it is told. */
export type FetchTask =
  /** Fetch a range. @param memory pieces that it may use again */
  | { kind: 'fetch'; id: number; start: number; end: number; memory: readonly ArrayBuffer[] }
  /** The rest of a range is not wanted any more. */
  | { kind: 'drop'; id: number }
  /** Of what comes as a whole so many bytes were taken in all. */
  | { kind: 'taken'; bytes: number };

/** What it answers. */
export type FetchAnswer =
  | { kind: 'found'; object: FoundObject }
  /** The next bytes of a range, or of what comes as a whole ({@link WHOLE}). */
  | { kind: 'bytes'; id: number; bytes: Uint8Array<ArrayBuffer> }
  /** What comes as a whole has ended. */
  | { kind: 'end' }
  | { kind: 'failed'; error: ErrorRecord };

/** So much of the beginning is asked for to find out what is there: a small archive is whole then. */
export const HEAD_BYTES = 64 * 1024;

/** The number of what comes with the answer to the first question. */
export const WHOLE = 0;

/** Bytes come in pieces of so many: each costs a message. */
export const FETCHED_PIECE_BYTES = 1024 * 1024;
/** Of what comes as a whole so many bytes are under way at most. */
export const WHOLE_BYTES_MAX = 16 * 1024 * 1024;
