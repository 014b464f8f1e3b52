import type { StoredPath } from '../../format/stored-path.js';
import type { Entry } from '../entry.js';

/** More are not told apart: a hostile archive must not fill the memory, or have each be compared with all. */
const MOST_NOTED = 10_000;
const MOST_LATE = 1000;

/**
 * What speaks against files that look whole (format.md, "Which files are whole"): a chunk that may have been theirs, and
 * whose header was damaged so that it cannot be read, or names another file.
 */
export class SuspectFiles<Content> {
  readonly #entries: () => Iterable<Entry<Content>>;
  /** Open files whose next chunk may have been in a part that cannot be read. */
  readonly #atRisk = new Set<Entry<Content>>();
  /** Where the first part of the archive begins that cannot be read. */
  #unreadableFrom = Infinity;
  /** Chunks that do not fit the file they name: the names, by where in the file they say they belong. */
  readonly #strays = new Map<number, Set<StoredPath>>();
  /** Where chunks of open files say they belong that do not go on where the file ended: what they are shows when it ends. */
  readonly #jumps = new Map<Entry<Content>, Set<number>>();
  #jumpCount = 0;
  #noted = 0;
  #late = 0;

  /** @param entries all that are known, whole or open */
  constructor(entries: () => Iterable<Entry<Content>>) {
    this.#entries = entries;
  }

  /**
   * From here on a part of the archive cannot be read. How much of it there is says nothing: there may have been more.
   *
   * @returns the open files that may have lost something by it
   */
  unreadable(from: number): Entry<Content>[] {
    this.#unreadableFrom = Math.min(this.#unreadableFrom, from);
    const found = [...this.#entries()].filter((entry) => !entry.whole);
    for (const entry of found) this.#atRisk.add(entry);
    return found;
  }

  /** Content came that goes on where what came before ended: nothing of the file was lost in between. */
  continued(entry: Entry<Content>): void {
    if (this.#atRisk.size > 0) this.#atRisk.delete(entry);
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
    return [...this.#entries()].filter(
      (entry) => entry.whole && entry.sizeBytes === fileOffset && isClose(entry.path, path),
    );
  }

  /** Whether something speaks against a file with content whose end chunk has come. */
  isDoubtful(entry: Entry<Content>): boolean {
    if (this.#noted === 0 && this.#atRisk.size === 0) return false;
    if (this.#atRisk.has(entry)) return true;
    const names = this.#strays.get(entry.sizeBytes);
    return names !== undefined && [...names].some((path) => isClose(path, entry.path));
  }

  /** Files that are nothing but an end chunk, and may have lost what came before it, or are the end of another. */
  *doubtfulEmpty(): Iterable<Entry<Content>> {
    const open: Entry<Content>[] = [];
    for (const entry of this.#entries()) if (!entry.whole) open.push(entry);
    if (open.length === 0 && !this.mayLack && this.#noted === 0) return;
    const first = [...(this.#strays.get(0) ?? [])];
    for (const entry of this.#entries()) {
      if (!entry.whole || !entry.endOnly) continue;
      const isLost = this.#unreadableFrom < entry.archiveOffset;
      const isOther = open.some(
        ({ path, archiveOffset }) => archiveOffset < entry.archiveOffset && isClose(path, entry.path),
      );
      if (isLost || isOther || first.some((path) => isClose(path, entry.path))) yield entry;
    }
  }
}

/** Whether one name may have become the other by damage that left the chunk readable: no more than one bit differs. */
function isClose(a: StoredPath, b: StoredPath): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let at = 0; at < a.length; at += 1) {
    const bits = a.charCodeAt(at) ^ b.charCodeAt(at);
    if (bits === 0) continue;
    if (difference !== 0 || (bits & (bits - 1)) !== 0) return false;
    difference = bits;
  }
  return true;
}
