/** The index of an archive: its files and corrections, as its headers tell of them. */
import type { XbstreamError } from '../errors.js';
import type { ChunkHeader } from '../format/chunk.js';
import type { StoredPath } from '../format/stored-path.js';
import type { IndexMaker } from '../input/indexed/index-maker.js';
import { PIECE_ROOM_BYTES, type ByteSink, type Source } from '../input/source.js';
import { InputError } from '../input/input-error.js';
import type { ArchiveMap } from './archive-map.js';
import type { ChunkConsumer, PayloadUse } from './chunk-reader.js';
import { EntryTable, type EntryChange } from './entry-table.js';
import type { Entry } from './entry.js';
import { Extents } from './extents.js';
import { ForeignInput } from './foreign.js';
import { NotedContent, NotesBudget } from './noted-content.js';
import { viewOf } from './salvage/byte-view.js';
import { DamageReport } from './salvage/damage-report.js';
import { SalvagingReader } from './salvage/salvaging-reader.js';

/** A stored file, as the archive's headers tell of it. */
export interface IndexEntry {
  /** Its name after all corrections. */
  path: StoredPath;
  /** The name it had when its content came. */
  contentPath: StoredPath;
  /** In which order the entries began. */
  ordinal: number;
  /** Its size, holes included. */
  bytes: number;
  chunks: number;
  sparse: boolean;
  /** Its end chunk has come and no part is missing. */
  complete: boolean;
  /** Where the archive first mentions it, in bytes. */
  archiveOffset: number;
  /** Where its content lies; only of entries whose extents were asked for. */
  extents: Extents | undefined;
  /** Its content, where that was asked for and is small enough. */
  content: Buffer | undefined;
}

/** A change of what the archive had told before (format.md, "The MariaDB dialect"). */
export interface Correction {
  kind: 'remove' | 'rename' | 'rewrite';
  path: StoredPath;
  newPath?: StoredPath;
  archiveOffset: number;
  /** False where there was nothing to correct. */
  effective: boolean;
}

/** A name that corrections were about. */
export interface FileHistory {
  path: StoredPath;
  /** The whole files that have had it, one after the other. */
  states: IndexEntry[];
}

/** What an archive holds. */
export interface ArchiveIndex {
  /** In archive order. */
  entries: IndexEntry[];
  /** At most {@link MAX_CORRECTIONS} of them. */
  corrections: Correction[];
  /** Only where it was asked for. */
  history: FileHistory[];
  /** What is wrong; the entries are what is left. Not all of them, if there are very many. */
  problems: XbstreamError[];
  /** How many problems there are in all. */
  problemCount: number;
  chunks: number;
  archiveBytes: number;
  /** What was around it as a whole, outermost first. */
  wrappers: readonly string[];
  /** Names of whole files that were passed over, since nobody wants them and they are not allowed. */
  leftOut: ReadonlySet<StoredPath>;
  /** Whole files of which another copy came: their names, and where the archive first mentions what counts if that copy is damaged. */
  earlier: readonly (readonly [path: StoredPath, archiveOffset: number])[];
}

export interface ReadIndexOptions {
  absoluteNames: boolean;
  /** Whether an absolute name, which is not allowed, is passed over. */
  leavesOut?: (path: StoredPath) => boolean;
  /** Take an input without a single chunk for whole. */
  allowEmpty: boolean;
  /** Whether to note where an entry's content lies, by its ordinal or the name it has when its content comes. */
  wantsExtents?: (ordinal: number, path: StoredPath) => boolean;
  /** Whether to keep an entry's content (at most 1 MiB), by the name it has when it comes. */
  wantsContent?: (path: StoredPath) => boolean;
  /** Tell of every name that corrections were about. */
  wantsHistory?: boolean;
  /** Hold every checksum: then all of the archive is read. */
  checks?: boolean;
  /** Is told where everything lies. */
  map?: ArchiveMap;
  /** Is given what is read. */
  maker?: IndexMaker;
  /** Told now and then how far the reading has come. */
  onProgress?: (progress: { bytes: number; files: number; path: StoredPath | undefined }) => void;
}

const MAX_CORRECTIONS = 100_000;
/** After so many milliseconds other things get their turn: this may run in the thread that hears signals. */
const TURN_MS = 5;

/**
 * Makes the index of an archive. Where the source can seek, payloads are jumped over; else it is read to the end. Damage
 * does not end it: the index then tells what there is, and what is wrong.
 *
 * @throws XbstreamError `XB_IO`
 */
