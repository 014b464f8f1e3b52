import type { DecryptionKey } from '../codec/codec.js';
import type { ExtractOptions } from './extract-options.js';
import type { VerifyOptions } from './verify-options.js';
import type { BackupFinding } from '../backup/backup-state.js';
import type { ErrorRecord } from '../errors.js';
import type { StoredPath } from '../format/stored-path.js';
import type { LaneTotals } from './lane.js';

/** One of the pipelines that share the files of an archive. */
export interface PipelineShare {
  index: number;
  /** See {@link WorkBoard}. */
  board: SharedArrayBuffer;
  /** See {@link SharingLimits}. */
  chunkBytesMin: number;
}

/** What a lane can be for. With `share` only files that others have not taken, of an archive whose files do not depend on each other. */
export type LaneJob = { share?: PipelineShare } & (
  { verb: 'extract'; options: ExtractOptions } | { verb: 'verify'; options: VerifyOptions }
);

/** What a lane undoes of the files' layers. */
export function decodingOf(job: LaneJob): { decompress: boolean; key: DecryptionKey | undefined } {
  const { key } = job.options;
  if (job.verb === 'extract') return { decompress: job.options.decompress, key };
  return { decompress: job.options.deep, key: job.options.deep ? key : undefined };
}

/** Most lost files that are named. */
export const MAX_LOST = 10_000;

/** What a lane has to say when it has ended, well or badly. */
export interface LaneResult extends LaneTotals {
  errors: ErrorRecord[];
  /** How many errors there are; `errors` may hold fewer. */
  errorCount: number;
  /** Stored names of files that did not become complete though the reading went on; at most {@link MAX_LOST}. */
  lost: StoredPath[];
  lostCount: number;
  /** The archive ends here, in bytes, in the middle of something, and all that came before was read. */
  cutAt: number | undefined;
  /** It was told to stop before the input's end. */
  stopped: boolean;
  /** Partial files that were left, in the target. */
  partials: StoredPath[];
  digests: Record<string, string>;
  /** What the archive is, by the names of its files, selected or not; undefined where none of it was read. */
  backup: BackupFinding | undefined;
  /** Bytes free in the target's file system; only after a dry run. */
  freeBytes: number | undefined;
  /** What it was shared by: see {@link WorkPlan}; undefined where it was not. */
  plan: { signature: number; files: number } | undefined;
}
