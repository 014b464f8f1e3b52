import type { ExtractOptions } from '../commands/extract-options.js';
import type { VerifyOptions } from '../commands/verify-options.js';
import type { BackupState } from '../backup/backup-state.js';
import type { ErrorRecord } from '../errors.js';
import type { StoredPath } from '../format/stored-path.js';
import type { LaneTotals } from './lane.js';

/** What a lane can be for. */
export type LaneJob =
  | { verb: 'extract'; options: ExtractOptions }
  /** With `part` only payloads that begin there are looked at, in a seekable input. */
  | { verb: 'verify'; options: VerifyOptions; part?: ArchivePart | undefined };

/** A part of an archive, in bytes from its start; the end is exclusive. */
export interface ArchivePart {
  fromBytes: number;
  toBytes: number;
}

/** What a lane's thread is started with. */
export interface LaneTask {
  job: LaneJob;
  /** Say which files are complete. */
  tellFiles: boolean;
  control: SharedArrayBuffer;
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
  /** It was told to stop before the input's end. */
  stopped: boolean;
  /** Partial files that were left, in the target. */
  partials: StoredPath[];
  digests: Record<string, string>;
  /** What the archive's files are; only after a verification. */
  backup: BackupState | undefined;
  /** Bytes free in the target's file system; only after a dry run. */
  freeBytes: number | undefined;
}

/** What a lane's thread says. */
export type LaneMessage =
  | { type: 'files'; paths: StoredPath[]; bytes: number[] }
  | { type: 'warning'; message: string }
  | { type: 'end'; result: LaneResult };

/** What the main thread says to a lane's. */
export type LaneCommand = 'stop';

/** Memory that both threads see: how far the lane has come, and whether it shall stop. */
export class LaneControl {
  static readonly BYTES = 16;
  readonly buffer: SharedArrayBuffer;
  readonly #stop: Int32Array;
  readonly #archiveBytes: Float64Array;

  constructor(buffer = new SharedArrayBuffer(LaneControl.BYTES)) {
    this.buffer = buffer;
    this.#archiveBytes = new Float64Array(buffer, 0, 1);
    this.#stop = new Int32Array(buffer, 8, 1);
  }

  get stopped(): boolean {
    return Atomics.load(this.#stop, 0) !== 0;
  }

  stop(): void {
    Atomics.store(this.#stop, 0, 1);
  }

  /** Bytes of the archive taken so far: only for show, so that a torn value does no harm. */
  get archiveBytes(): number {
    return this.#archiveBytes[0]!;
  }

  set archiveBytes(bytes: number) {
    this.#archiveBytes[0] = bytes;
  }
}
