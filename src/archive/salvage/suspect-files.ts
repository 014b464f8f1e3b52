/**
 * What speaks against files that look whole (format.md, "Which files are whole"): a chunk that may have been theirs, and
 * whose header was damaged so that it cannot be read, or names another file.
 */
import type { StoredPath } from '../../format/stored-path.js';
import type { Entry } from '../entry.js';
import { ChunkOrder, type Jump } from './chunk-order.js';
import { areCut, areLike, isShifted, isWorn, mayBeWorn, mayHaveBeen } from './like-names.js';

/** More are not told apart: a hostile archive must not fill the memory, or have each be compared with all. */
const MOST_NOTED = 10_000;
const MOST_LATE = 1000;
/** Each is held against every empty file. */
const MOST_GUESSED = 100;
/** How often names are compared: an archive may hold any number of them. */
const MOST_COMPARISONS = 2_000_000;

export class SuspectFiles<Content> {
  readonly #files: KnownFiles<Content>;
  /** Where the first and the last part of the archive begin that cannot be read. */
  #unreadableFrom = Infinity;
  #unreadableTo = -Infinity;
  /** Damaged chunks of which it is known what they were, in the archive's order: as far as what comes behind bears that out. */
  #known: number[] = [];
  /** Files with content that have ended behind such a chunk, and began before it. */
  #excused: Excused<Content>[] = [];
  /** Chunks that do not fit the file they name: the names, by where in the file they say they belong. */
  readonly #strays = new Map<number, Set<StoredPath>>();
  /** Where chunks of open files say they belong that do not go on where the file ended: what they are shows when it ends. */
  readonly #jumps = new Map<Entry<Content>, Set<number>>();
  #jumpCount = 0;
  /** See {@link guessed}, in the archive's order. */
  readonly #guessed: Entry<Content>[] = [];
  #noted = 0;
  #late = 0;
  #comparisons = 0;

  constructor(files: KnownFiles<Content>) {
    this.#files = files;
  }

  /** From here on a part of the archive cannot be read. How much of it there is says nothing: there may have been more. */
  unreadable(from: number): void {
    this.#unreadableFrom = Math.min(this.#unreadableFrom, from);
    this.#unreadableTo = Math.max(this.#unreadableTo, from);
  }

