/** Checks what is pushed into it and writes it out: the way of a byte from an input to a file, synchronous from end to end. */
import { ChunkReader, type ChunkConsumer, type PayloadUse } from '../archive/chunk-reader.js';
import type { Entry } from '../archive/entry.js';
import { EntryTable } from '../archive/entry-table.js';
import { emptyArchive, DamageReport } from '../archive/salvage/damage-report.js';
import type { NotedContent } from '../archive/noted-content.js';
import type { ByteView } from '../archive/salvage/byte-view.js';
import { isSalvageable, type SalvageReading } from '../archive/salvage/salvage.js';
import { SalvagingReader } from '../archive/salvage/salvaging-reader.js';
import { XbstreamError } from '../errors.js';
import type { ChunkHeader } from '../format/chunk.js';
import type { StoredPath } from '../format/stored-path.js';
import type { IndexMaker } from '../input/indexed/index-maker.js';
import type { ByteSink } from '../input/source.js';
import type { OutputFile } from '../output/output.js';
import { ArchiveDigests } from './archive-digests.js';
import { EntryFiles, type EntryFilesOptions, type OutputEntry } from './entry-files.js';
import { leaveResidue, type Residue } from './residue.js';

export interface LaneOptions extends EntryFilesOptions {
  /** Allow stored names that begin with `/`. */
  absoluteNames: boolean;
  /** Whether an absolute name, which is not allowed, is passed over. */
  leavesOut?: (path: StoredPath) => boolean;
  /** Take an input without a single chunk for whole. */
  allowEmpty: boolean;
  /** Payloads of files that are not wanted may be jumped over instead of checked. */
  jump: boolean;
  /** Digests of the raw archive to work out. */
  digests?: ArchiveDigests | undefined;
  /** Makes an index of what is read. */
  maker?: IndexMaker | undefined;
  /** Goes on after damage, at the next chunk that makes sense. */
  salvage?: SalvageSettings | undefined;
}

export interface SalvageSettings {
  /** Has bytes again; missing where the input cannot be read by position. */
  view: ByteView | undefined;
}

/** What a lane has done. */
export interface LaneTotals {
  files: number;
  bytes: number;
  keptFiles: number;
  archiveBytes: number;
  /** Entries of the archive, wanted or not, whole or not, and what their sizes add up to. */
  entries: number;
  entryBytes: number;
}

