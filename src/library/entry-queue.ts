import type { ChunkConsumer, PayloadUse } from '../archive/chunk-reader.js';
import { EntryTable } from '../archive/entry-table.js';
import type { Entry } from '../archive/entry.js';
import { XbstreamError } from '../errors.js';
import type { ChunkHeader } from '../format/chunk.js';
import type { PushedArchive } from './pushed-archive.js';
import { QueuedFile } from './queued-file.js';
import type { ArchiveEntry } from './archive-entry.js';

/** What may wait in memory for files that nobody reads yet, in bytes. */
const HELD_BYTES_MAX = 64 * 1024 * 1024;
/** What may wait for readers that are slower than others, in bytes. */
const AWAITED_BYTES_MAX = 1024 * 1024;

/** What has been found in an archive and nobody has taken yet: entries, and the content of files. */
export class EntryQueue implements ChunkConsumer {
  readonly #table: EntryTable<QueuedFile>;
  readonly #entries: ArchiveEntry[] = [];
  /** Files of whose content something may wait. */
  readonly #files = new Set<QueuedFile>();
  /** The file that was given last. */
  #given: QueuedFile | undefined;
  /** Where the payload of the current chunk goes. */
  #file: QueuedFile | undefined;
  #archive: PushedArchive | undefined;
  #failure: { error: unknown } | undefined;
  #waiting: (() => void)[] = [];

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
    const file = new QueuedFile(
      entry,
      rewrites,
      () => this.#advance(),
      () => this.#wake(),
    );
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
  async next(archive: PushedArchive): Promise<ArchiveEntry | undefined> {
    this.#archive = archive;
    this.#given?.passUnclaimed();
    while (this.#entries.length === 0 && !archive.isOver) await this.#advanceTo();
    const entry = this.#entries.shift();
    this.#given = entry instanceof QueuedFile ? entry : undefined;
    return entry;
  }

  /** What came before the place of an error is given first: reading on fails again. */
  async #advanceTo(): Promise<void> {
    try {
      await this.#advance();
    } catch (error) {
      if (this.#entries.length === 0) throw error;
    }
  }

  /** Has more of the archive read, unless somebody has to take first what is there. */
  async #advance(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    let held = 0;
    let awaited = 0;
    for (const file of this.#files) {
      if (file.isOver) this.#files.delete(file);
      else if (file.isRead) awaited += file.waitingBytes;
      else held += file.waitingBytes;
    }
    if (held > HELD_BYTES_MAX) throw tooMuchHeld();
    if (awaited > AWAITED_BYTES_MAX) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      await this.#archive!.step();
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Nothing more will come: whoever waits for more is told so. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake();
  }

  /** @throws XbstreamError `XB_MISSING_EOF` when a file is still open */
  assertComplete(): void {
    for (const entry of this.#table.open) throw EntryTable.missingEnd(entry);
  }
}

function tooMuchHeld(): XbstreamError {
  return new XbstreamError('XB_UNSUPPORTED_ORDER', 'the files of the archive interleave too much to be read in turn', {
    details: [`more than ${HELD_BYTES_MAX} bytes wait in memory for files that come later`],
    hints: ['read them at the same time: do not wait for the end of one content before you ask for the next entry'],
  });
}
