/** What verbs tell while they run and when they end, for people and for programs. */
import type { XbstreamError } from '../errors.js';

/** How far the reading of an archive has come. */
export interface ProgressReport {
  /** Bytes of the archive read so far. */
  bytes: number;
  /** Size of the archive in bytes, where it is known. */
  totalBytes?: number | undefined;
  /** Files that are done, where that is known. */
  files?: number | undefined;
  /** The file that is being worked on, one character a byte; where that is known. */
  path?: string | undefined;
}

/** Answers a person who asks how far a run is. */
export interface StatusPrinter {
  /** Writes a line where errors go. */
  status(line: string): void;
}

/**
 * Where commands say what they do. For each verb that has more to say there is a reporter of its own, with one
 * implementation for people and one for programs; commands print nothing themselves.
 */
export interface CommonReporter {
  /** Something the user should know that is no failure. */
  warning(message: string): void;
  error(error: XbstreamError): void;
  /** All that went wrong in a run, in order: what says the same of very many files may be told once. */
  errors(errors: readonly XbstreamError[]): void;
  progress(report: ProgressReport): void;
  /** Takes whatever moves off the screen and gives the cursor back; called before the process ends in any way. */
  close(): void;
}

/** A file that is done. */
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
  /** If it went on after damage: stored names of the files that did not become complete (not all, if there are very many). */
  lost?: readonly string[] | undefined;
  /** How many files were lost. */
  lostCount?: number | undefined;
  /** The archive ends here, in bytes, in the middle of something: what would have followed is not known. */
  cutAt?: number | undefined;
}

/** What a verb reports that works on one file after the other. */
export interface FilesReporter extends CommonReporter {
  /** Whether {@link file} does anything: telling of many small files takes its time. */
  readonly wantsFiles: boolean;
  /** A file is done: it has its final name (or was kept), or is in the archive that is being made. */
  file(report: FileReport): void;
}

/** What an extraction reports. */
export interface Reporter extends FilesReporter {
  /** The end of an extraction. */
  extracted(summary: ExtractSummary): void;
}

/** What the making of an archive or a tar has done when it ends, well or badly. */
export interface MadeSummary {
  ok: boolean;
  files: number;
  /** Bytes of these files. */
  bytes: number;
  /** Bytes that were written. */
  outputBytes: number;
  /** Bytes of the archive: as far as it was read, or as it was made. */
  archiveBytes: number;
  elapsedSeconds: number;
  /** What was made, as messages call it. */
  outputName: string;
}

/** What the making of an archive or a tar reports. */
export interface MakeReporter extends FilesReporter {
  made(summary: MadeSummary): void;
}

/** What the decoding of files where they lie has done when it ends, well or badly. */
export interface DecodeSummary {
  ok: boolean;
  /** Files that are decoded. */
  files: number;
  /** Bytes of these, decoded. */
  bytes: number;
  /** Bytes of encoded files that were read. */
  archiveBytes: number;
  /** Files whose decoded content was there already. */
  keptFiles: number;
  elapsedSeconds: number;
}

/** What the decoding of files in place reports. */
export interface DecodeReporter extends FilesReporter {
  decoded(summary: DecodeSummary): void;
}

/** A stored file in a listing. */
export interface ListedEntry {
  /** One character a byte. */
  path: string;
  bytes: number;
  chunks: number;
  complete: boolean;
  /** It is incomplete because the archive ends too early. False where other damage may be the reason. */
  cut: boolean;
  sparse: boolean;
  /** What was done to it, outermost first. */
  layers: readonly string[];
  /** Where the archive first mentions it, in bytes. */
  archiveOffset: number;
}

/** A correction of what came before it in the archive. */
export interface ListedCorrection {
  kind: 'remove' | 'rename' | 'rewrite';
  path: string;
  newPath?: string | undefined;
  archiveOffset: number;
  /** False if there was nothing to correct. */
  effective: boolean;
}

/** What an archive holds. */
export interface Listing {
  entries: readonly ListedEntry[];
  corrections: readonly ListedCorrection[];
  /** Bytes of the entries listed. */
  bytes: number;
  /** Chunks of the archive. */
  chunks: number;
  archiveBytes: number;
  /** Formats that the archive was wrapped in as a whole (`gzip`, ...) and that were undone, outermost first. */
  wrappers: readonly string[];
  /** Nothing is wrong with the archive, as far as was looked. */
  complete: boolean;
}

/** What a listing reports. */
export interface ListReporter extends CommonReporter {
  /** @param ok nothing is wrong, with the archive or with what was asked for */
  listed(listing: Listing, ok: boolean): void;
}

