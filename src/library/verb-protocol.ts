import type { CatOptions } from '../commands/cat-options.js';
import type { InfoOptions } from '../commands/info-options.js';
import type { ListOptions } from '../commands/list-options.js';
import type { ErrorRecord } from '../errors.js';
import type { RingHandle } from '../input/ring.js';
import type { BackupDescription, ListedCorrection, ListedEntry, Listing, ProgressReport } from '../ui/reporter.js';

/** What a thread that looks into an archive is started with. */
export type VerbTask =
  | { verb: 'list'; options: ListOptions }
  | { verb: 'info'; options: InfoOptions }
  | { verb: 'cat'; options: CatOptions; output: RingHandle };

/** What such a thread says. Long lists come in parts, each when the one before it has been answered with `next`. */
export type VerbMessage =
  | { type: 'progress'; report: ProgressReport }
  | { type: 'warning'; message: string }
  | { type: 'entries'; part: ListedEntry[] }
  | { type: 'corrections'; part: ListedCorrection[] }
  | { type: 'problems'; part: ErrorRecord[] }
  | { type: 'listed'; listing: Omit<Listing, 'entries' | 'corrections'> }
  | { type: 'described'; description: BackupDescription }
  /** `error` is missing when all has gone well. */
  | { type: 'end'; error: ErrorRecord | undefined };

/** What is said to such a thread. */
export type VerbCommand = 'stop' | 'next';