  /** A damaged chunk begins here of which it is known what it was: where nothing else is missing, it is all that was lost. */
  known(archiveOffset: number): void {
    if (this.#known.length < MOST_NOTED) this.#known.push(archiveOffset);
    else this.unreadable(archiveOffset);
  }

  /**
   * Content has come, also such as does not fit, or what it was is known.
   *
   * @param reachedBytes where the last byte of the file ended that had come before
   * @returns whole files of which a part may have stood where more was lost than a chunk
   */
  content(
    entry: Entry<Content>,
    { archiveOffset, fileOffset }: ContentPlace,
    spanBytes: number,
    reachedBytes: number,
  ): Entry<Content>[] {
    const order = (entry.order ??= new ChunkOrder());
    const before = order.add(archiveOffset, fileOffset, spanBytes, reachedBytes);
    const { jump } = order;
    if (jump?.isGap === true) jump.isGap = !this.#isExplained(jump, entry.path);
    return this.#lostBefore(before);
  }

  /** A hole has come, up to where a chunk says. */
  sought(entry: Entry<Content>, { archiveOffset, fileOffset }: ContentPlace): void {
    entry.order ??= new ChunkOrder();
    entry.order.add(archiveOffset, fileOffset, 0, fileOffset);
  }

  /** What cannot be read explains a gap, and so does a chunk that has come under another name. */
  #isExplained({ from, expected }: Jump, path: StoredPath): boolean {
    // Where nothing was damaged, nothing is to be explained.
    if ((this.#known.at(-1) ?? -Infinity) < from) return true;
    if (this.#unreadableTo >= from || this.#hasStray(expected, path) === true) return true;
    const isOther = ([entry, offsets]: [Entry<Content>, ReadonlySet<number>]): boolean =>
      offsets.has(expected) && mayHaveBeen(entry.path, path);
    return this.#isAny(this.#jumps, isOther) === true;
  }

  /** A file is known by a damaged header alone: bytes of its name may be missing. */
  guessed(entry: Entry<Content>): void {
    if (this.#guessed.length < MOST_GUESSED) this.#guessed.push(entry);
    else this.unreadable(entry.archiveOffset);
  }

  /** Whether a chunk of a file may have stood between two places, under a name of which bytes are missing. */
  #mayBeGuessed({ path }: Entry<Content>, from: number, to: number): boolean {
    const between = this.#guessed.filter(({ archiveOffset: at, whole }) => !whole && from < at && at < to);
    return this.#isAny(between, (other) => areCut(other.path, path)) !== false;
  }

  /** A file has ended, or nothing more can be said of it. @returns as {@link content} */
  noMoreOf({ order }: Entry<Content>): Entry<Content>[] {
    return this.#lostBefore(order?.end());
  }

  /** Whole chunks were lost before one that jumped: then all damage up to it may have cost more than was known. */
  #lostBefore(jump: Jump | undefined): Entry<Content>[] {
    if (jump?.isGap !== true) return [];
    const places = this.#known.filter((place) => isBetween(place, jump));
    return places.flatMap((place) => this.moreLostAt(place));
  }

  /** More was lost than the damaged chunk that begins here. @returns as {@link content} */
  moreLostAt(place: number): Entry<Content>[] {
    this.#known = this.#known.filter((other) => other !== place);
    this.unreadable(place);
    const isConcerned = ({ lastContentAt, endAt }: Excused<Content>): boolean => lastContentAt < place && place < endAt;
    const found = this.#excused.filter(isConcerned);
    this.#excused = this.#excused.filter((excused) => !isConcerned(excused));
    return found.map(({ entry }) => entry);
  }

  /** Content came that leaves a gap, or fills one: chunks may come in any order, but this one may be another file's, too. */
  jumped(entry: Entry<Content>, fileOffset: number): void {
    if (this.#jumpCount === MOST_NOTED) return;
    const offsets = this.#jumps.get(entry) ?? new Set();
    this.#jumpCount += offsets.has(fileOffset) ? 0 : 1;
    this.#jumps.set(entry, offsets.add(fileOffset));
  }

  /** A file has ended, or nothing more can be said of it. @returns where the chunks of it belong that have {@link jumped} */
  takeJumps(entry: Entry<Content>): ReadonlySet<number> {
    const offsets = this.#jumps.get(entry) ?? new Set();
    this.#jumps.delete(entry);
    this.#jumpCount -= offsets.size;
    return offsets;
  }

  /** Whether the last part of a file whose chunks come in any order may have stood where the archive cannot be read. */
  get mayLack(): boolean {
    return this.#unreadableFrom !== Infinity;
  }

  /** Files of which chunks have {@link jumped}, and that have not ended. */
  get jumping(): Entry<Content>[] {
    return [...this.#jumps.keys()];
  }

  /**
   * A chunk does not fit the file it names.
   *
   * @returns whole files that may have lost it: they ended just there
   */
  stray(path: StoredPath, fileOffset: number): Entry<Content>[] {
    if (this.#noted === MOST_NOTED) return [];
    const names = this.#strays.get(fileOffset);
    if (names === undefined) this.#strays.set(fileOffset, new Set([path]));
    else if (names.has(path)) return [];
    else names.add(path);
    this.#noted += 1;
    if (fileOffset === 0 || this.#late === MOST_LATE) return [];
    this.#late += 1;
    const found: Entry<Content>[] = [];
    for (const entry of this.#files.entries) {
      if (entry.whole && entry.sizeBytes === fileOffset && mayHaveBeen(path, entry.path)) found.push(entry);
    }
    return found;
  }

  #hasStray(fileOffset: number, path: StoredPath): boolean | undefined {
    const names = this.#strays.get(fileOffset);
    return names === undefined ? false : this.#isAny(names, (other) => mayHaveBeen(other, path));
  }

  /** Whether one of these is such a one; undefined where too much has been compared to know. */
  #isAny<Item>(items: Iterable<Item>, isSuch: (item: Item) => boolean): boolean | undefined {
    for (const item of items) {
      if (this.#comparisons === MOST_COMPARISONS) return undefined;
      this.#comparisons += 1;
      if (isSuch(item)) return true;
    }
    return false;
  }

  /** Whether something speaks against a file with content whose end chunk has come. @param endAt where in the archive */
  isDoubtful(entry: Entry<Content>, endAt: number): boolean {
    const lastContentAt = lastContentOf(entry);
    if (lastContentAt < this.#unreadableTo || this.#hasStray(entry.sizeBytes, entry.path) !== false) return true;
    if (this.#mayBeGuessed(entry, lastContentAt, endAt)) return true;
    const last = this.#known.at(-1);
    if (last !== undefined && lastContentAt < last) {
      if (this.#excused.length === MOST_NOTED) return true;
      this.#excused.push({ entry, lastContentAt, endAt });
    }
    return false;
  }

  /** Files that are nothing but an end chunk, and may have lost what came before it, or are the end of another. */
  *doubtfulEmpty(): Iterable<Entry<Content>> {
    const { entries, open } = this.#files;
    if (open.size === 0 && !this.mayLack && this.#noted === 0) return;
    for (const entry of entries) {
      if (!entry.whole || !entry.endOnly) continue;
      // One that went on behind it had not ended there.
      const isOther = (other: Entry<Content>): boolean =>
        other.archiveOffset < entry.archiveOffset &&
        lastContentOf(other) < entry.archiveOffset &&
        (areLike(entry.path, other.path) || mayBeWorn(entry.path, other.path) || isShifted(other.path, entry.path));
      const isSound =
        this.#unreadableFrom >= entry.archiveOffset &&
        !isWorn(entry.path) &&
        !this.#mayBeGuessed(entry, -1, entry.archiveOffset) &&
        this.#isAny(open, isOther) === false &&
        this.#hasStray(0, entry.path) === false;
      if (!isSound) yield entry;
    }
  }
}

/** The files of the archive so far. */
interface KnownFiles<Content> {
  readonly entries: Iterable<Entry<Content>>;
  /** Those of them that are not whole. */
  readonly open: ReadonlySet<Entry<Content>>;
}

/** A file that has ended behind a damaged chunk: another of its chunks may have been lost there. */
interface Excused<Content> {
  entry: Entry<Content>;
  /** Where in the archive its last chunk with content begins. */
  lastContentAt: number;
  endAt: number;
}

/** Where a chunk stands in the archive, and where it belongs in its file. */
interface ContentPlace {
  readonly archiveOffset: number;
  readonly fileOffset: number;
}

function lastContentOf({ order }: Entry<unknown>): number {
  return order?.lastContentAt ?? -1;
}

/** Whether damage lies between the two chunks; the first may be the one that is damaged. */
function isBetween(place: number, { from, to }: Jump): boolean {
  return from <= place && place < to;
}
