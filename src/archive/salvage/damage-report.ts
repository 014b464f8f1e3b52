/** What is wrong with an archive that is read to its end all the same, and which of its entries have lost something. */
import { XbstreamError, type XbstreamErrorCode } from '../../errors.js';
import { FLAG_REWRITE, type ChunkHeader, type PayloadHeader, type SparseHeader } from '../../format/chunk.js';
import { pathText, type StoredPath } from '../../format/stored-path.js';
import { duplicatePath, EntryTable, type EntryChange } from '../entry-table.js';
import type { Entry } from '../entry.js';
import { SecondArchive } from '../second-archive.js';
import type { DamageConsumer } from './salvage.js';
import { SuspectFiles } from './suspect-files.js';

/** More are only counted: a hostile archive must not fill the memory with complaints. */
const MAX_PROBLEMS = 10_000;

/** Most files that a problem of none in particular names. */
const MOST_NAMED = 5;

/** What every further chunk of a file would say again. */
const ONCE_A_FILE: ReadonlySet<XbstreamErrorCode> = new Set(['XB_UNSAFE_PATH', 'XB_DUPLICATE_PATH']);

/** What may be found out about a file when its last chunk has come: that it cannot be decoded, or put where it belongs. */
const OF_WHOLE_FILES: ReadonlySet<XbstreamErrorCode> = new Set([
  'XB_BAD_LAYER',
  'XB_LAYER_TRUNCATED',
  'XB_KEY_REQUIRED',
  'XB_WRONG_KEY',
  'XB_UNSUPPORTED_LAYER',
  'XB_UNSUPPORTED_ORDER',
  'XB_TARGET_EXISTS',
  'XB_GAP',
]);

/** What is told of files that were taken for whole. */
export interface DamageListener<Content> {
  /** A file has lost something after all. */
  lostAfterAll?: (entry: Entry<Content>) => void;
  /** Newer content of what was whole has come, and was lost: what there is of it is no longer what the archive holds. */
  superseded?: (entry: Entry<Content>) => void;
  /** These did not take the place of earlier content after all: that is what the archive holds. */
  restored?: (pairs: readonly (readonly [lost: Entry<Content>, earlier: Entry<Content>])[]) => void;
}

export class DamageReport<Content> implements DamageConsumer {
  /** At most {@link MAX_PROBLEMS} of them. */
  readonly problems: XbstreamError[] = [];
  /** How many there are in all. */
  count = 0;
  readonly #table: EntryTable<Content>;
  readonly #suspects: SuspectFiles<Content>;
  readonly #listener: DamageListener<Content>;
  readonly #lost = new Set<Entry<Content>>();
  /** The archive ends within these: that they have no end chunk is no news. */
  readonly #cut = new Set<Entry<Content>>();
  readonly #told = new Set<string>();
  /** What the last chunk was about, if that is not whole. */
  #unfinished: Entry<Content> | undefined;
  #isCut = false;

  constructor(table: EntryTable<Content>, listener: DamageListener<Content> = {}) {
    this.#table = table;
    this.#suspects = new SuspectFiles(table);
    this.#listener = listener;
  }

  has(entry: Entry<Content>): boolean {
    return this.#lost.has(entry);
  }

