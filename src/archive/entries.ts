import { XbstreamError } from '../errors.js';
import { FLAG_REWRITE, type ChunkHeader, type RenameHeader } from '../format/chunk.js';
import { DirectoryNames } from '../format/directory-names.js';
import { normalizePath, pathText, type StoredPath } from '../format/stored-path.js';
import { RangeBudget } from './coverage.js';
import { Entry } from './entry.js';

/** Most missing parts of a file that an error names. */
const MOST_GAPS_TOLD = 20;

/** What a chunk means for the archive's entries. */
export type EntryChange<Content> =
  /** Content of an open entry; `begins` with the first of it. `replaced` is the earlier content that it rewrites. */
  | { kind: 'content'; entry: Entry<Content>; begins: boolean; replaced: Entry<Content> | undefined }
  /** The entry is whole. */
  | { kind: 'whole'; entry: Entry<Content> }
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

/**
 * The files of an archive while it is read: which are open, whole, removed and renamed (format.md, section 1 and "The
 * MariaDB dialect"). Corrections take effect in archive order.
 */
export class EntryTable<Content> {
  readonly #absoluteNames: boolean;
  readonly #entries = new Map<StoredPath, Entry<Content>>();
  readonly #directories = new DirectoryNames();
  readonly #budget = new RangeBudget();
  #begun = 0;
  /** Chunks of one file mostly follow each other: the last path as a chunk said it, its plain form, and its entry. */
  #lastRaw: StoredPath | undefined;
  #lastPath: StoredPath = '';
  #lastEntry: Entry<Content> | undefined;

  constructor(absoluteNames: boolean) {
    this.#absoluteNames = absoluteNames;
  }

  /** All that is left of the archive so far, whole or open, in archive order but for renames, which come last. */
  get entries(): Iterable<Entry<Content>> {
    return this.#entries.values();
  }

  /** The entries whose end chunk has not come. */
  get open(): Entry<Content>[] {
    return [...this.#entries.values()].filter(({ whole }) => !whole);
  }

  /**
   * Applies the next chunk of the archive.
   *
   * @param spanBytes bytes of the file that the chunk covers, holes included
   * @throws XbstreamError `XB_UNSAFE_PATH`, `XB_DUPLICATE_PATH` (also where a file would lie below another), `XB_OVERLAP`,
   *   `XB_GAP`, `XB_BAD_HEADER`
   */
  apply(header: ChunkHeader, spanBytes: number): EntryChange<Content> {
    if (header.type === 'ignorable') return { kind: 'nothing' };
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
    if (header.type !== 'payload' || (header.flags & FLAG_REWRITE) === 0) return false;
    return this.#get(this.#normalized(header))?.whole === true;
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
    if (entry?.whole === true) {
      if (header.type !== 'payload' || (header.flags & FLAG_REWRITE) === 0) throw duplicatePath(path, header);
      replaced = entry;
      entry = undefined;
    }
    const begins = entry === undefined;
    // Removed first, so that the order of the map is that of the archive for a rewritten file too.
    if (replaced !== undefined) this.#entries.delete(path);
    entry ??= this.#begin(path, header, false);
    entry.chunks += 1;
    if (header.type === 'sparse' || header.type === 'seek') entry.markSparse();
    if (end > start) {
      const overlap = entry.isDoubted ? undefined : entry.coverage?.add(start, end);
      if (overlap !== undefined) throw overlapping(entry, header, start, end, overlap);
      entry.sizeBytes = Math.max(entry.sizeBytes, end);
    }
    if (entry.coverage !== undefined) entry.coverage.positionBytes = end;
    return { kind: 'content', entry, begins, replaced };
  }

  #begin(path: StoredPath, header: ChunkHeader, endOnly: boolean): Entry<Content> {
    const entry = new Entry<Content>(this.#begun, path, header.archiveOffset, this.#budget, endOnly);
    this.#begun += 1;
    this.#entries.set(path, entry);
    this.#lastEntry = entry;
    try {
      this.#needDirectories(path, header);
    } catch (error) {
      // Nothing more is expected of a file that there cannot be.
      entry.refuse();
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
    const known = this.#get(path);
    if (known?.whole === true) throw duplicatePath(path, header);
    const entry = known ?? this.#begin(path, header, true);
    const gaps = entry.isDoubted ? [] : (entry.coverage?.gaps(MOST_GAPS_TOLD) ?? []);
    if (gaps.length > 0) {
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
    return { kind: 'whole', entry };
  }

  #remove(path: StoredPath, header: ChunkHeader): EntryChange<Content> {
    this.#lastRaw = undefined;
    const entry = this.#entries.get(path);
    if (entry !== undefined) {
      if (!entry.whole) throw correctionOfOpen(path, header, 'removed');
      this.#entries.delete(path);
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
    this.#entries.delete(path);
    this.#entries.delete(newPath);
    this.#entries.set(newPath, entry);
    entry.path = newPath;
    return { kind: 'rename', path, newPath, entry, replaced: target };
  }
}

function duplicatePath(path: StoredPath, header: ChunkHeader): XbstreamError {
  return new XbstreamError('XB_DUPLICATE_PATH', `${pathText(path)} comes twice in the archive`, {
    path,
    archiveOffset: header.archiveOffset,
    details: [`chunk at archive byte ${header.archiveOffset}, after the file's end chunk`],
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
