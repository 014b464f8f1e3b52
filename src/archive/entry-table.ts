/**
 * The files of an archive while it is read: which are open, whole, removed and renamed (format.md, section 1 and "The
 * MariaDB dialect"). Corrections take effect in archive order.
 */
import { XbstreamError } from '../errors.js';
import { FLAG_REWRITE, type ChunkHeader, type RenameHeader } from '../format/chunk.js';
import { DirectoryNames } from '../format/file-names.js';
import { normalizePath } from '../format/plain-path.js';
import { pathText, rawPath, type StoredPath } from '../format/stored-path.js';
import { RangeBudget } from './coverage.js';
import { Entry } from './entry.js';
import { ArchiveEnd } from './second-archive.js';

/** Most missing parts of a file that an error names. */
const MOST_GAPS_TOLD = 20;

/** What a chunk means for the archive's entries. */
export type EntryChange<Content> =
  /**
   * Content of an open entry; `begins` with the first of it. `replaced` is the earlier content that it rewrites; that must be
   * kept until the entry is whole if it `isTentative`: the archive may be damaged, and nothing has said that there is to be another.
   */
  | {
      kind: 'content';
      entry: Entry<Content>;
      begins: boolean;
      replaced: Entry<Content> | undefined;
      isTentative: boolean;
    }
  /** The entry is whole. `replaced` is the earlier content of a file that is empty now, as above. */
  | { kind: 'whole'; entry: Entry<Content>; replaced: Entry<Content> | undefined; isTentative: boolean }
  /** A file is to be removed; `entry` is missing where the archive holds no such file. */
  | { kind: 'remove'; path: StoredPath; entry: Entry<Content> | undefined }
  /** `entry` (whose path is the new one already) is renamed and takes the place of `replaced`; missing as above. */
  | {
      kind: 'rename';
      path: StoredPath;
      newPath: StoredPath;
      entry: Entry<Content> | undefined;
      replaced: Entry<Content> | undefined;
    }
  /** A chunk that changes nothing. */
  | { kind: 'nothing' };

/** What a reader of an archive allows. */
export interface EntryRules {
  absoluteNames: boolean;
  /** Whether chunks of an absolute name, which is not allowed, are passed over: nobody wants that file. */
  leavesOut?: ((path: StoredPath) => boolean) | undefined;
  /** Goes on after damage: then a second copy of a file is taken, and takes the place of the first if it gets whole. */
  keepsGoing: boolean;
}

const SLASH = '/'.charCodeAt(0);

export class EntryTable<Content> {
  /** Names of whole files that were passed over: see {@link EntryRules.leavesOut}. */
  readonly leftOut = new Set<StoredPath>();
  readonly #absoluteNames: boolean;
  readonly #leavesOut: ((path: StoredPath) => boolean) | undefined;
  readonly #entries = new Map<StoredPath, Entry<Content>>();
  readonly #directories = new DirectoryNames();
  readonly #budget = new RangeBudget();
  readonly #keepsGoing: boolean;
  /** Earlier content that may have to be put back: each by what is to take its place. */
  readonly #earlier = new Map<Entry<Content>, Entry<Content>>();
  #begun = 0;
  /** Entries that are not whole. */
  readonly #open = new Set<Entry<Content>>();
  readonly #archiveEnd = new ArchiveEnd();
  /** Chunks of one file mostly follow each other: the last path as a chunk said it, its plain form, and its entry. */
  #lastRaw: StoredPath | undefined;
  #lastPath = rawPath('');
  #lastEntry: Entry<Content> | undefined;

  constructor({ absoluteNames, leavesOut, keepsGoing }: EntryRules) {
    this.#absoluteNames = absoluteNames;
    this.#leavesOut = leavesOut;
    this.#keepsGoing = keepsGoing;
  }

  /** All that is left of the archive so far, whole or open, in archive order but for renames, which come last. */
  get entries(): Iterable<Entry<Content>> {
    return this.#entries.values();
  }

  /** The entries whose end chunk has not come, in archive order. */
  get open(): ReadonlySet<Entry<Content>> {
    return this.#open;
  }

