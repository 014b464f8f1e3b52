import type { ChunkHeader } from '../../format/chunk.js';
import type { StoredPath } from '../../format/stored-path.js';
import { errorFromRecord, type XbstreamError } from '../../errors.js';
import { EntryTable } from '../entry-table.js';
import { DamageReport } from '../salvage/damage-report.js';
import { isSalvageable } from '../salvage/salvage.js';
import type { InsideProblem } from './events.js';
import type { PartConsumer } from './part-reader.js';

/** Judges an archive by its chunks and its damage, as they are told in archive order: what a verification in one piece says of it. */
export class ArchiveJudge implements PartConsumer {
  readonly #table: EntryTable<never>;
  readonly #damage: DamageReport<never>;
  /** What is not told yet of what is inside of files. */
  readonly #inside: Map<StoredPath, InsideProblem>;
  #chunks = 0;

  /** @param inside at most one of each file */
  constructor(absoluteNames: boolean, inside: readonly InsideProblem[] = []) {
    this.#inside = new Map(inside.map((problem) => [problem.path, problem]));
    // Nothing is left out; but to ask for it looks at names first, as a verification in one piece does.
    this.#table = new EntryTable({ absoluteNames, leavesOut: () => false, keepsGoing: true });
    this.#damage = new DamageReport(this.#table);
  }

  chunk(header: ChunkHeader, spanBytes: number): void {
    this.#chunks += 1;
    this.#guard(header.path, () => this.#damage.apply(header, spanBytes));
    if (this.#inside.size === 0) return;
    const path = this.#table.find(header.path)?.path;
    const problem = path && this.#inside.get(path);
    if (problem === undefined) return;
    if (header.type === 'end' || header.archiveOffset === problem.chunkOffset) this.#tell(problem);
  }

  #tell({ path, error }: InsideProblem): void {
    this.#inside.delete(path);
    this.#damage.damaged(errorFromRecord(error), path);
  }

  damaged(error: XbstreamError, path: StoredPath | undefined, unreadableFrom?: number): void {
    this.#damage.damaged(error, path, unreadableFrom);
  }

  lostChunk(header: ChunkHeader): void {
    this.#guard(header.path, () => this.#damage.lostChunk(header));
  }

  doubted(path: StoredPath): void {
    this.#damage.doubted(path);
  }

  entryOf(path: StoredPath): { chunks: number; whole: boolean } | undefined {
    return this.#damage.entryOf(path);
  }

  /** The archive has ended. @returns what is wrong with it; fewer problems than there are, if there are very many */
  end(allowEmpty: boolean): { problems: readonly XbstreamError[]; problemCount: number } {
    for (const problem of this.#inside.values()) this.#tell(problem);
    this.#damage.end(this.#chunks, allowEmpty);
    return this.soFar;
  }

  /** What is wrong with what has come. */
  get soFar(): { problems: readonly XbstreamError[]; problemCount: number } {
    const { problems, count } = this.#damage;
    return { problems, problemCount: count };
  }

  /** The files of the archive, whole or not: how many, and what their sizes add up to. */
  totals(): { entries: number; entryBytes: number } {
    const totals = { entries: 0, entryBytes: 0 };
    for (const { sizeBytes } of this.#table.entries) {
      totals.entries += 1;
      totals.entryBytes += sizeBytes;
    }
    return totals;
  }

  /** The names of all whole files, and those of them that have lost nothing. */
  files(): { storedPaths: StoredPath[]; soundFiles: { path: StoredPath; sizeBytes: number }[] } {
    const whole = [...this.#table.entries].filter((entry) => entry.whole);
    const sound = whole.filter((entry) => !this.#damage.has(entry)).sort((a, b) => a.ordinal - b.ordinal);
    return {
      storedPaths: whole.map(({ path }) => path),
      soundFiles: sound.map(({ path, sizeBytes }) => ({ path, sizeBytes })),
    };
  }

  /** What is wrong with a chunk costs a file, not the archive. */
  #guard(path: StoredPath, work: () => unknown): void {
    try {
      work();
    } catch (error) {
      if (!isSalvageable(error)) throw error;
      this.#damage.damaged(error, path);
    }
  }
}
