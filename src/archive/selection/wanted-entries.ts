/** Decides which entries are read, by what is known: their current names on a pipe, their final ones in a file. */
import type { DecryptionKey } from '../../codec/codec.js';
import { DecodedBudget, smallContent } from '../../codec/small-content.js';
import { XbstreamError } from '../../errors.js';
import { pathText, type StoredPath } from '../../format/stored-path.js';
import type { Source } from '../../input/source.js';
import type { Entry } from '../entry.js';
import { readIndex, type ArchiveIndex, type ReadIndexOptions } from '../index.js';
import { NotedContent, NotesBudget } from '../noted-content.js';
import type { Selection } from './selection.js';
import { readHeads } from './tablespace-heads.js';
import { tableFileOf, tellsSpaceId } from './table-files.js';
import type { TableMetadata } from './table-selection.js';

/** Most bytes of a table's definition, when it is decoded. */
const DEFINITION_BYTES_MAX = 1024 * 1024;
/** The same of a file that holds a name. */
const NAME_BYTES_MAX = 4096;

/** Tells of each entry, while the archive is read, whether it is wanted. */
export interface WantedEntries {
  /** An entry begins. */
  begins(entry: Entry<unknown>): boolean;
  /** A rename gave the entry another name; `wanted` is what was said of it so far. */
  renamed(entry: Entry<unknown>, wanted: boolean): boolean;
  /** A correction means a file of this name, which the archive does not hold. */
  corrected(path: StoredPath): boolean;
  /** Takes the content of this entry, wanted or not; undefined where it says nothing of others. */
  notes?(entry: Entry<unknown>): NotedContent | undefined;
  /**
   * The archive has ended well. Only now it may be known which entries are wanted.
   *
   * @param entries all there are
   * @returns undefined where what was said of them so far holds
   */
  judge?(entries: Iterable<Entry<unknown>>): Judgement | undefined;
}

/** Which entries are wanted in the end. */
export interface Judgement {
  wants(entry: Entry<unknown>): boolean;
  /** What keeps this from being certain. */
  errors: XbstreamError[];
  /** The error for entries that are wanted and were passed over. */
  passedOver(paths: readonly StoredPath[]): XbstreamError;
}

/** What decides by names: a selection, or several. */
export type NameChoice = Pick<
  Selection,
  'isEverything' | 'wants' | 'covers' | 'tells' | 'learnNames' | 'learn' | 'unknownRenames' | 'restart' | 'passedOver'
>;

/**
 * Decides by the names that entries have when they come. All there is on a pipe: a file that was passed over cannot be
 * brought back when it turns out at the end that it is wanted; that is an error then.
 */
export class WantedByCurrentName implements WantedEntries {
  readonly #choice: NameChoice;
  readonly #key: DecryptionKey | undefined;
  readonly #notes = new Map<Entry<unknown>, NotedContent>();
  readonly #budget = new NotesBudget();

  /** @param key reads small files that say what tables were renamed to */
  constructor(choice: NameChoice, key: DecryptionKey | undefined) {
    this.#choice = choice;
    this.#key = key;
  }

