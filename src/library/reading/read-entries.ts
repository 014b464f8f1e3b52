import type { ChunkConsumer, PayloadUse } from '../../archive/chunk-reader.js';
import { EntryTable } from '../../archive/entry-table.js';
import type { Entry } from '../../archive/entry.js';
import { XbstreamError } from '../../errors.js';
import type { ChunkHeader } from '../../format/chunk.js';
import type { ArchiveEntry } from './archive-entry.js';
import { ArchiveReading } from './archive-reading.js';
import type { ArchiveInput } from '../caller/input.js';
import { pick, type Given } from '../../verbs/options/option.js';
import { OPTIONS } from '../../verbs/options/table.js';
import { EVENT_LOOP_READING, streamOption, toldWith, type Callbacks } from '../caller/options.js';
import { TimeSlice } from '../../input/stream/time-slice.js';
import { QueuedFile, type FileFlow } from './queued-file.js';

/**
 * Reads the files of an archive as they come, in this thread, and no faster than their content is read. At the end every file
 * is whole, or the iteration has failed.
 *
 * Files of an archive may interleave. Read one after the other, what comes for the others meanwhile waits in memory, at most
 * 64 MiB (`XB_UNSUPPORTED_ORDER` beyond that). To have any archive take no more than a few pieces, begin to read each content
 * without waiting for its end, and wait for all of them when the iteration is over. Who does not want the rest of a content
 * ends it (`break`, `return()`, `destroy()`): the archive is read no further than a MiB ahead of contents that are being read.
 *
 * @throws XbstreamError (from the iteration, and from every content that is being read) any code of a damaged or incomplete
 *   archive; `XB_UNSUPPORTED_ORDER` also where content does not come in order; `XB_IO`, `XB_USAGE`
 * @throws the signal's reason after it was aborted, and whatever `onProgress` threw
 */