  /**
   * Applies the next chunk of the archive.
   *
   * @param spanBytes bytes of the file that the chunk covers, holes included
   * @throws XbstreamError `XB_UNSAFE_PATH`, `XB_DUPLICATE_PATH` (also where a file would lie below another, and, as a
   *   {@link SecondArchive}, where all begins again), `XB_OVERLAP`, `XB_GAP`, `XB_BAD_HEADER`
   */
  apply(header: ChunkHeader, spanBytes: number): EntryChange<Content> {
    if (this.#archiveEnd.isOver || header.type === 'ignorable' || this.#isLeftOut(header)) return { kind: 'nothing' };
    const path = this.#normalized(header);
    switch (header.type) {
      case 'payload':
      case 'sparse':
        return this.#content(path, header, header.fileOffset, header.fileOffset + spanBytes);
      case 'seek': {
        // What is jumped over is a hole. Going back is no overlap yet: what is written there then is.
        const from = this.#get(path)?.coverage?.positionBytes ?? 0;
        return this.#content(path, header, Math.min(from, header.fileOffset), header.fileOffset);
      }
      case 'end':
        return this.#end(path, header);
      case 'remove':
        return this.#remove(path, header);
      case 'rename':
        return this.#rename(path, header);
    }
  }

  /** The entry of a path, as a chunk says it. */
  find(path: StoredPath): Entry<Content> | undefined {
    const known = this.#entries.get(path);
    if (known !== undefined) return known;
    try {
      return this.#entries.get(normalizePath(path, 0, this.#absoluteNames));
    } catch {
      return undefined; // no file can have such a path
    }
  }

  /** Whether a chunk changes what was whole before. */
  corrects(header: ChunkHeader): boolean {
    if (header.type === 'remove' || header.type === 'rename') return true;
    return header.type !== 'ignorable' && this.find(header.path)?.whole === true;
  }

  /** The earlier content that an entry replaces is not to be put back. */
  forgetEarlier(entry: Entry<Content>): void {
    this.#earlier.delete(entry);
  }

  /** The entries that take the place of earlier content which may have to be put back. */
  get replacing(): Iterable<Entry<Content>> {
    return this.#earlier.keys();
  }

  /**
   * Puts back earlier content that was not replaced after all.
   *
   * @param entries what was to take its place; those that replace nothing are passed over
   * @returns what was to take the place of what
   */
  restoreEarlier(entries: readonly Entry<Content>[]): [lost: Entry<Content>, earlier: Entry<Content>][] {
    const found: [lost: Entry<Content>, earlier: Entry<Content>][] = [];
    for (const entry of entries) {
      const earlier = this.#earlier.get(entry);
      if (earlier === undefined) continue;
      found.push([entry, earlier]);
      this.#earlier.delete(entry);
      this.#entries.delete(entry.path);
      this.#entries.set(earlier.path, earlier);
      this.#open.delete(entry);
    }
    this.#lastRaw = undefined;
    return found;
  }

  /** The error for an entry that is still open at the archive's end. */
  static missingEnd(entry: Entry<unknown>): XbstreamError {
    return new XbstreamError('XB_MISSING_EOF', `the archive ends before ${pathText(entry.path)} is complete`, {
      path: entry.path,
      archiveOffset: entry.archiveOffset,
      details: [
        `its first chunk is at archive byte ${entry.archiveOffset}; ${entry.sizeBytes} bytes of it came, but no end chunk`,
      ],
    });
  }

  #content(path: StoredPath, header: ChunkHeader, start: number, end: number): EntryChange<Content> {
    let entry = this.#get(path);
    let replaced: Entry<Content> | undefined;
    let isUnsaid = false;
    if (entry?.whole === true) {
      isUnsaid = header.type !== 'payload' || (header.flags & FLAG_REWRITE) === 0;
      if (isUnsaid) this.#assertMayComeAgain(entry, header, start);
      else if (start === 0) this.#archiveEnd.assertNotEnded(header);
      replaced = entry;
      entry = undefined;
    }
    const begins = entry === undefined;
    // Removed first, so that the order of the map is that of the archive for a rewritten file too.
    if (replaced !== undefined) this.#forget(replaced);
    entry ??= this.#begin(path, header, false);
    if (replaced !== undefined && isUnsaid) this.#earlier.set(entry, replaced);
    this.#archiveEnd.content(header);
    entry.chunks += 1;
    if (header.type === 'sparse' || header.type === 'seek') entry.markSparse();
    if (end > start) {
      const overlap = entry.isDoubted ? undefined : entry.coverage?.add(start, end);
      if (overlap !== undefined) throw overlapping(entry, header, start, end, overlap);
      entry.sizeBytes = Math.max(entry.sizeBytes, end);
    }
    if (entry.coverage !== undefined) entry.coverage.positionBytes = end;
    return { kind: 'content', entry, begins, replaced, isTentative: isUnsaid };
  }

