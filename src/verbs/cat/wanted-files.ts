/**
 * Which files are wanted, in which order, and what is undone of them: a file comes under the most decoded of its names that
 * was asked for, and is none that another file has. So `t.ibd` is `t.ibd.zst` decompressed where there is no `t.ibd` itself.
 */
import { Selection } from '../../archive/selection/selection.js';
import type { TableMetadata } from '../../archive/selection/table-selection.js';
import type { NameChoice } from '../../archive/selection/wanted-entries.js';
import { layersOf, namesWhileDecoded, type LayerChoice } from '../../codec/stored-layers.js';
import { XbstreamError } from '../../errors.js';
import { pathText, type StoredPath } from '../../format/stored-path.js';
import type { CatOptions } from './cat-options.js';

/** A file that is wanted. */
interface WantedFile {
  /** Its place in the order. */
  rank: number;
  /** The name that it was asked for by: its own, or that without the suffixes of what was done to it. */
  name: StoredPath;
  /** What is undone of it. */
  choice: LayerChoice;
}

export const AS_STORED: LayerChoice = { decrypt: false, decompress: false };

export class WantedFiles {
  /** One for each pattern, then one for all else that was given. */
  readonly #selections: readonly Selection[];
  readonly #options: CatOptions;
  /** Names of files that the archive holds, as far as they count: see {@link find}. */
  protected readonly stored = new Set<StoredPath>();

  constructor(options: CatOptions) {
    const { patterns, include, tables, databases, exclude } = options;
    const single = patterns.map((pattern) => new Selection({ include: [pattern], exclude }));
    const isMore = include.length + tables.length + databases.length > 0;
    this.#selections = isMore ? [...single, new Selection({ ...options, tablesAlone: true })] : single;
    this.#options = options;
  }

  /** What is wanted of a file of this name, if there is one. */
  find(path: StoredPath): WantedFile | undefined {
    for (const [rank, selection] of this.#selections.entries()) {
      if (!selection.covers(path)) continue;
      const names = namesWhileDecoded(path);
      const asked = names.filter(({ name }) => selection.asksFor(name));
      // A name that leaves away more suffixes than can be undone means the most decoded one.
      const meant = asked.length > 0 ? asked : names;
      const found = meant.find(({ name }) => name === path || !this.stored.has(name));
      if (found !== undefined) return { rank, name: found.name, choice: this.#choice(found.choice) };
    }
    return undefined;
  }

  #choice({ decrypt, decompress }: LayerChoice): LayerChoice {
    const { raw, ...all } = this.#options;
    return raw ? AS_STORED : { decrypt: decrypt || all.decrypt, decompress: decompress || all.decompress };
  }

  /** The archive holds these files. */
  hold(files: Iterable<{ path: StoredPath }>): void {
    for (const { path } of files) {
      this.stored.add(path);
      this.note(path);
    }
  }

  /** What matches the name of a file that the archive holds is not {@link unmatched} any more. */
  protected note(path: StoredPath): void {
    for (const selection of this.#selections) selection.wants(path);
  }

  /** Whether a file of this name would be wanted, under whichever name. */
  covers(path: StoredPath): boolean {
    return this.#selections.some((selection) => selection.covers(path));
  }

  /** Whether a file of this name is left out whatever else is said. */
  excludes(path: StoredPath): boolean {
    return this.#selections.some((selection) => selection.excludes(path));
  }

  tells(path: StoredPath): boolean {
    return this.#selections.some((selection) => selection.tells(path));
  }

  learnNames(paths: readonly StoredPath[]): void {
    for (const selection of this.#selections) selection.learnNames(paths);
  }

  learn(metadata: readonly TableMetadata[]): void {
    for (const selection of this.#selections) selection.learn(metadata);
  }

  unknownRenames(leftOut: readonly StoredPath[]): XbstreamError[] {
    return this.#selections.flatMap((selection) => selection.unknownRenames(leftOut));
  }

  restart(): void {
    for (const selection of this.#selections) selection.restart();
  }

  passedOver(paths: readonly StoredPath[]): XbstreamError {
    return this.#selections.at(-1)!.passedOver(paths);
  }

  unmatched(): XbstreamError[] {
    return this.#selections.flatMap((selection) => selection.unmatched());
  }
}

/** The same of a pipe: a file begins before it is known which others there are. */
export class WantedAsTheyCome extends WantedFiles implements NameChoice {
  /** What is written is asked for by name. */
  readonly isEverything = false;
  /** Stored names, by the names under which the files were asked for. */
  readonly #given = new Map<StoredPath, StoredPath>();
  /** Places in the order, by names as decoded. */
  readonly #ranks = new Map<StoredPath, number>();
  /** As what files were written, by their stored names. */
  readonly #written = new Map<StoredPath, WantedFile>();
  #isJudging = false;

  /** @throws XbstreamError `XB_UNSUPPORTED_ORDER`, `XB_UNSAFE_PATH` */
  wants(path: StoredPath): boolean {
    this.note(path);
    const other = this.#given.get(path);
    if (other !== undefined && other !== path) throw ownNameTaken(path, other);
    const found = this.find(path);
    if (found === undefined) return false;
    this.stored.add(path);
    // A file whose name it could not have may be gone by the end.
    const written = this.#isJudging ? this.#written.get(path) : undefined;
    if (written !== undefined && written.name !== found.name) throw writtenOtherwise(path, written, found);
    this.#written.set(path, found);
    this.#given.set(found.name, path);
    this.#ranks.set(layersOf(path, found.choice).finalName, found.rank);
    return true;
  }

  override restart(): void {
    super.restart();
    this.#isJudging = true;
    this.stored.clear();
    this.#given.clear();
  }

  choice(path: StoredPath): LayerChoice {
    return this.find(path)?.choice ?? AS_STORED;
  }

  /** @param name as decoded */
  rank(name: StoredPath): number {
    return this.#ranks.get(name) ?? 0;
  }
}

function ownNameTaken(path: StoredPath, other: StoredPath): XbstreamError {
  return new XbstreamError('XB_UNSUPPORTED_ORDER', `the archive holds ${pathText(path)} behind ${pathText(other)}`, {
    path,
    details: ['the latter was written in its place by then'],
    hints: ['read the archive from a file instead of a pipe'],
  });
}

function writtenOtherwise(path: StoredPath, written: WantedFile, found: WantedFile): XbstreamError {
  return new XbstreamError(
    'XB_UNSUPPORTED_ORDER',
    `${pathText(path)} was written as ${pathText(written.name)}, and ${pathText(found.name)} was asked for`,
    {
      path,
      details: ['the file that had this name was removed or renamed further on in the archive'],
      hints: ['read the archive from a file instead of a pipe'],
    },
  );
}
