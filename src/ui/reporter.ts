import type { XbstreamError } from '../errors.js';

/** A file that an extraction has completed. */
export interface FileReport {
  /** Its final name, one character a byte (`StoredPath`). */
  path: string;
  bytes: number;
}

/** What an extraction has done when it ends, well or badly. */
export interface ExtractSummary {
  ok: boolean;
  files: number;
  /** Bytes of the files completed, as their sizes say (holes included). */
  bytes: number;
  /** Bytes of the archive that were read. */
  archiveBytes: number;
  elapsedSeconds: number;
  /** The target directory as the user named it. */
  target: string;
  /** True when nothing was written, only looked at. */
  dryRun: boolean;
  /** Bytes free in the target's file system: only for a dry run. */
  freeBytes?: number | undefined;
  /** Files kept as they were because they were there already. */
  keptFiles: number;
  /** Name of each digest of the raw archive bytes that was asked for and its value in hex. */
  digests: Readonly<Record<string, string>>;
  /** What the digests are of, as `sha1sum` prints it: the archive's name, or `-`. */
  archiveName: string;
}

/** How far the reading of an archive has come. */
export interface ProgressReport {
  /** Bytes of the archive read so far. */
  bytes: number;
  /** Size of the archive in bytes, where it is known. */
  totalBytes?: number | undefined;
}

/**
 * Where commands say what they do. There is one implementation for people and one for programs; commands print nothing
 * themselves.
 */
export interface Reporter {
  /** Whether {@link file} does anything: telling of many small files takes its time. */
  readonly wantsFiles: boolean;
  /** A file has its final name (or was kept). */
  file(report: FileReport): void;
  /** Something the user should know that is no failure. */
  warning(message: string): void;
  error(error: XbstreamError): void;
  progress(report: ProgressReport): void;
  /** The end of an extraction. */
  extracted(summary: ExtractSummary): void;
  /** Takes whatever moves off the screen and gives the cursor back; called before the process ends in any way. */
  close(): void;
}
