import type { Hash } from 'node:crypto';
import { ChunkReader, type ChunkConsumer, type PayloadUse } from '../archive/chunk-reader.js';
import { EntryTable, type Entry, type EntryChange } from '../archive/entries.js';
import type { WantedEntries } from '../archive/wanted-entries.js';
import { XbstreamError } from '../errors.js';
import type { ChunkHeader } from '../format/chunk.js';
import { pathText, type StoredPath } from '../format/stored-path.js';
import type { ByteSink } from '../input/source.js';
import type { Output, OutputFile } from '../output/output.js';
import type { Decoding } from './decoding.js';

/** Most unfinished files that an error names. */
const NAMED_UNFINISHED = 5;

export interface LaneOptions {
  output: Output;
  /** Undoes layers; missing where files are unpacked as they are. */
  decoding: Decoding | undefined;
  wanted: WantedEntries;
  /** Allow stored names that begin with `/`. */
  absoluteNames: boolean;
  /** Take an input without a single chunk for whole. */
  allowEmpty: boolean;
  /** Payloads of files that are not wanted may be jumped over instead of checked. */
  jump: boolean;
  /** Digests of the raw archive to work out, by their names in `node:crypto`. */
  digests: readonly string[];
  /** A file has its final name. */
  onFile: (path: StoredPath, sizeBytes: number) => void;
}

/** What a lane has done. */
export interface LaneTotals {
  files: number;
  bytes: number;
  keptFiles: number;
  archiveBytes: number;
}

type FileEntry = Entry<OutputFile>;

/**
 * Checks what is pushed into it and writes it out: the way of a byte from an input to a file, synchronous from end to end.
 *
 * A file that consists of an end chunk alone is made only when the archive has ended well: damage to a path elsewhere may
 * have left that end chunk behind.
 */