  /** Content of a file that is whole, and nothing says that it is to be replaced. */
  #assertMayComeAgain(entry: Entry<Content>, header: ChunkHeader, fileOffset: number): void {
    if (fileOffset === 0) this.#archiveEnd.assertNoSecond(header, this.#open.size);
    if (fileOffset === entry.sizeBytes && fileOffset > 0) entry.tear();
    if (!this.#keepsGoing || fileOffset !== 0 || entry.isRefused) throw duplicatePath(entry.path, header);
  }

  /** An entry is no longer among those of the archive. */
  #forget(entry: Entry<Content>): void {
    this.#entries.delete(entry.path);
    this.#earlier.delete(entry);
  }

  #begin(path: StoredPath, header: ChunkHeader, endOnly: boolean): Entry<Content> {
    const entry = new Entry<Content>(this.#begun, path, header.archiveOffset, this.#budget, endOnly);
    this.#begun += 1;
    this.#open.add(entry);
    this.#entries.set(path, entry);
    this.#lastEntry = entry;
    try {
      this.#needDirectories(path, header);
    } catch (error) {
      // Nothing more is expected of a file that there cannot be.
      entry.refuse();
      this.#open.delete(entry);
      throw error;
    }
    return entry;
  }

  /** As long as the archive tells of a directory or has told of it, no file can have its name. */
  #needDirectories(path: StoredPath, { archiveOffset }: ChunkHeader): void {
    const clash = this.#directories.take(path, (directory) => this.#entries.has(directory));
    if (clash === undefined) return;
    throw new XbstreamError('XB_DUPLICATE_PATH', clash, {
      path,
      archiveOffset,
      details: [`chunk at archive byte ${archiveOffset}`],
    });
  }

  #isLeftOut({ type, path, archiveOffset }: ChunkHeader): boolean {
    if (this.#leavesOut === undefined || this.#absoluteNames || path.charCodeAt(0) !== SLASH) return false;
    const plain = normalizePath(path, archiveOffset, true);
    if (!this.#leavesOut(plain)) return false;
    if (type === 'end') this.leftOut.add(plain);
    return true;
  }

  #normalized(header: Exclude<ChunkHeader, { type: 'ignorable' }>): StoredPath {
    if (header.path !== this.#lastRaw) {
      this.#lastPath = normalizePath(header.path, header.archiveOffset, this.#absoluteNames);
      this.#lastRaw = header.path;
      this.#lastEntry = this.#entries.get(this.#lastPath);
    }
    return this.#lastPath;
  }

  /** @param path of the chunk that was normalized last */
  #get(path: StoredPath): Entry<Content> | undefined {
    return path === this.#lastPath ? this.#lastEntry : this.#entries.get(path);
  }

  #end(path: StoredPath, header: ChunkHeader): EntryChange<Content> {
    let known = this.#get(path);
    let replaced: Entry<Content> | undefined;
    if (known?.whole === true) {
      if (known.isRefused) throw duplicatePath(path, header);
      this.#archiveEnd.assertNoSecond(header, this.#open.size);
      // The end of what came after the end, or another for a file that is empty already.
      if (known.isTorn || known.endOnly) return { kind: 'nothing' };
      replaced = known;
      known = undefined;
      this.#forget(replaced);
    }
    const entry = known ?? this.#begin(path, header, true);
    if (replaced !== undefined && this.#keepsGoing) this.#earlier.set(entry, replaced);
    const gaps = entry.isDoubted ? [] : (entry.coverage?.gaps(MOST_GAPS_TOLD) ?? []);
    if (gaps.length > 0) {
      // Its end has come all the same.
      entry.close();
      this.#open.delete(entry);
      throw new XbstreamError('XB_GAP', `a part of ${pathText(path)} is missing`, {
        path,
        archiveOffset: header.archiveOffset,
        details: gaps.map(
          ([from, to]) =>
            `its end chunk is at archive byte ${header.archiveOffset}, but bytes ${from}-${to - 1} of the file have not come`,
        ),
      });
    }
    entry.chunks += 1;
    entry.close();
    this.#open.delete(entry);
    this.#archiveEnd.whole(path, header);
    return { kind: 'whole', entry, replaced, isTentative: this.#keepsGoing };
  }

  #remove(path: StoredPath, header: ChunkHeader): EntryChange<Content> {
    this.#lastRaw = undefined;
    const entry = this.#entries.get(path);
    if (entry !== undefined) {
      if (!entry.whole) throw correctionOfOpen(path, header, 'removed');
      this.#forget(entry);
    }
    return { kind: 'remove', path, entry };
  }

  #rename(path: StoredPath, header: RenameHeader): EntryChange<Content> {
    this.#lastRaw = undefined;
    const newPath = normalizePath(header.newPath, header.archiveOffset, this.#absoluteNames);
    const entry = this.#entries.get(path);
    const target = this.#entries.get(newPath);
    if (entry?.whole === false) throw correctionOfOpen(path, header, 'renamed');
    if (target?.whole === false) throw correctionOfOpen(newPath, header, 'replaced by a renamed file');
    if (entry !== undefined && path === newPath) return { kind: 'nothing' };
    // A missing source: nothing happens and the destination stays.
    if (entry === undefined) {
      return { kind: 'rename', path, newPath, entry: undefined, replaced: undefined };
    }
    this.#needDirectories(newPath, header);
    this.#forget(entry);
    if (target !== undefined) this.#forget(target);
    this.#entries.set(newPath, entry);
    entry.path = newPath;
    return { kind: 'rename', path, newPath, entry, replaced: target };
  }
}

