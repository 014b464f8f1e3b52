/** Where the files of an archive go: what every output can do. */
import { XbstreamError } from '../errors.js';
import { pathText, rawPath, type StoredPath } from '../format/stored-path.js';

/** One file of an archive on its way out. Every method may throw an XbstreamError (`XB_IO` mostly). */
export interface OutputFile {
  /** Its place in the output, as stored paths are. */
  readonly path: StoredPath;
  /** Bytes of its content, holes included, once it is whole. */
  readonly sizeBytes: number;
  /** It was in the target before, and is kept as it is. */
  readonly kept: boolean;
  /** SHA-256 of its content in hex, once it is whole and where the output was asked for it. */
  readonly sha256: string | undefined;
  /**
   * Takes content. Calls come in any order and do not overlap; what no call covers is a hole.
   *
   * @param bytes the caller's own again after the call; if they are part of the last {@link Output.room}, after
   *   {@link Output.endStep}
   */
  write(bytes: Buffer, fileOffset: number): void;
  /**
   * All of it has come; it is `sizeBytes` long.
   *
   * @param done called when it has its final name, at once or later
   */
  finish(sizeBytes: number, done: () => void): void;
  /** It has lost something, and takes nothing more: what it holds only to go on is given back. */
  giveUp?(): void;
  /** A whole file is taken away again: a correction removes, replaces or rewrites it. */
  remove(): void;
  /** A whole file gets another name, in the place of `replaced` if that is given. */
  rename(path: StoredPath, replaced: OutputFile | undefined): void;
  /** A whole file gives up its final name until it is known what becomes of it; what there is stays, as a partial file. */
  setAside(): void;
  /** One that was set aside gets its name again. */
  restore(): void;
  /**
   * It will never be whole, or was set aside for good.
   *
   * @param removePartial take away what there is of it
   * @returns where what there is of it was left, in the output; undefined when nothing was
   */
  abandon(removePartial: boolean): StoredPath | undefined;
}

/** A file whose content other threads of this process may write, too. */
export interface LendableFile extends OutputFile {
  /**
   * Lets others write parts that nobody else writes, by {@link Output.borrow}.
   *
   * @param waitForOthers waits until none of them does; called before the descriptor is closed
   * @param lengthBytes how long it becomes, as far as is known, where they may leave holes
   * @returns the descriptor
   */
  lend(waitForOthers: () => void, lengthBytes?: number): number;
  /** What was written is void: it begins anew. */
  restart(): void;
}

/** Whether it is one. */
export function isLendable(file: OutputFile): file is LendableFile {
  return 'lend' in file;
}

/**
 * The error for content that does not come in the order of its file, where only that can be used.
 *
 * @param at the next byte of the file, and the one that came
 * @param hint what to do instead
 */
export function outOfOrder(
  path: StoredPath,
  message: string,
  at: { expected: number; found: number },
  hint: string,
): XbstreamError {
  return new XbstreamError('XB_UNSUPPORTED_ORDER', message, {
    path,
    details: [`expected byte ${at.expected} of the file, found byte ${at.found}`],
    hints: [hint],
  });
}

/** What to do when a file of an entry's final name was in the target before. */
export type ExistingFilePolicy =
  /** `XB_TARGET_EXISTS` */
  | 'refuse'
  /** The old file stays until the new one is whole, then gives way. */
  | 'overwrite'
  /** Kept if its size is that of the archive's, else `XB_TARGET_EXISTS`. */
  | 'keep-same-size'
  /** Kept if its content is that of the archive's, else `XB_TARGET_EXISTS`. */
  | 'keep-same-content';

/** Network file systems say how much they like to be given at a time: their holes are those of the server's disks. */
export const HOLE_UNIT_BYTES_MAX = 4096;

/** What a correction means for a file that was there before. */
export interface ForeignCorrection {
  /** It goes. */
  remove: boolean;
  /** The archive has stored such a file, and it was not written. */
  isStored: boolean;
}

/** Where an extraction puts files. */
export interface Output {
  /** What goes in is there afterwards. */
  readonly isWritten: boolean;
  /** Holes are worth leaving that begin at multiples of so many bytes and are as large: the blocks that files take room in. */
  readonly blockBytes: number;
  /**
   * Begins a file.
   *
   * @throws XbstreamError `XB_TARGET_EXISTS`, `XB_UNSAFE_PATH`, `XB_IO`
   */
  open(path: StoredPath): OutputFile;
  /**
   * A correction means a file that this run has not written. One that was in the target before is only touched where old files
   * may be overwritten; one that does not exist is no matter.
   *
   * @throws XbstreamError `XB_TARGET_EXISTS`
   */
  correctForeign(path: StoredPath, correction: ForeignCorrection): void;
  /**
   * What writes content of a file that another thread has lent.
   *
   * @param path its place in the output
   */
  borrow?(path: StoredPath, descriptor: number): Pick<OutputFile, 'write'>;
  /** Where the next piece of the archive may be put, for outputs that can make use of what lies in their own memory. */
  room(): Buffer;
  /** See {@link ByteSink.lastPieceIsSafe}. Missing where no other thread makes files. */
  lastPieceIsSafe?(): void;
  /**
   * A piece of the archive has been taken.
   *
   * @throws XbstreamError what has gone wrong with one file meanwhile; to be called again, for there may be others
   */
  endStep(): void;
  /**
   * No more files will come: has all that are finished get their names.
   *
   * @throws XbstreamError `XB_IO`; as {@link endStep}
   */
  close(): void;
  /** Waits until all files that are finished have their names, where others give them these. @throws XbstreamError `XB_IO` */
  awaitNames?(): void;
  /** The extraction has failed: what is under way is done or given up, and fails no more. */
  drain(): void;
  /** Gives back what it holds, after good and bad ends alike. */
  release(): void;
}

/**
 * A stored path without its first components.
 *
 * @throws XbstreamError `XB_USAGE` when nothing would be left: leaving the file out in silence would be no restore
 */
export function stripComponents(path: StoredPath, count: number): StoredPath {
  const left = strippedOf(path, count);
  if (left !== undefined) return left;
  throw new XbstreamError('XB_USAGE', `--strip-components ${count} leaves nothing of the name ${pathText(path)}`, {
    path,
    hints: ['strip fewer components, or leave such files out with --exclude'],
  });
}

/** The same; undefined when nothing would be left, so that no file can have that name. */
export function strippedOf(path: StoredPath, count: number): StoredPath | undefined {
  if (count === 0) return path;
  const left = path.split('/').slice(path.startsWith('/') ? count + 1 : count);
  return left.length > 0 ? rawPath(left.join('/')) : undefined;
}