/** What a verification has found. */
export interface Verification {
  /** The archive is whole, and everything else that was asked for (a manifest, an index) could be written. */
  ok: boolean;
  /** Nothing is wrong with the archive. */
  isWhole: boolean;
  entries: number;
  /** Bytes of the entries, as their sizes say. */
  bytes: number;
  archiveBytes: number;
  elapsedSeconds: number;
  /** Not all of them, if there are very many. */
  problems: readonly XbstreamError[];
  problemCount: number;
  digests: Readonly<Record<string, string>>;
  archiveName: string;
  /** The page about it that was written. */
  report?: { name: string; bytes: number };
}

/** What a verification reports. */
export interface VerifyReporter extends CommonReporter {
  /** All that is wrong comes with this, and nowhere else. */
  verified(verification: Verification): void;
}

/** What was found in a part of an archive. */
export interface ShardSummary {
  /** Which of how many, from 1. */
  shard: number;
  shards: number;
  /** What is printed, in pieces. */
  result: readonly string[];
  /** Chunks of the part, and bytes of the archive that were read for it. */
  chunks: number;
  bytes: number;
  /** Files that were looked into, where that was asked for. */
  files: number | undefined;
}

/** What the verification of a part reports. */
export interface ShardReporter extends CommonReporter {
  shardChecked(shard: ShardSummary): void;
}

/** What `info` reports. */
export interface InfoReporter extends CommonReporter {
  /** @param ok nothing is wrong with the archive */
  described(description: BackupDescription, ok: boolean): void;
}

/** Whether an archive is a backup, by the names of its files. */
export type BackupState =
  /** A backup with the file that comes last. */
  | 'finished'
  /** A backup without it. */
  | 'unfinished'
  /** It may be the beginning of a backup, or some files of a server. */
  | 'perhaps unfinished'
  | 'no backup';

/** The plugin that holds the keys of tablespaces that are encrypted on the server. */
export interface KeyPlugin {
  /** Such as `file_key_management` or `keyring_file`. */
  name: string;
  /** Where it looks for them, as `name=value`; nothing that may be a secret. */
  settings: readonly string[];
}

/** How a server that is restored becomes a replica. */
export interface ReplicationStart {
  purpose: string;
  /** SQL. */
  statements: readonly string[];
}

/** A command of a recipe. */
export interface NextStep {
  purpose: string;
  /** As it is typed in a shell. */
  command: string;
  /** Its words, for programs: placeholders stand in braces (`--target-dir={DIR}`). */
  argv: readonly string[];
  /** A placeholder: the command is run once for each thing that it stands for (perhaps none). */
  each?: string;
}

/** What a backup is. What is not known is undefined. */
export interface BackupDescription {
  /** Whether it is one, by its files. */
  state: BackupState;
  /** Which server it is of. */
  system?: 'MariaDB' | 'MySQL' | undefined;
  /** Which program wrote it. */
  tool?: string | undefined;
  toolVersion?: string | undefined;
  toolCommand?: string | undefined;
  serverVersion?: string | undefined;
  serverFlavor?: string | undefined;
  name?: string | undefined;
  uuid?: string | undefined;
  kind?: 'full' | 'incremental' | undefined;
  /** As `xtrabackup_checkpoints` says it. */
  backupType?: string | undefined;
  fromLsn?: string | undefined;
  toLsn?: string | undefined;
  lastLsn?: string | undefined;
  startTime?: string | undefined;
  endTime?: string | undefined;
  partial?: boolean | undefined;
  /** It was prepared before it was packed. */
  prepared?: boolean | undefined;
  /** The plugin that holds the keys of tablespaces that are encrypted on the server. */
  keyPlugin?: KeyPlugin | undefined;
  /** InnoDB settings that the server needs to start on these files, as `name=value`: those that are not its defaults. */
  serverSettings: readonly string[];
  binlogFile?: string | undefined;
  binlogPosition?: string | undefined;
  gtid?: string | undefined;
  compression: readonly string[];
  encrypted: boolean;
  files: number;
  bytes: number;
  archiveBytes: number;
  /** Formats that the archive was wrapped in as a whole (`gzip`, ...) and that were undone, outermost first. */
  wrappers: readonly string[];
  /** Directories outside of the data directory in which some of its tables were (`DATA DIRECTORY`), and to which a restore puts them again. */
  elsewhere: readonly string[];
  complete: boolean;
  /** Files that could not be read, and why. */
  unread: readonly { path: string; reason: string }[];
  /** What is missing for a restore. */
  missing: readonly string[];
  /** What to do with it next, in order; empty if it is no backup, or not a whole one. */
  next: readonly NextStep[];
  /** What the placeholders in these commands stand for. */
  placeholders: Readonly<Record<string, string>>;
  /** How a server that is restored from it becomes a replica. */
  replication: readonly ReplicationStart[];
}