  begins(entry: Entry<unknown>): boolean {
    if (this.#choice.tells(entry.path)) this.#notes.set(entry, new NotedContent(this.#budget));
    return this.#choice.wants(entry.path);
  }

  /** @throws XbstreamError `XB_NO_MATCH` when an entry that was passed over is wanted now */
  renamed(entry: Entry<unknown>, wanted: boolean): boolean {
    const now = this.#choice.wants(entry.path);
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
    return this.#choice.covers(path);
  }

  notes(entry: Entry<unknown>): NotedContent | undefined {
    return this.#notes.size === 0 ? undefined : this.#notes.get(entry);
  }

  judge(entries: Iterable<Entry<unknown>>): Judgement | undefined {
    return this.#choice.isEverything ? undefined : this.#judge([...entries]);
  }

  #judge(entries: readonly Entry<unknown>[]): Judgement {
    const choice = this.#choice;
    const noted = entries.filter((entry) => entry.whole && choice.tells(entry.path));
    const stored = noted.map((entry) => {
      const notes = this.#notes.get(entry);
      return { path: entry.path, content: notes === undefined ? Buffer.alloc(0) : notes.content };
    });
    choice.learnNames(entries.map(({ path }) => path));
    const errors = learnFrom(stored, choice, this.#key);
    // What was removed or renamed meanwhile is no match any more.
    choice.restart();
    const wanted = new Set(entries.filter(({ path }) => choice.wants(path)));
    const leftOut = entries.filter((entry) => !wanted.has(entry)).map(({ path }) => path);
    errors.push(...choice.unknownRenames(leftOut));
    return { errors, wants: (entry) => wanted.has(entry), passedOver: (paths) => choice.passedOver(paths) };
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
   * @returns also what keeps it from being certain which entries are wanted
   * @throws XbstreamError `XB_IO`
   */
  static async look(
    source: Source,
    selection: Selection,
    key: DecryptionKey | undefined,
    absoluteNames: boolean,
  ): Promise<{ wanted: WantedByFinalName; errors: XbstreamError[] }> {
    const { index, errors } = await readIndexFor(selection, source, key, {
      absoluteNames,
      leavesOut: (path) => selection.excludes(path),
      allowEmpty: true,
    });
    const wanted = index.entries.filter(({ path }) => selection.wants(path));
    const offsets = new Set(wanted.map(({ archiveOffset }) => archiveOffset));
    // Only who reads the content finds out which of two copies is whole.
    for (const [path, archiveOffset] of index.earlier) if (selection.covers(path)) offsets.add(archiveOffset);
    return { wanted: new WantedByFinalName(offsets, selection), errors };
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

/**
 * Makes the index of an archive, and has a selection know what the small files say of which entries it means.
 *
 * @returns also the errors for such files that cannot be read
 * @throws XbstreamError `XB_IO`
 */
export async function readIndexFor(
  choice: Pick<NameChoice, 'tells' | 'learnNames' | 'learn'>,
  source: Source,
  key: DecryptionKey | undefined,
  options: ReadIndexOptions,
): Promise<{ index: ArchiveIndex; errors: XbstreamError[] }> {
  const index = await readIndex(source, { ...options, wantsContent: (path) => choice.tells(path) });
  choice.learnNames(index.entries.map(({ path }) => path));
  const stored = index.entries.filter(({ path, complete }) => complete && choice.tells(path));
  const metadata = stored.map(({ path, content, bytes }) => ({
    path,
    content: bytes === 0 ? Buffer.alloc(0) : content,
  }));
  const errors = learnFrom(metadata, choice, key);
  // Only now it is known whether those must tell their numbers.
  const tablespaces = index.entries.filter(
    (entry) => entry.complete && tellsSpaceId(entry.path) && choice.tells(entry.path),
  );
  if (tablespaces.length === 0 || source.bytesAt === undefined) return { index, errors };
  const heads = await readHeads(source, tablespaces, key);
  choice.learn(heads.metadata);
  return { index, errors: [...errors, ...heads.errors] };
}

/**
 * Has a choice know what small files say of which entries it means.
 *
 * @param stored the files as they are stored; without content where they are too large
 * @returns the errors for those that cannot be read and may concern any table
 */
function learnFrom(
  stored: readonly { path: StoredPath; content: Buffer | undefined }[],
  choice: Pick<NameChoice, 'learn'>,
  key: DecryptionKey | undefined,
): XbstreamError[] {
  const metadata: TableMetadata[] = [];
  const errors: XbstreamError[] = [];
  const budget = new DecodedBudget();
  for (const { path, content } of stored) {
    const kind = tableFileOf(path)?.kind;
    // That a table was dropped is said by the name alone.
    if (kind === 'dropped') {
      metadata.push({ path, content: Buffer.alloc(0) });
      continue;
    }
    try {
      if (content === undefined) throw new XbstreamError('XB_UNSUPPORTED_LAYER', 'it is too large for that');
      const mostBytes = kind === 'renamed' ? NAME_BYTES_MAX : DEFINITION_BYTES_MAX;
      metadata.push({ path, content: smallContent(path, content, key, { mostBytes, budget }) });
    } catch (error) {
      if (!(error instanceof XbstreamError)) throw error;
      // A definition that cannot be read speaks for its own table alone: it says nothing of its content.
      if (kind === 'renamed') errors.push(unread(path, error));
    }
  }
  choice.learn(metadata);
  return errors;
}

function unread(path: StoredPath, { code, message, hints }: XbstreamError): XbstreamError {
  return new XbstreamError(code, `${pathText(path)} says what a table was renamed to, and cannot be read`, {
    path,
    details: [message, 'it may be one of the tables that are asked for'],
    hints,
  });
}