  /** The archive ends in the middle of something. Good after {@link end}. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /**
   * Applies the next chunk of the archive to the table, and looks what that says of other files.
   *
   * @throws XbstreamError what {@link EntryTable.apply} throws
   */
  apply(header: ChunkHeader, spanBytes: number): EntryChange<Content> {
    let change: EntryChange<Content>;
    const isContent = header.type === 'payload' || header.type === 'sparse';
    if (isContent && header.fileOffset === 0) this.#restoreLost(header.path);
    const before = isContent ? this.#table.find(header.path) : undefined;
    const reachedBytes = before?.whole === false ? before.sizeBytes : 0;
    if (header.type === 'remove') this.#restoreOpen(header.path);
    if (header.type === 'rename') this.#restoreOpen(header.path, header.newPath);
    try {
      change = this.#table.apply(header, spanBytes);
    } catch (error) {
      if (isContent && !(error instanceof SecondArchive)) this.#refused(header, spanBytes);
      if (header.type === 'end') this.#doNotFit(this.#table.find(header.path));
      throw error;
    }
    this.#unfinished = change.kind === 'content' ? change.entry : undefined;
    if (change.kind === 'content') {
      const { entry, begins, isTentative } = change;
      if (begins && isTentative) this.damaged(duplicatePath(entry.path, header), undefined);
      if (isContent) {
        this.#loseAll(this.#suspects.content(entry, header, spanBytes, reachedBytes));
        if (entry.order?.jump !== undefined && !entry.isDoubted) this.#suspects.jumped(entry, header.fileOffset);
      } else if (header.type === 'seek') this.#suspects.sought(entry, header);
    } else if (change.kind === 'whole' && !change.entry.endOnly) {
      const { entry } = change;
      this.#loseAll(this.#suspects.noMoreOf(entry));
      // Where all has come, in whatever order, each chunk was its own.
      if (this.#lost.has(entry) || entry.isDoubted) this.#doNotFit(entry);
      else if (this.#suspects.takeJumps(entry).size > 0 && this.#suspects.mayLack) this.#lost.add(entry);
      if (this.#suspects.isDoubtful(entry, header.archiveOffset)) this.#lost.add(entry);
      entry.order = undefined;
    }
    return change;
  }

  /** A correction means what was whole: a second copy of it that has no end was none. */
  #restoreOpen(...paths: readonly StoredPath[]): void {
    const meant = paths.flatMap((path) => this.#table.find(path) ?? []);
    this.#restore(meant.filter((entry) => !entry.whole));
  }

  /** Another copy begins: what the one before has lost takes nothing from what was whole before that. */
  #restoreLost(path: StoredPath): void {
    if (this.#lost.size === 0) return;
    const entry = this.#table.find(path);
    if (entry?.whole === true && this.#lost.has(entry)) this.#restore([entry]);
  }

  #restore(entries: readonly Entry<Content>[]): void {
    const pairs = this.#table.restoreEarlier(entries);
    for (const [entry] of pairs) this.#lost.add(entry);
    if (pairs.length > 0) this.#listener.restored?.(pairs);
  }

  #refused(header: PayloadHeader | SparseHeader, spanBytes: number): void {
    const { path, fileOffset } = header;
    const entry = this.#table.find(path);
    if (entry?.isTorn === true) this.#loseLate(entry);
    if (entry?.whole === false) this.#loseAll(this.#suspects.content(entry, header, spanBytes, entry.sizeBytes));
    this.#stray(path, fileOffset);
  }

  /** Some chunks of a file that came out of order may have been another's. */
  #doNotFit(entry: Entry<Content> | undefined): void {
    if (entry === undefined) return;
    this.#loseAll(this.#suspects.noMoreOf(entry));
    for (const fileOffset of this.#suspects.takeJumps(entry)) this.#stray(entry.path, fileOffset);
  }

  #stray(path: StoredPath, fileOffset: number): void {
    this.#loseAll(this.#suspects.stray(path, fileOffset));
  }

  #loseAll(entries: readonly Entry<Content>[]): void {
    for (const entry of entries) this.#loseLate(entry);
  }

  #loseLate(entry: Entry<Content>): void {
    if (this.#lost.has(entry)) return;
    this.#lost.add(entry);
    this.#listener.lostAfterAll?.(entry);
  }