export async function readIndex(source: Source, options: ReadIndexOptions): Promise<ArchiveIndex> {
  const builder = new IndexBuilder(source, options);
  try {
    const outer = await readAll(source, builder);
    const index = builder.end();
    if (outer === undefined) return index;
    return { ...index, problems: [outer, ...index.problems], problemCount: index.problemCount + 1 };
  } catch (error) {
    if (!(error instanceof ForeignInput) && !(error instanceof InputError)) throw error;
    return {
      entries: [],
      corrections: [],
      history: [],
      problems: [error],
      problemCount: 1,
      chunks: 0,
      archiveBytes: 0,
      wrappers: source.wrappers ?? [],
      leftOut: new Set(),
      earlier: [],
    };
  }
}

/** @returns what is wrong with what the archive is wrapped in: what came before that place is known */
async function readAll(source: Source, builder: IndexBuilder): Promise<InputError | undefined> {
  try {
    await source.run(builder);
    return undefined;
  } catch (error) {
    if (!(error instanceof InputError) || !builder.hasBegun) throw error;
    return error;
  }
}

class IndexBuilder implements ByteSink, ChunkConsumer {
  readonly #source: Source;
  readonly #options: ReadIndexOptions;
  readonly #room = Buffer.allocUnsafeSlow(PIECE_ROOM_BYTES);
  readonly #table: EntryTable<NotedContent>;
  readonly #damage: DamageReport<NotedContent>;
  readonly #reader: SalvagingReader;
  readonly #budget = new NotesBudget();
  readonly #corrections: Correction[] = [];
  /** The first names of entries that were renamed, by their ordinals. */
  readonly #firstNames = new Map<number, StoredPath>();
  readonly #history = new Map<StoredPath, Set<Entry<NotedContent>>>();
  readonly #earlier: [path: StoredPath, archiveOffset: number][] = [];
  /** How many problems are on the map. */
  #mapped = 0;
  #turnBegan = -Infinity;
  #wholeFiles = 0;
  /** Of the last chunk. */
  #path: StoredPath | undefined;
  /** Keeps the payload of the current chunk. */
  #taker: NotedContent | undefined;