export async function* readEntries(
  input: ArchiveInput,
  options: ReadEntriesOptions = {},
): AsyncGenerator<ArchiveEntry, void, undefined> {
  const { absoluteNames, allowEmpty, timeout } = toldWith(options, ENTRY_OPTIONS, 'signal', 'onProgress');
  const { signal, onProgress: tell } = options;
  const queue = new EntryQueue(absoluteNames);
  const archive = new ArchiveReading(input, queue, {
    ...{ signal, allowEmpty },
    stream: streamOption(options),
    silentSeconds: timeout,
    onAbort: () => queue.wake(),
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
    // Those who read content are told, too.
    throw archive.fail(error);
  } finally {
    await archive.close();
    queue.wake();
  }
}

const ENTRY_OPTIONS = { ...EVENT_LOOP_READING, ...pick(OPTIONS, 'absoluteNames') };

/** Options of {@link readEntries}. */
export interface ReadEntriesOptions extends Pick<Callbacks, 'signal' | 'onProgress'>, Given<typeof ENTRY_OPTIONS> {}

/** What may wait in memory for files that nobody reads yet, in bytes. */
const HELD_BYTES_MAX = 64 * 1024 * 1024;
/** What may wait for readers that are slower than others, in bytes. */
const AWAITED_BYTES_MAX = 1024 * 1024;

/** What has been found in an archive and nobody has taken yet: entries, and the content of files. */
class EntryQueue implements ChunkConsumer {
  readonly #table: EntryTable<QueuedFile>;
  readonly #entries: ArchiveEntry[] = [];
  /** Files of whose content something may wait. */
  readonly #files = new Set<QueuedFile>();
  /** The file that was given last. */
  #given: QueuedFile | undefined;
  /** Where the payload of the current chunk goes. */
  #file: QueuedFile | undefined;
  #archive: ArchiveReading | undefined;
  #waiting: (() => void)[] = [];
  readonly #slice = new TimeSlice();
  readonly #flow: FileFlow = {
    more: () => this.#advance(),
    taken: () => this.wake(),
    turn: async () => {
      await this.#slice.yieldIfOver();
      this.#archive!.assertWanted();
    },
  };

  constructor(absoluteNames: boolean) {
    this.#table = new EntryTable({ absoluteNames, keepsGoing: false });
  }

  chunk(header: ChunkHeader, spanBytes: number): PayloadUse {
    const change = this.#table.apply(header, spanBytes);
    const { archiveOffset } = header;
    this.#file = undefined;
    switch (change.kind) {
      case 'content':
        if (change.begins) this.#begin(change.entry, change.replaced !== undefined);
        this.#file = change.entry.content;
        break;
      case 'whole':
        if (change.entry.content === undefined) this.#begin(change.entry, change.replaced !== undefined);
        change.entry.content!.end(change.entry.sizeBytes);
        break;
      case 'remove': {
        const { kind, path, entry } = change;
        this.#entries.push({ kind, path, archiveOffset, effective: entry !== undefined });
        break;
      }
      case 'rename': {
        const { kind, path, newPath, entry } = change;
        this.#entries.push({ kind, path, newPath, archiveOffset, effective: entry !== undefined });
        break;
      }
      case 'nothing':
        break;
    }
    return this.#file === undefined || this.#file.isPassed ? 'check' : 'take';
  }

  #begin(entry: Entry<QueuedFile>, rewrites: boolean): void {
    const file = new QueuedFile(entry, rewrites, this.#flow);
    entry.content = file;
    this.#files.add(file);
    this.#entries.push(file);
  }

  payload(bytes: Buffer, fileOffset: number): void {
    this.#file!.take(bytes, fileOffset);
  }

  chunkEnd(): void {
    // Content is given before its checksum is judged, but it ends only when all have held.
  }

  /** @returns undefined at the archive's end */
  async next(archive: ArchiveReading): Promise<ArchiveEntry | undefined> {
    this.#archive = archive;
    // There may be thousands of entries that wait.
    archive.assertWanted();
    this.#given?.passUnclaimed();
    while (this.#entries.length === 0 && !archive.isOver) await this.#advance();
    const entry = this.#entries.shift();
    this.#given = entry instanceof QueuedFile ? entry : undefined;
    return entry;
  }

  /** Has more of the archive read, unless somebody has to take first what is there. */
  async #advance(): Promise<void> {
    const archive = this.#archive!;
    // Somebody waits for content that never came.
    if (archive.isOver) this.assertComplete();
    let held = 0;
    let awaited = 0;
    for (const file of this.#files) {
      if (file.isOver) this.#files.delete(file);
      else if (file.isRead) awaited += file.waitingBytes;
      else held += file.waitingBytes;
    }
    if (held > HELD_BYTES_MAX && !archive.isClosed) throw tooMuchHeld();
    if (archive.isClosed || awaited <= AWAITED_BYTES_MAX) await archive.step();
    else await this.#othersTake();
  }

  /** Waits until others have taken something. @throws XbstreamError `XB_UNSUPPORTED_ORDER` when nothing is left that would */
  async #othersTake(): Promise<void> {
    let forget!: () => void;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#waiting.push(resolve);
        forget = beforeExit(() => reject(leftBehind()));
      });
    } finally {
      forget();
    }
  }

  /** Those who wait for others look again. */
  wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** @throws XbstreamError `XB_MISSING_EOF` when a file is still open */
  assertComplete(): void {
    for (const entry of this.#table.open) throw EntryTable.missingEnd(entry);
  }
}

const watching = new Set<() => void>();

function tellWatching(): void {
  for (const told of [...watching]) told();
}

/**
 * Has somebody told when the process would end, for nothing is under way in it any more.
 *
 * @returns takes that back
 */
function beforeExit(told: () => void): () => void {
  if (watching.size === 0) process.on('beforeExit', tellWatching);
  watching.add(told);
  return () => {
    watching.delete(told);
    if (watching.size === 0) process.off('beforeExit', tellWatching);
  };
}

function leftBehind(): XbstreamError {
  return new XbstreamError('XB_UNSUPPORTED_ORDER', 'the content of a file was begun and left behind', {
    details: [`more than ${AWAITED_BYTES_MAX} bytes wait for who reads it, and nobody does any more`],
    hints: ['read each content that is begun to its end, or end it: by break, by return(), by destroy()'],
  });
}

function tooMuchHeld(): XbstreamError {
  return new XbstreamError('XB_UNSUPPORTED_ORDER', 'the files of the archive interleave too much to be read in turn', {
    details: [`more than ${HELD_BYTES_MAX} bytes wait in memory for files that come later`],
    hints: ['read them at the same time: do not wait for the end of one content before you ask for the next entry'],
  });
}
