import type { EntryChange } from '../archive/entry-table.js';
import type { Entry } from '../archive/entry.js';
import type { WantedEntries } from '../archive/selection/wanted-entries.js';
import type { StoredPath } from '../format/stored-path.js';
import type { ForeignCorrection, Output, OutputFile } from '../output/output.js';
import type { Decoding } from './decoding/decoding.js';
import { PagedFile } from './decoding/paged-file.js';

/** A stored file on its way into an output. */
export type OutputEntry = Entry<OutputFile>;

export interface EntryFilesOptions {
  output: Output;
  /** Undoes layers on the way; without it files are written as they are stored. */
  decoding: Decoding | undefined;
  wanted: WantedEntries;
  /** A file is complete. */
  onFile: (path: StoredPath, sizeBytes: number) => void;
}

/**
 * The files that the entries of an archive become in an output, as its chunks change them.
 *
 * A file that consists of an end chunk alone is made only when the archive has ended well: damage to a path elsewhere may
 * have left that end chunk behind.
 */
export class EntryFiles {
  readonly #options: EntryFilesOptions;
  readonly #hasLost: (entry: OutputEntry) => boolean;
  /** What content comes for. */
  #current: OutputEntry | undefined;
  /** Wanted entries that are nothing but an end chunk. */
  readonly #empty = new Set<OutputEntry>();
  /** Earlier content that is kept aside until what is to take its place is whole: by that. */
  readonly #aside = new Map<OutputEntry, OutputEntry>();
  /** See {@link leftOver}. */
  readonly #leftOver: OutputEntry[] = [];

  /** @param hasLost whether an entry has lost something, so that it must not become a file */
  constructor(options: EntryFilesOptions, hasLost: (entry: OutputEntry) => boolean) {
    this.#options = options;
    this.#hasLost = hasLost;
  }