  /**
   * Takes note of damage.
   *
   * @param path the file concerned, where there is one
   * @param unreadableFrom where in the archive a part begins that cannot be read, and may have been of any file that is not complete
   */
  damaged(error: XbstreamError, path: StoredPath | undefined, unreadableFrom?: number): void {
    const entry = path === undefined ? undefined : this.#table.find(path);
    if (unreadableFrom !== undefined) {
      this.#suspects.unreadable(unreadableFrom);
      error = naming(error, this.#table.open);
    } else if (error.code === 'XB_BAD_CRC' && error.archiveOffset !== undefined)
      this.#suspects.known(error.archiveOffset);
    if (error.code === 'XB_TRUNCATED') this.#isCut = true;
    if (entry !== undefined && !isOfSecond(error, entry)) {
      this.#lost.add(entry);
      if (error.code === 'XB_TRUNCATED') this.#cut.add(entry);
    }
    this.#add(error, error instanceof SecondArchive ? undefined : path);
  }

  /** Takes note of a chunk that cannot be used, so that what it carried is not missed a second time. */
  lostChunk(header: ChunkHeader): void {
    if (header.type === 'remove' || header.type === 'rename' || header.type === 'ignorable') return;
    const known = this.#table.find(header.path);
    known?.doubt();
    this.#suspects.known(header.archiveOffset);
    if (known?.whole === true && header.type !== 'end' && (header.flags & FLAG_REWRITE) === 0) {
      // Perhaps of a second copy: then its end is no end of an empty file.
      this.#suspects.stray(header.path, 0);
      return;
    }
    const reachedBytes = known?.whole === false ? known.sizeBytes : 0;
    const spanBytes = header.type === 'payload' ? header.payloadBytes : 0;
    const change = this.#table.apply(header, spanBytes);
    const entry = this.#table.find(header.path);
    if (entry !== undefined) {
      entry.doubt();
      this.#lost.add(entry);
      // That the file was emptied is certain.
      if (header.type === 'end') this.#table.forgetEarlier(entry);
    }
    // It does not go on where its file had ended: what stood between is lost as well.
    if (change.kind === 'content' && header.type !== 'end') {
      this.#loseAll(this.#suspects.content(change.entry, header, spanBytes, reachedBytes));
      if (change.entry.order?.end() !== undefined) this.#loseAll(this.#suspects.moreLostAt(header.archiveOffset));
      if (change.begins) this.#suspects.guessed(change.entry);
      // How far its map goes is not known.
      if (header.type === 'sparse') change.entry.order?.lengthIsWrong();
    }
    const isCertain = change.kind === 'whole' || (change.kind === 'content' && !change.isTentative);
    if (isCertain && change.replaced !== undefined) this.#listener.superseded?.(change.replaced);
  }

  entryOf(path: StoredPath): Entry<Content> | undefined {
    return this.#table.find(path);
  }

  /** Which bytes of a file have come is not known any more. */
  doubted(path: StoredPath): void {
    const entry = this.#table.find(path);
    if (entry === undefined) return;
    entry.doubt();
    this.#lost.add(entry);
    entry.order?.lengthIsWrong();
  }

  /**
   * The archive has ended: what has no end chunk is incomplete.
   *
   * @param chunks how many there were
   */
  end(chunks: number, allowEmpty: boolean): void {
    if (chunks === 0 && this.count === 0 && !allowEmpty) this.#add(emptyArchive(), undefined);
    this.#isCut ||= this.#unfinished !== undefined;
    for (const entry of this.#table.open) this.#doNotFit(entry);
    for (const entry of this.#suspects.jumping) this.#doNotFit(entry);
    for (const entry of this.#suspects.doubtfulEmpty()) this.#lost.add(entry);
    this.#restore([...this.#table.replacing].filter((entry) => !entry.whole || this.#lost.has(entry)));
    for (const entry of this.#table.open) {
      this.#lost.add(entry);
      if (!this.#cut.has(entry)) this.#add(EntryTable.missingEnd(entry), entry.path);
    }
  }

  #add(error: XbstreamError, path: StoredPath | undefined): void {
    if (ONCE_A_FILE.has(error.code)) {
      const key = `${error.code} ${error.path ?? path ?? ''}`;
      if (this.#told.has(key)) return;
      if (this.#told.size < MAX_PROBLEMS) this.#told.add(key);
    }
    this.count += 1;
    if (this.problems.length < MAX_PROBLEMS)
      this.problems.push(error.path === undefined ? error.with({ path }) : error);
  }
}

/** The error with the names of the files that may have lost something by it: those that are open. */
function naming(error: XbstreamError, open: ReadonlySet<Entry<unknown>>): XbstreamError {
  if (open.size === 0) return error;
  const some: StoredPath[] = [];
  // Any number may be open at every such place.
  for (const { path } of open) if (some.push(path) === MOST_NAMED) break;
  const more = open.size > MOST_NAMED ? ` and ${open.size - MOST_NAMED} more` : '';
  return error.with({
    path: error.path ?? (open.size === 1 ? some[0] : undefined),
    details: [`not complete at that place, and perhaps damaged by it: ${some.map(pathText).join(', ')}${more}`],
  });
}

/** Whether an error is about chunks that come after a file was whole: that it came a second time takes nothing from it. */
function isOfSecond({ code }: XbstreamError, entry: Entry<unknown>): boolean {
  return entry.whole && !entry.isRefused && !OF_WHOLE_FILES.has(code);
}

/** The error for an archive without a single chunk. */
export function emptyArchive(): XbstreamError {
  return new XbstreamError('XB_EMPTY_ARCHIVE', 'the input is empty: not a single chunk came', {
    archiveOffset: 0,
    hints: [
      'look whether the program that sends the backup failed',
      'from a file: tsxbstream -x < ARCHIVE, or: tsxbstream VERB ARCHIVE',
      'if an empty archive is what you expect: --allow-empty',
    ],
  });
}
