import { XbstreamError, type XbstreamErrorCode } from '../errors.js';
import type { ChunkHeader } from '../format/chunk.js';
import { pathText, type StoredPath } from '../format/stored-path.js';
import { EntryTable, type EntryChange } from './entries.js';
import type { Entry } from './entry.js';

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
]);

/** What is wrong with an archive that is read to its end all the same, and which of its entries have lost something. */
export class Losses<Content> {
  /** At most {@link MAX_PROBLEMS} of them. */
  readonly problems: XbstreamError[] = [];
  /** How many there are in all. */
  count = 0;
  /** Bytes of the archive that cannot be read may have held a part of any file. */
  mayConcernAny = false;
  readonly #table: EntryTable<Content>;
  readonly #lost = new Set<Entry<Content>>();
  /** The archive ends within these: that they have no end chunk is no news. */
  readonly #cut = new Set<Entry<Content>>();
  readonly #told = new Set<string>();

  constructor(table: EntryTable<Content>) {
    this.#table = table;
  }

  has(entry: Entry<Content>): boolean {
    return this.#lost.has(entry);
  }

  /** Takes note of damage. @param path the file concerned; undefined where it may be any that is not complete */
  damaged(error: XbstreamError, path: StoredPath | undefined): void {
    const entry = path === undefined ? undefined : this.#table.find(path);
    if (path === undefined || (entry === undefined && error.code === 'XB_UNSAFE_PATH')) {
      // A name that no file can have may be the damaged one of any file.
      this.#doubtOpen();
      error = this.#naming(error);
    }
    if (entry !== undefined && !isOfSecond(error, entry)) {
      this.#lost.add(entry);
      if (error.code === 'XB_TRUNCATED') this.#cut.add(entry);
      // Its end chunk is what told of the gap: it is not to come any more.
      if (error.code === 'XB_GAP') entry.close();
    }
    this.#add(error, path);
  }

  /**
   * Takes note of a chunk that cannot be used, so that what it carried is not missed a second time.
   *
   * @returns what it means for the entries all the same
   */
  lostChunk(header: ChunkHeader): EntryChange<Content> | undefined {
    if (header.type === 'remove' || header.type === 'rename' || header.type === 'ignorable') return undefined;
    const change = this.#table.apply(header, header.type === 'payload' ? header.payloadBytes : 0);
    const entry = this.#table.find(header.path);
    if (entry === undefined) return change;
    if (header.type === 'sparse' || header.type === 'seek') entry.doubt();
    this.#lost.add(entry);
    return change;
  }

  doubted(path: StoredPath, isItsOwn: boolean): void {
    this.#table.find(path)?.doubt();
    if (!isItsOwn) this.#doubtOpen();
  }

  #doubtOpen(): void {
    this.mayConcernAny = true;
    for (const entry of this.#table.open) this.#lost.add(entry);
  }

  /** The archive has ended: what has no end chunk is incomplete. @param chunks how many there were */
  end(chunks: number, allowEmpty: boolean): void {
    if (chunks === 0 && this.count === 0 && !allowEmpty) this.#add(emptyArchive(), undefined);
    for (const entry of this.#table.open) {
      this.#lost.add(entry);
      if (!this.#cut.has(entry)) this.#add(EntryTable.missingEnd(entry), entry.path);
    }
  }

  /** The error with the names of the files that may have lost something by it. */
  #naming(error: XbstreamError): XbstreamError {
    const open = [...this.#table.open].map(({ path }) => path);
    if (open.length === 0) return error;
    const more = open.length > MOST_NAMED ? ` and ${open.length - MOST_NAMED} more` : '';
    const names = open.slice(0, MOST_NAMED).map(pathText).join(', ');
    return error.with({
      path: error.path ?? (open.length === 1 ? open[0] : undefined),
      details: [`not complete at that place, and perhaps damaged by it: ${names}${more}`],
    });
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
      'from a file: tsxbstream -x < ARCHIVE, or: tsxbstream extract ARCHIVE',
      'if an empty archive is what you expect: --allow-empty',
    ],
  });
}
