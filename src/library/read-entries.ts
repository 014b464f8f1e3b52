import { XbstreamError } from '../errors.js';
import type { ArchiveEntry } from './archive-entry.js';
import type { ArchiveInput } from './input.js';
import { EntryQueue } from './entry-queue.js';
import {
  checkOptions,
  COMMON_KINDS,
  streamOption,
  type CommonOptions,
  type DecodingOptions,
  type OptionKind,
} from './options.js';
import { PushedArchive } from './pushed-archive.js';

/** What {@link readEntries} can be told. */
export interface ReadEntriesOptions extends Omit<CommonOptions, 'onWarning'>, Pick<DecodingOptions, 'key'> {
  /** Take an input without a single chunk for whole. Default: it is an error, `XB_EMPTY_ARCHIVE`. */
  allowEmpty?: boolean | undefined;
}

const { signal, onProgress, absoluteNames, decodeStream } = COMMON_KINDS;
const KINDS = {
  ...{ signal, onProgress, absoluteNames, decodeStream },
  allowEmpty: 'boolean',
  key: 'key',
} as const satisfies Record<keyof ReadEntriesOptions, OptionKind>;

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
    stream: streamOption(options),
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
