import { XbstreamError } from '../errors.js';
import { pathText, type StoredPath } from '../format/stored-path.js';
import type { Source } from '../input/source.js';
import type { Entry } from './entry.js';
import { readIndex } from './index.js';
import type { Selection } from './selection.js';

/** Tells of each entry, while the archive is read, whether it is wanted. */
export interface WantedEntries {
  /** An entry begins. */
  begins(entry: Entry<unknown>): boolean;
  /** A rename gave the entry another name; `wanted` is what was said of it so far. */
  renamed(entry: Entry<unknown>, wanted: boolean): boolean;
  /** A correction means a file of this name, which the archive does not hold. */
  corrected(path: StoredPath): boolean;
}

/**
 * Decides by the names that entries have when they come. All there is on a pipe: a file that was passed over cannot be
 * brought back when a later rename gives it a wanted name.
 */
export class WantedByCurrentName implements WantedEntries {
  readonly #selection: Pick<Selection, 'wants' | 'covers'>;

  constructor(selection: Pick<Selection, 'wants' | 'covers'>) {
    this.#selection = selection;
  }

  begins(entry: Entry<unknown>): boolean {
    return this.#selection.wants(entry.path);
  }

  /** @throws XbstreamError `XB_NO_MATCH` when an entry that was passed over is wanted now */
  renamed(entry: Entry<unknown>, wanted: boolean): boolean {
    const now = this.#selection.wants(entry.path);
    if (now && !wanted) {
      throw new XbstreamError('XB_NO_MATCH', `${pathText(entry.path)} had another name when its content came by`, {
        path: entry.path,
        details: ['its content was passed over, since the name it had then was not selected'],
        hints: ['read the archive from a file instead of a pipe, or select everything'],
      });
    }
    return now;
  }

  corrected(path: StoredPath): boolean {
    return this.#selection.covers(path);
  }
}

/** Decides by final names, which a look through the archive's headers has told. */
export class WantedByFinalName implements WantedEntries {
  /** Entries are known again by where the archive mentions them first. */
  readonly #wanted: ReadonlySet<number>;
  readonly #selection: Selection;

  private constructor(wanted: ReadonlySet<number>, selection: Selection) {
    this.#wanted = wanted;
    this.#selection = selection;
  }

  /**
   * Looks through an archive without reading payloads. Damage is no matter here: whoever reads it in earnest will say so.
   *
   * @param source can seek; whoever reads it next rewinds it
   * @throws XbstreamError `XB_IO`
   */
  static async look(source: Source, selection: Selection, absoluteNames: boolean): Promise<WantedByFinalName> {
    const { entries } = await readIndex(source, {
      absoluteNames,
      leavesOut: (path) => selection.excludes(path),
      allowEmpty: true,
    });
    const wanted = entries.filter(({ path }) => selection.wants(path));
    return new WantedByFinalName(new Set(wanted.map(({ archiveOffset }) => archiveOffset)), selection);
  }

  begins(entry: Entry<unknown>): boolean {
    return this.#wanted.has(entry.archiveOffset);
  }

  renamed(_entry: Entry<unknown>, wanted: boolean): boolean {
    return wanted;
  }

  corrected(path: StoredPath): boolean {
    return this.#selection.covers(path);
  }
}