export class Lane implements ByteSink, ChunkConsumer {
  readonly #options: LaneOptions;
  readonly #table: EntryTable<OutputFile>;
  readonly #reader: SalvageReading;
  /** Set where damage does not end the reading. */
  readonly #damage: DamageReport<OutputFile> | undefined;
  readonly #files: EntryFiles;
  readonly #digests: ArchiveDigests;
  /** Stored name of the current chunk. */
  path: StoredPath | undefined;
  /** Where the payload of the current chunk goes. */
  #file: OutputFile | undefined;
  /** Keeps the same payload, where it says something of other entries. */
  #notes: NotedContent | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
    const { salvage, absoluteNames, leavesOut } = options;
    this.#table = new EntryTable({ absoluteNames, leavesOut, keepsGoing: salvage !== undefined });
    if (salvage === undefined) {
      this.#reader = new ChunkReader(this);
    } else {
      this.#damage = new DamageReport(this.#table, {
        lostAfterAll: (entry) => this.#files.lostAfterAll(entry),
        superseded: (entry) => this.#files.drop(entry),
        restored: (pairs) => this.#files.restore(pairs),
      });
      const refused = options.jump ? 'pass' : 'check';
      this.#reader = new SalvagingReader(this, this.#damage, { view: salvage.view, absoluteNames, refused });
    }
    this.#files = new EntryFiles(options, (entry) => this.#isLost(entry));
    this.#digests = options.digests ?? new ArchiveDigests([]);
  }

  room(): Buffer {
    const { decoding, output } = this.#options;
    return decoding === undefined ? output.room() : decoding.room;
  }

  lastPieceIsSafe(): void {
    this.#options.output.lastPieceIsSafe?.();
  }

  push(piece: Buffer): Promise<void> | undefined {
    if (this.#digests.areWanted) this.#digests.update(piece, this.#reader.archiveOffset);
    this.#options.maker?.update(piece, this.#reader.archiveOffset);
    const taken = this.#reader.push(piece);
    if (this.#reader.isHolding || this.#options.decoding?.isPaused === true) return this.#pushRest(piece, taken);
    this.#retry(() => this.#options.output.endStep());
    return undefined;
  }

  /** The output cannot take all at once that comes out of a piece. */
  async #pushRest(piece: Buffer, taken: number): Promise<void> {
    await this.#caughtUp();
    while (this.#reader.isHolding) {
      // A correction takes effect when all files before it have their names.
      await this.#allDecoded();
      taken += this.#reader.push(piece.subarray(taken));
      await this.#caughtUp();
    }
    this.#retry(() => this.#options.output.endStep());
  }

  /** Waits until all files that have ended are decoded. */
  async #allDecoded(): Promise<void> {
    const { decoding } = this.#options;
    while (decoding?.isBusy === true || decoding?.isPaused === true) {
      try {
        await decoding.allDecoded();
      } catch (error) {
        this.#bear(error);
      }
    }
  }

  /** Waits until more may be given. */
  async #caughtUp(): Promise<void> {
    const { decoding } = this.#options;
    while (decoding?.isPaused === true) {
      try {
        await decoding.caughtUp();
      } catch (error) {
        this.#bear(error);
      }
    }
  }

  /** Has the output do what throws what is wrong with its files, one after the other: each is told once. */
  #retry(work: () => void): void {
    while (!this.#attempt(work)) continue;
  }

  /** @returns whether nothing was wrong */
  #attempt(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      this.#bear(error);
      return false;
    }
  }

  /** What is wrong with a file costs that file, where damage does not end the reading. */
  #bear(error: unknown, path?: StoredPath): void {
    if (this.#damage === undefined || !isSalvageable(error)) throw error;
    const concerned = error.path ?? path;
    if (concerned === undefined) throw error;
    this.#damage.damaged(error, concerned);
  }

  /** What was found wrong so far, where that does not end the reading. */
  get problems(): readonly XbstreamError[] {
    return this.#damage?.problems ?? [];
  }

  get skippableBytes(): number {
    // What is ignorable is part of a digest, too.
    return this.#digests.areWanted ? 0 : this.#reader.skippableBytes;
  }

  takeRewind(): number {
    return this.#reader.takeRewind?.() ?? 0;
  }

  endReached(): number {
    return this.#reader.endReached?.() ?? 0;
  }

  skip(bytes: number): void {
    this.#reader.skip(bytes);
  }

  /** Bytes of the archive that were taken or jumped over. */
  get archiveBytes(): number {
    return this.#reader.archiveBytes;
  }

  mustWait(header: ChunkHeader): boolean {
    const { decoding } = this.#options;
    return decoding?.isPaused === true || (decoding?.isBusy === true && this.#table.corrects(header));
  }

  chunk(header: ChunkHeader, spanBytes: number): PayloadUse {
    this.path = header.path;
    const change = (this.#damage ?? this.#table).apply(header, spanBytes);
    const { jump, wanted } = this.#options;
    if (change.kind === 'content') {
      this.#file = this.#files.content(change);
      this.#notes = wanted.notes?.(change.entry);
    } else {
      this.#file = this.#notes = undefined;
      this.#files.change(change);
    }
    if (this.#file !== undefined || this.#notes !== undefined) return 'take';
    return jump ? 'pass' : 'check';
  }

  payload(bytes: Buffer, fileOffset: number): void {
    this.#notes?.take(bytes, fileOffset);
    if (this.#file !== undefined) this.#files.write(bytes, fileOffset);
  }

  chunkEnd(): void {
    // Bytes that turned out bad have only reached a partial file; there is nothing to do for good ones.
  }

  /**
   * The input has ended.
   *
   * @returns a problem for each file that has no end chunk (nothing more is written then), and for what was passed over
   *   and turns out to be wanted
   * @throws XbstreamError `XB_TRUNCATED`, `XB_EMPTY_ARCHIVE`, and what the output throws
   */
  async end(): Promise<XbstreamError[]> {
    await this.#allDecoded();
    this.#reader.end();
    await this.#allDecoded();
    if (this.#damage !== undefined) {
      this.#damage.end(this.#reader.chunks, this.#options.allowEmpty);
    } else {
      if (this.#reader.chunks === 0 && !this.#options.allowEmpty) throw emptyArchive();
      const problems = Array.from(this.#table.open, (entry) => EntryTable.missingEnd(entry));
      if (problems.length > 0) return problems;
    }
    const leftOut = this.#judge();
    this.#files.makeEmpty((error, path) => this.#bear(error, path));
    this.#retry(() => this.#options.output.close());
    return [...(this.#damage?.problems ?? []), ...leftOut];
  }

  /** Takes away what is not wanted after all. @returns the errors for what is, and was passed over */
  #judge(): XbstreamError[] {
    const judgement = this.#options.wanted.judge?.(this.#soundEntries());
    if (judgement === undefined) return [];
    const passedOver: StoredPath[] = [];
    for (const entry of [...this.#soundEntries()]) {
      const isWanted = judgement.wants(entry);
      const isTaken = this.#files.has(entry);
      if (isWanted && !isTaken) passedOver.push(entry.path);
      if (!isWanted && isTaken) this.#attempt(() => this.#files.drop(entry));
    }
    return passedOver.length === 0 ? judgement.errors : [...judgement.errors, judgement.passedOver(passedOver)];
  }

  *#soundEntries(): Iterable<OutputEntry> {
    for (const entry of this.#table.entries) if (!this.#isLost(entry)) yield entry;
  }

  /** How many problems there are; {@link end} has returned so many at most. */
  get problemCount(): number {
    return this.#damage?.count ?? 0;
  }

  /** Where the archive ends, if that is in the middle of something. Good after the end. */
  get cutAt(): number | undefined {
    return this.#damage?.isCut === true ? this.archiveBytes : undefined;
  }

  /** Stored names of files that did not become complete. */
  get lost(): StoredPath[] {
    const lost = new Set<OutputEntry>();
    for (const entry of this.#table.entries) {
      const isGrowing = entry.content !== undefined && !entry.isWritten;
      // Of the others nothing has come that could be used.
      const isUseless = this.#isLost(entry) && entry.content === undefined && this.#options.wanted.begins(entry);
      if (isGrowing || isUseless) lost.add(entry);
    }
    return Array.from(lost, ({ path }) => path);
  }

  #isLost(entry: OutputEntry): boolean {
    return this.#damage?.has(entry) === true;
  }

  /**
   * Leaves what is unfinished behind and says so in the errors.
   *
   * @param removePartial take the partial files away instead
   * @returns the errors, and the partial files that were left
   */
  abandon(errors: readonly XbstreamError[], removePartial: boolean): Residue {
    this.#options.output.drain();
    const complete = this.#options.output.isWritten ? this.totals().files : undefined;
    return leaveResidue([...this.#files.leftOver, ...this.#table.entries], errors, complete, removePartial);
  }

  totals(): LaneTotals {
    const totals = { files: 0, bytes: 0, keptFiles: 0, archiveBytes: this.archiveBytes, entries: 0, entryBytes: 0 };
    for (const entry of this.#table.entries) {
      totals.entries += 1;
      totals.entryBytes += entry.sizeBytes;
      if (entry.content === undefined || !entry.isWritten) continue;
      totals.files += 1;
      totals.bytes += entry.content.sizeBytes;
      if (entry.content.kept) totals.keptFiles += 1;
    }
    return totals;
  }

  /** The files that are whole, in archive order. */
  *files(): Iterable<OutputFile> {
    const entries = [...this.#table.entries].sort((a, b) => a.ordinal - b.ordinal);
    // What has lost something after it was written has its name no more.
    for (const { content, isWritten } of entries) if (content !== undefined && isWritten) yield content;
  }

  /** All files of the archive in its order, wanted or not, and whether each is whole. */
  entries(): { entry: Entry<unknown>; complete: boolean }[] {
    const entries = Array.from(this.#table.entries, (entry) => ({
      entry,
      complete: entry.whole && !this.#isLost(entry),
    }));
    return entries.sort((a, b) => a.entry.ordinal - b.entry.ordinal);
  }

  /** The names of all whole files of the archive, wanted or not. */
  storedPaths(): StoredPath[] {
    const paths: StoredPath[] = [];
    for (const { path, whole } of this.#table.entries) if (whole) paths.push(path);
    return [...paths, ...this.#table.leftOut];
  }

  /** The digests asked for, in hex. Good once, after the end. */
  digests(): Record<string, string> {
    return this.#digests.finish();
  }
}
