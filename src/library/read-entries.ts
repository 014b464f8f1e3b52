import { XbstreamError } from '../errors.js';
import type { StoredPath } from '../format/stored-path.js';
import type { ArchiveInput } from './input.js';
import { EntryQueue } from './entry-queue.js';
import { checkOptions, COMMON_KINDS, type CommonOptions, type OptionKind } from './options.js';
import { PushedArchive } from './pushed-archive.js';

/** What {@link readEntries} can be told. */
export interface ReadEntriesOptions extends Omit<CommonOptions, 'onWarning'> {
  /** Take an input without a single chunk for whole. Default: it is an error, `XB_EMPTY_ARCHIVE`. */
  allowEmpty?: boolean | undefined;
}

/** A stored file begins. */
export interface FileEntry {
  readonly kind: 'file';
  /** Its name at this point of the archive, without `./`, `//` and the like. */
  readonly path: StoredPath;
  /** What was done to it, outermost first, as its name tells: `xbcrypt`, `zstd`, `lz4`, `qpress`. */
  readonly layers: readonly string[];
  /** Where the archive first mentions it, in bytes. */
  readonly archiveOffset: number;
  /** It takes the place of an earlier file of the same name. */
  readonly rewrites: boolean;
  /** Its size so far in bytes, holes included. */
  readonly bytes: number;
  /** Its chunks so far, with its end chunk. */
  readonly chunks: number;
  /** Its end chunk has come, no part of it is missing and all its checksums have held. */
  readonly complete: boolean;
  /**
   * Its content as it is stored, in order, holes as zeros; what is given must not be changed. It ends when the file is
   * complete. To be called before the next entry is asked for, and once; the content of other files is passed over (and
   * checked all the same).
   */
  content(): AsyncIterable<Buffer>;
}

/** An earlier file is taken away. */
export interface RemovedEntry {
  readonly kind: 'remove';
  readonly path: StoredPath;
  readonly archiveOffset: number;
  /** False where there was no such file. */
  readonly effective: boolean;
}

/** An earlier file gets another name, and takes the place of what had that. */
export interface RenamedEntry {
  readonly kind: 'rename';
  readonly path: StoredPath;
  readonly newPath: StoredPath;
  readonly archiveOffset: number;
  /** False where there was no such file: then nothing has happened to the other either. */
  readonly effective: boolean;
}

/** What an archive says about its files, in its order. Only MariaDB's archives have other kinds than `file`. */
export type ArchiveEntry = FileEntry | RemovedEntry | RenamedEntry;

const { signal, onProgress, absoluteNames } = COMMON_KINDS;
const KINDS = { signal, onProgress, absoluteNames, allowEmpty: 'boolean' } as const satisfies Record<
  keyof ReadEntriesOptions,
  OptionKind
>;

/**
 * Reads the files of an archive as they come, in this thread, and no faster than their content is read. At the end every file
 * is whole, or the iteration has failed.
 *
 * Files of an archive may interleave. Read one after the other, what comes for the others meanwhile waits in memory, at most
 * 64 MiB (`XB_UNSUPPORTED_ORDER` beyond that). To have any archive take no more than a few pieces, begin to read each content
 * without waiting for its end, and wait for all of them when the iteration is over.
 *
 * @throws XbstreamError (from the iteration, and from every content that is being read) any code of a damaged or incomplete
 *   archive; `XB_UNSUPPORTED_ORDER` also where content does not come in order; `XB_IO`, `XB_USAGE`
 * @throws the signal's reason after it was aborted, and what `onProgress` threw
 */
export async function* readEntries(
  input: ArchiveInput,
  options: ReadEntriesOptions = {},
): AsyncGenerator<ArchiveEntry, void, undefined> {
  checkOptions(options, KINDS);
  const { onProgress: tell, allowEmpty = false } = options;
  const queue = new EntryQueue(options.absoluteNames ?? false);
  const archive = new PushedArchive(input, queue, {
    signal: options.signal,
    allowEmpty,
    onAbort: (reason) => queue.fail(reason),
    onProgress: tell === undefined ? undefined : (bytes) => tell({ bytes }),
  });
  try {
    for (;;) {
      const entry = await queue.next(archive);
      if (entry === undefined) break;
      yield entry;
    }
    queue.assertComplete();
  } catch (error) {
    queue.fail(error);
    throw error;
  } finally {
    archive.close();
    queue.fail(new XbstreamError('XB_USAGE', 'the archive is not read any more'));
  }
}