  constructor(source: Source, options: ReadIndexOptions) {
    this.#source = source;
    this.#options = options;
    this.#table = new EntryTable({ ...options, keepsGoing: true });
    this.#damage = new DamageReport(this.#table);
    const view = viewOf(source);
    this.#reader = new SalvagingReader(this, this.#damage, {
      view,
      absoluteNames: options.absoluteNames,
      refused: options.checks === true ? 'check' : 'pass',
    });
  }

  end(): ArchiveIndex {
    this.#reader.end();
    this.#damage.end(this.#reader.chunks, this.#options.allowEmpty);
    this.#mapDamage();
    this.#options.map?.end(this.#reader.archiveBytes);
    const entries = Array.from(this.#table.entries, (entry) => this.#describe(entry));
    return {
      entries: entries.sort((a, b) => a.ordinal - b.ordinal),
      corrections: this.#corrections,
      history: Array.from(this.#history, ([path, states]) => {
        const whole = [...states].filter((entry) => entry.whole && !this.#damage.has(entry));
        return { path, states: whole.map((entry) => this.#describe(entry)) };
      }),
      problems: this.#damage.problems,
      problemCount: this.#damage.count,
      chunks: this.#reader.chunks,
      archiveBytes: this.#reader.archiveBytes,
      wrappers: this.#source.wrappers ?? [],
      leftOut: this.#table.leftOut,
      earlier: this.#earlier,
    };
  }

  /** Some of the archive has come. */
  get hasBegun(): boolean {
    return this.#reader.archiveBytes > 0;
  }

  room(): Buffer {
    return this.#room;
  }

  push(piece: Buffer): Promise<void> | undefined {
    this.#options.maker?.update(piece, this.#reader.archiveOffset);
    this.#reader.push(piece);
    if (performance.now() - this.#turnBegan < TURN_MS) return undefined;
    const bytes = this.#source.inputBytes ?? this.#reader.archiveBytes;
    this.#options.onProgress?.({ bytes, files: this.#wholeFiles, path: this.#path });
    return new Promise((resolve) =>
      setImmediate(() => {
        this.#turnBegan = performance.now();
        resolve();
      }),
    );
  }

  get skippableBytes(): number {
    return this.#reader.skippableBytes;
  }

  skip(bytes: number): void {
    this.#reader.skip(bytes);
  }

  takeRewind(): number {
    return this.#reader.takeRewind();
  }

  endReached(): number {
    return this.#reader.endReached();
  }

  chunk(header: ChunkHeader, spanBytes: number): PayloadUse {
    this.#path = header.path;
    this.#mapDamage();
    this.#options.map?.chunk(header);
    const change = this.#damage.apply(header, spanBytes);
    if (change.kind === 'content' || change.kind === 'whole') this.#options.map?.owned(change.entry.ordinal);
    if (change.kind === 'whole') this.#wholeFiles += 1;
    this.#noteExtent(change, header);
    this.#noteCorrection(change, header.archiveOffset);
    this.#noteEarlier(change);
    if (this.#options.wantsHistory === true) this.#noteHistory(change);
    this.#taker = this.#takerOf(change);
    if (this.#taker !== undefined) return 'take';
    return this.#options.checks === true ? 'check' : 'pass';
  }

  payload(bytes: Buffer, fileOffset: number): void {
    this.#taker?.take(bytes, fileOffset);
  }

  #takerOf(change: EntryChange<NotedContent>): NotedContent | undefined {
    if (change.kind !== 'content' || this.#options.wantsContent?.(change.entry.path) !== true) return undefined;
    return (change.entry.content ??= new NotedContent(this.#budget));
  }

  chunkEnd(): void {
    // There is nothing to do for a checksum that held.
  }

  /** What was found wrong since the last chunk began. */
  #mapDamage(): void {
    const { map } = this.#options;
    if (map === undefined) return;
    const { problems } = this.#damage;
    for (; this.#mapped < problems.length; this.#mapped += 1) {
      const { archiveOffset } = problems[this.#mapped]!;
      if (archiveOffset !== undefined) map.damage(archiveOffset);
    }
  }

  #noteExtent(change: EntryChange<NotedContent>, header: ChunkHeader): void {
    if (change.kind !== 'content' || (header.type !== 'payload' && header.type !== 'sparse')) return;
    const { entry } = change;
    if (this.#options.wantsExtents?.(entry.ordinal, entry.path) !== true) return;
    entry.content ??= new NotedContent(this.#budget);
    entry.content.extents ??= new Extents();
    entry.content.extents.add(header.archiveOffset, header.fileOffset);
  }

  #noteEarlier(change: EntryChange<NotedContent>): void {
    if (change.kind !== 'content' && change.kind !== 'whole') return;
    const { replaced, isTentative } = change;
    if (replaced !== undefined && isTentative) this.#earlier.push([replaced.path, replaced.archiveOffset]);
  }

  #noteHistory(change: EntryChange<NotedContent>): void {
    const note = (path: StoredPath, ...entries: (Entry<NotedContent> | undefined)[]): void => {
      const known = this.#history.get(path) ?? new Set();
      this.#history.set(path, known);
      for (const entry of entries) if (entry !== undefined) known.add(entry);
    };
    // Where the archive holds no such file yet, it may come to hold one, and whoever goes on finds that under the name.
    if (change.kind === 'remove') note(change.path, change.entry);
    if (change.kind === 'rename') {
      note(change.path, change.entry);
      if (change.entry !== undefined) note(change.newPath, change.entry, change.replaced);
    }
    if (change.kind !== 'content' && change.kind !== 'whole') return;
    const { entry, replaced } = change;
    // A name that was free again has another file.
    if (replaced !== undefined || this.#history.has(entry.path)) note(entry.path, entry, replaced);
  }

  #noteCorrection(change: EntryChange<NotedContent>, archiveOffset: number): void {
    if (change.kind === 'rename' && change.entry !== undefined && !this.#firstNames.has(change.entry.ordinal)) {
      this.#firstNames.set(change.entry.ordinal, change.path);
    }
    if (this.#corrections.length === MAX_CORRECTIONS) return;
    if (change.kind === 'remove') {
      const { path, entry } = change;
      this.#corrections.push({ kind: 'remove', path, archiveOffset, effective: entry !== undefined });
    } else if (change.kind === 'rename') {
      const { path, newPath, entry } = change;
      this.#corrections.push({ kind: 'rename', path, newPath, archiveOffset, effective: entry !== undefined });
    } else if ((change.kind === 'content' || change.kind === 'whole') && change.replaced !== undefined) {
      this.#corrections.push({ kind: 'rewrite', path: change.entry.path, archiveOffset, effective: true });
    }
  }

  #describe(entry: Entry<NotedContent>): IndexEntry {
    const { path, ordinal, sizeBytes, chunks, sparse, whole, archiveOffset, content } = entry;
    const complete = whole && !this.#damage.has(entry);
    return {
      path,
      contentPath: this.#firstNames.get(ordinal) ?? path,
      ordinal,
      bytes: sizeBytes,
      chunks,
      sparse,
      complete,
      archiveOffset,
      extents: content?.extents,
      content: content?.content,
    };
  }
}
