import { NotedContent, NotesBudget } from '../../archive/noted-content.js';
import type { Entry } from '../../archive/entry.js';
import type { WantedEntries } from '../../archive/selection/wanted-entries.js';
import { smallFileKind } from './small-files.js';

/** Wants every entry, and keeps the content of the small files in which a backup tells of itself. */
export class SmallFileNotes implements WantedEntries {
  readonly #notes = new Map<Entry<unknown>, NotedContent>();
  readonly #budget = new NotesBudget();

  begins(entry: Entry<unknown>): boolean {
    if (smallFileKind(entry.path) !== undefined) this.#notes.set(entry, new NotedContent(this.#budget));
    return true;
  }

  renamed(): boolean {
    return true;
  }

  corrected(): boolean {
    return true;
  }

  notes(entry: Entry<unknown>): NotedContent | undefined {
    return this.#notes.get(entry);
  }

  /** What was kept of an entry; undefined where it is none of those, or too large. */
  contentOf(entry: Entry<unknown>): Buffer | undefined {
    return this.#notes.get(entry)?.content;
  }
}