export class Lane implements ByteSink, ChunkConsumer {
  readonly #options: LaneOptions;
  readonly #table: EntryTable<OutputFile>;
  readonly #reader = new ChunkReader(this);
  readonly #hashes: ReadonlyMap<string, Hash>;
  /** Wanted entries that are nothing but an end chunk. */
  readonly #empty = new Set<FileEntry>();
  /** Where the payload of the current chunk goes. */
  #file: OutputFile | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#table = new EntryTable(options.absoluteNames);
    this.#hashes = new Map(
      options.digests.map((name) => [name, process.getBuiltinModule('node:crypto').createHash(name)]),
    );
  }

  room(): Buffer {
    return this.#options.output.room();
  }

  push(piece: Buffer): Promise<void> | undefined {
    for (const hash of this.#hashes.values()) hash.update(piece);
    const taken = this.#reader.push(piece);
    if (this.#reader.isHolding) return this.#pushRest(piece, taken);
    this.#options.output.endStep();
    return this.#options.decoding?.ready();
  }

  /** A correction waits until all files before it have their names. */
  async #pushRest(piece: Buffer, taken: number): Promise<void> {
    const { decoding, output } = this.#options;
    while (this.#reader.isHolding) {
      await decoding?.ready();
      await decoding?.pending.until(0);
      taken += this.#reader.push(piece.subarray(taken));
    }
    output.endStep();
    await decoding?.ready();
  }

  get skippableBytes(): number {
    return this.#reader.skippableBytes;
  }

  skip(bytes: number): void {
    this.#reader.skip(bytes);
  }

  /** Bytes of the archive that were taken or jumped over. */
  get archiveBytes(): number {
    return this.#reader.archiveOffset;
  }

  mustWait(header: ChunkHeader): boolean {
    return (this.#options.decoding?.pending.count ?? 0) > 0 && this.#table.corrects(header);
  }

  chunk(header: ChunkHeader, spanBytes: number): PayloadUse {
    const change = this.#table.apply(header, spanBytes);
    switch (change.kind) {
      case 'content':
        if (change.replaced !== undefined) this.#drop(change.replaced);
        if (change.begins) this.#begin(change.entry);
        this.#file = change.entry.content;
        break;
      case 'whole':
        this.#whole(change.entry);
        break;
      case 'remove':
        if (change.entry !== undefined) this.#drop(change.entry);
        else this.#correctForeign(change.path, true);
        break;
      case 'rename':
        this.#rename(change);
        break;
      case 'nothing':
        break;
    }
    if (this.#file !== undefined) return 'take';
    return this.#options.jump ? 'pass' : 'check';
  }

  payload(bytes: Buffer, fileOffset: number): void {
    this.#file!.write(bytes, fileOffset);
  }

  chunkEnd(): void {
    // Bytes that turned out bad have only reached a partial file; there is nothing to do for good ones.
  }

  /**
   * The input has ended.
   *
   * @returns a problem for each file that has no end chunk; nothing more is written then
   * @throws XbstreamError `XB_TRUNCATED`, `XB_EMPTY_ARCHIVE`, and what the output throws
   */
  async end(): Promise<XbstreamError[]> {
    await this.#options.decoding?.pending.until(0);
    this.#reader.end();
    if (this.#reader.chunks === 0 && !this.#options.allowEmpty) throw emptyArchive();
    const problems = this.#table.open.map((entry) => EntryTable.missingEnd(entry));
    if (problems.length > 0) return problems;
    for (const entry of this.#empty) {
      this.#open(entry, true);
      this.#finish(entry);
    }
    this.#empty.clear();
    this.#options.output.close();
    return [];
  }

  /**
   * Leaves what is unfinished behind and says so in the errors.
   *
   * @param removePartial take the partial files away instead
   * @returns the errors, and the partial files that were left
   */
  abandon(
    errors: readonly XbstreamError[],
    removePartial: boolean,
  ): { errors: XbstreamError[]; partials: StoredPath[] } {
    this.#options.output.drain();
    // Errors of the archive name a file as it is stored, those of the output by its place there.
    const partials = new Map<StoredPath, StoredPath>();
    for (const entry of this.#table.entries) {
      if (entry.isWritten) continue;
      const partial = entry.content?.abandon(removePartial);
      if (partial === undefined) continue;
      partials.set(entry.path, partial);
      partials.set(entry.content!.path, partial);
    }
    const left = [...new Set(partials.values())];
    const complete = this.totals().files;
    const tally =
      complete > 0 || left.length > 0 ? [`${complete} ${complete === 1 ? 'file is' : 'files are'} complete`] : [];
    const told = errors.map((error) => {
      const own = error.path === undefined ? undefined : partials.get(error.path);
      const named = own === undefined ? '' : `the file was left as ${pathText(own)}; `;
      const others = errors.length > 1 ? [] : left.filter((partial) => partial !== own);
      return error.with({
        partial: own,
        details: [...tally.map((text) => named + text), ...alsoLeft(others)],
      });
    });
    return { errors: told, partials: left };
  }

  totals(): LaneTotals {
    const totals = { files: 0, bytes: 0, keptFiles: 0, archiveBytes: this.archiveBytes };
    for (const entry of this.#table.entries) {
      if (entry.content === undefined || !entry.isWritten) continue;
      totals.files += 1;
      totals.bytes += entry.content.sizeBytes;
      if (entry.content.kept) totals.keptFiles += 1;
    }
    return totals;
  }

  /** The files of an archive that has ended well, in archive order. */
  *files(): Iterable<OutputFile> {
    for (const { content } of this.#table.entries) if (content !== undefined) yield content;
  }

  /** The digests asked for, in hex. Good once, after the end. */
  digests(): Record<string, string> {
    return Object.fromEntries([...this.#hashes].map(([name, hash]) => [name, hash.digest('hex')]));
  }

  #begin(entry: FileEntry): void {
    if (this.#options.wanted.begins(entry)) this.#open(entry, false);
  }

  #whole(entry: FileEntry): void {
    if (entry.endOnly) {
      if (this.#options.wanted.begins(entry)) this.#empty.add(entry);
    } else if (entry.content !== undefined) {
      this.#finish(entry);
    }
  }

  #open(entry: FileEntry, empty: boolean): void {
    const { decoding, output } = this.#options;
    entry.content = decoding === undefined ? output.open(entry.path) : decoding.open(entry.path, output, empty);
  }

  #finish(entry: FileEntry): void {
    const file = entry.content!;
    file.finish(entry.sizeBytes, () => {
      entry.isWritten = true;
      this.#options.onFile(file.path, file.sizeBytes);
    });
  }

  #correctForeign(path: StoredPath, remove: boolean): void {
    const { decoding, output } = this.#options;
    output.correctForeign(decoding?.layersOf(path).finalName ?? path, remove);
  }

  /** A whole entry is no longer part of the archive's content. */
  #drop(entry: FileEntry): void {
    this.#empty.delete(entry);
    entry.content?.remove();
    entry.content = undefined;
  }

  #rename({ path, entry, replaced }: EntryChange<OutputFile> & { kind: 'rename' }): void {
    if (entry === undefined) {
      this.#correctForeign(path, false);
      return;
    }
    const had = entry.content !== undefined || this.#empty.has(entry);
    const wanted = this.#options.wanted.renamed(entry, had);
    if (wanted && entry.content !== undefined) {
      entry.content.rename(this.#options.decoding?.renamed(path, entry.path) ?? entry.path, replaced?.content);
      if (replaced !== undefined) this.#empty.delete(replaced);
      return;
    }
    if (replaced !== undefined) this.#drop(replaced);
    if (!wanted) this.#drop(entry);
  }
}

function alsoLeft(partials: readonly StoredPath[]): string[] {
  if (partials.length === 0) return [];
  const named = partials.slice(0, NAMED_UNFINISHED).map(pathText).join(', ');
  const more = partials.length - NAMED_UNFINISHED;
  return [`also unfinished: ${named}${more > 0 ? ` and ${more} more` : ''}`];
}

function emptyArchive(): XbstreamError {
  return new XbstreamError('XB_EMPTY_ARCHIVE', 'the input is empty: not a single chunk came', {
    archiveOffset: 0,
    hints: [
      'look whether the program that sends the backup failed',
      'if an empty archive is what you expect: tsxbstream extract --allow-empty',
    ],
  });
}