/** The error for a file that comes again though nothing says that it is to be replaced. */
export function duplicatePath(path: StoredPath, header: ChunkHeader): XbstreamError {
  const isOfDatabase = /^[^/]+\/[^/]/.test(path);
  const why = 'mariabackup --compress does so when tables are altered or renamed (DDL) while it runs';
  return new XbstreamError('XB_DUPLICATE_PATH', `${pathText(path)} comes twice in the archive`, {
    path,
    archiveOffset: header.archiveOffset,
    details: [
      `chunk at archive byte ${header.archiveOffset}, after the file's end chunk`,
      ...(isOfDatabase ? [`${why}: the backup may be inconsistent`] : []),
    ],
    hints: [
      ...(isOfDatabase ? ['take the backup again, while no table is altered, created, renamed or dropped'] : []),
      'of two whole copies --keep-going keeps the later one',
    ],
  });
}

function overlapping(
  entry: Entry<unknown>,
  header: ChunkHeader,
  start: number,
  end: number,
  overlap: number,
): XbstreamError {
  return new XbstreamError('XB_OVERLAP', `two chunks of ${pathText(entry.path)} claim the same bytes`, {
    path: entry.path,
    archiveOffset: header.archiveOffset,
    details: [
      `chunk at archive byte ${header.archiveOffset} holds bytes ${start}-${end - 1} of the file, byte ${overlap} has come before`,
    ],
  });
}

function correctionOfOpen(path: StoredPath, header: ChunkHeader, what: string): XbstreamError {
  return new XbstreamError('XB_BAD_HEADER', `${pathText(path)} is to be ${what} before its end chunk has come`, {
    path,
    archiveOffset: header.archiveOffset,
    details: [`chunk at archive byte ${header.archiveOffset}`],
  });
}