  /** What has its final name is removed, renamed and replaced as any other file, whatever was said of it later. */
  #isLost(entry: OutputEntry): boolean {
    return !entry.isWritten && this.#hasLost(entry);
  }

  /** A file that others are about to give its final name has it after that. */
  #awaitName(entry: OutputEntry): void {
    if (entry.whole && entry.content !== undefined && !entry.isWritten) this.#options.output.awaitNames?.();
  }

  /** Entries that the archive does not hold any more, and of which something is left in the output. */
  get leftOver(): readonly OutputEntry[] {
    return this.#leftOver;
  }

  /** The chunk brings content. @returns where it goes, by way of {@link write}; undefined when nobody wants it */
  content(change: EntryChange<OutputFile> & { kind: 'content' }): OutputFile | undefined {
    const { entry, begins } = change;
    this.#makeWay(change);
    if (begins && this.#options.wanted.begins(entry)) this.#open(entry, false);
    this.#current = entry;
    if (!this.#isLost(entry)) return entry.content;
    entry.content?.giveUp?.();
    return undefined;
  }

  /** Content of the chunk that {@link content} was told of last. */
  write(bytes: Buffer, fileOffset: number): void {
    const entry = this.#current!;
    // The first bytes tell what file it is. Files that need no more than being written get nothing in between.
    if (fileOffset === 0) entry.content = PagedFile.over(entry.content!, bytes, this.#options.output.blockBytes);
    entry.content!.write(bytes, fileOffset);
  }

  /** What an entry replaces goes, or is kept aside. */
  #makeWay({ entry, replaced, isTentative }: EntryChange<OutputFile> & { kind: 'content' | 'whole' }): void {
    if (replaced === undefined) return;
    this.#awaitName(replaced);
    if (!isTentative || this.#isLost(replaced)) {
      this.drop(replaced);
      return;
    }
    if (replaced.isWritten) replaced.content?.setAside();
    this.#empty.delete(replaced);
    this.#aside.set(entry, replaced);
  }

  /** The chunk changes what has come before. */
  change(change: EntryChange<OutputFile>): void {
    switch (change.kind) {
      case 'whole':
        this.#makeWay(change);
        this.#whole(change.entry);
        break;
      case 'remove':
        this.#remove(change);
        break;
      case 'rename':
        this.#rename(change);
        break;
      case 'content':
      case 'nothing':
        break;
    }
  }

  /** @param onError told what cannot be made; the others are made unless it throws */
  makeEmpty(onError: (error: unknown, path: StoredPath) => void): void {
    for (const entry of this.#empty) {
      if (this.#isLost(entry)) continue;
      try {
        this.#open(entry, true);
        this.#finish(entry);
      } catch (error) {
        onError(error, entry.path);
      }
    }
    this.#empty.clear();
  }

  /** Whether an entry is a file of the output, or becomes one at the end. */
  has(entry: OutputEntry): boolean {
    return entry.content !== undefined || this.#empty.has(entry);
  }

  /** What was kept aside gets its name again: nothing whole has come to take its place. */
  restore(pairs: readonly (readonly [lost: OutputEntry, earlier: OutputEntry])[]): void {
    for (const [lost, earlier] of pairs) {
      this.#empty.delete(lost);
      this.#awaitName(lost);
      if (lost.content !== undefined) {
        lost.content.abandon(false);
        this.#leftOver.push(lost);
      }
      if (!this.#aside.delete(lost)) continue;
      if (earlier.isWritten) earlier.content?.restore();
      else if (earlier.endOnly) this.#empty.add(earlier);
    }
  }

  /** A file that has its final name has lost something after all. */
  lostAfterAll(entry: OutputEntry): void {
    this.#empty.delete(entry);
    this.#awaitName(entry);
    if (entry.isWritten) this.#takeName(entry);
  }

  #takeName(entry: OutputEntry): void {
    // What was there before is not ours to move.
    if (entry.content?.kept === false) entry.content.setAside();
    entry.unmarkWritten();
  }

  #whole(entry: OutputEntry): void {
    if (this.#isLost(entry)) {
      entry.content?.giveUp?.();
    } else if (entry.endOnly) {
      if (this.#options.wanted.begins(entry)) this.#empty.add(entry);
    } else if (entry.content !== undefined) {
      this.#finish(entry);
    }
  }

  #open(entry: OutputEntry, empty: boolean): void {
    const { decoding, output } = this.#options;
    entry.content = decoding === undefined ? output.open(entry.path) : decoding.open(entry.path, output, empty);
  }

  #finish(entry: OutputEntry): void {
    const file = entry.content!;
    file.finish(entry.sizeBytes, () => {
      entry.markWritten();
      if (this.#hasLost(entry)) {
        // While another thread was at it.
        this.#takeName(entry);
        return;
      }
      this.#dropEarlier(entry);
      this.#options.onFile(file.path, file.sizeBytes);
    });
  }

  #remove({ path, entry }: EntryChange<OutputFile> & { kind: 'remove' }): void {
    const isWritten = entry?.content !== undefined;
    if (entry !== undefined) this.drop(entry);
    if (!isWritten) this.#correctForeign(path, { remove: true, isStored: entry !== undefined });
  }

  /** What has the name was there before: this run has not written it, or not yet, as empty files. */
  #correctForeign(path: StoredPath, correction: ForeignCorrection): void {
    const { decoding, output, wanted } = this.#options;
    if (!wanted.corrected(path)) return;
    output.correctForeign(decoding?.layersOf(path).finalName ?? path, correction);
  }

  /** A whole entry is no longer part of the archive's content, or is not wanted. */
  drop(entry: OutputEntry): void {
    const isEmpty = this.#empty.delete(entry);
    this.#awaitName(entry);
    this.#dropEarlier(entry);
    if (this.#isLost(entry)) {
      // It has but a partial file, and that may be all there is left of it.
      entry.content?.abandon(false);
      this.#leftOver.push(entry);
      return;
    }
    if (!isEmpty) entry.content?.remove();
    entry.content = undefined;
  }

  /** What an entry has replaced is not to come back. */
  #dropEarlier(entry: OutputEntry): void {
    const earlier = this.#aside.get(entry);
    if (earlier === undefined) return;
    this.#aside.delete(entry);
    this.drop(earlier);
  }

  #rename({ path, entry, replaced }: EntryChange<OutputFile> & { kind: 'rename' }): void {
    if (entry === undefined) {
      this.#correctForeign(path, { remove: false, isStored: false });
      return;
    }
    this.#awaitName(entry);
    if (replaced !== undefined) this.#awaitName(replaced);
    this.#dropEarlier(entry);
    if (this.#isLost(entry)) {
      // Another may get the name that it would have had.
      entry.content?.abandon(false);
      if (replaced !== undefined) this.drop(replaced);
      return;
    }
    if (replaced !== undefined && this.#isLost(replaced)) {
      this.drop(replaced);
      replaced = undefined;
    }
    const had = entry.content !== undefined || this.#empty.has(entry);
    const wanted = this.#options.wanted.renamed(entry, had);
    if (wanted && entry.content !== undefined) {
      entry.content.rename(this.#options.decoding?.renamed(path, entry.path) ?? entry.path, replaced?.content);
      if (replaced !== undefined) {
        this.#empty.delete(replaced);
        this.#dropEarlier(replaced);
      }
      return;
    }
    if (replaced !== undefined) this.drop(replaced);
    if (entry.content === undefined) this.#correctForeign(path, { remove: true, isStored: true });
    if (!wanted) this.drop(entry);
  }
}
