/** What the thread that has a task done, and the thread that does it, say to each other. */
import type { ErrorRecord } from '../errors.js';
import type { StoredPath } from '../format/stored-path.js';

/** What the thread of a task is told first. */
export interface TaskStart<Options> {
  options: Options;
  /** Say which files are done. */
  tellFiles: boolean;
  /** See {@link TaskControl}. */
  control: SharedArrayBuffer;
  /** Let others have the thread now and then: signals are handled in it. */
  pauses: boolean;
}

/** What it says. */
export type TaskMessage =
  | { type: 'files'; paths: StoredPath[]; bytes: number[] }
  | { type: 'warning'; message: string }
  /** Items of a list of the summary, or of the problems; the next part comes when this has been answered with `next`. */
  | { type: 'part'; list: string; items: readonly unknown[] }
  /** With the lists that have not come in parts. */
  | { type: 'end'; summary: unknown; problems: readonly ErrorRecord[]; stopped: boolean };

/** What is said to it. */
export type TaskCommand = 'stop' | 'next';

/** Longer lists come in parts of so many items: the thread that takes them has other things to do. */
export const PART_ITEMS = 500;
/** The name of the list of problems. */
export const PROBLEMS = 'problems of the outcome';
