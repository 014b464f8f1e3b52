/** Judges an archive by what was found in its parts, as a verification in one piece does (docs/many-machines.md). */
import { errorFromRecord, XbstreamError } from '../../errors.js';
import type { ChunkHeader } from '../../format/chunk.js';
import type { StoredPath } from '../../format/stored-path.js';
import { flawsError, NO_FLAW, together } from '../../input/flaws.js';
import { ForeignInput } from '../foreign.js';
import { entryOfKnown, knownOf, type Known, type ShardEnd, type ShardEvent, type ShardHead } from './events.js';
import { ArchiveJudge } from './judge.js';
import type { PartConsumer, PartEnd } from './part-reader.js';
import { partOf, partStart } from './parts.js';
import type { ResultFile } from './result-file.js';

/** Most missing shards that an error names. */
const MOST_NAMED = 20;

/** What all parts together come to. */
export interface Merged {
  problems: readonly XbstreamError[];
  problemCount: number;
  archiveBytes: number;
  entries: number;
  entryBytes: number;
  /** The names of all whole files. */
  storedPaths: readonly StoredPath[];
  /** Files that nothing is wrong with. */
  soundFiles: readonly { path: StoredPath; sizeBytes: number }[];
}

/** Reads a part of the archive again: what {@link PartReader.read} does. Undefined where it was told to stop. */
export type ReadAgain = (from: number, until: number, consumer: PartConsumer) => PartEnd | undefined;

/**
 * Holds results against each other: they must be those of all shards of one archive.
 *
 * @returns them, in order
 * @throws XbstreamError `XB_USAGE`
 */
export function inOrder(results: readonly ResultFile[]): readonly ResultFile[] {
  const [first] = results;
  if (first === undefined) throw new XbstreamError('XB_USAGE', 'no result of a shard was given');
  const { shards } = first.head;
  const found: ResultFile[] = [];
  for (const result of results) {
    assertSameArchive(first, result);
    const { shard } = result.head;
    const other = found[shard - 1];
    if (other !== undefined) {
      throw new XbstreamError('XB_USAGE', `shard ${shard}/${shards} was given twice`, {
        details: [`${other.path} and ${result.path}`],
      });
    }
    found[shard - 1] = result;
  }
  const missing = Array.from({ length: shards }, (_, index) => index + 1).filter((shard) => !(shard - 1 in found));
  if (missing.length === 0) return found;
  throw new XbstreamError('XB_USAGE', `results are missing: those of ${missing.length} of ${shards} shards`, {
    details: missing.slice(0, MOST_NAMED).map((shard) => `shard ${shard}/${shards}`),
    hints: [`make them, each: tsxbstream verify --shard ${missing[0]!}/${shards} ARCHIVE > RESULT`],
  });
}

function assertSameArchive(first: ResultFile, other: ResultFile): void {
  const kinds: readonly (readonly [Exclude<keyof ShardHead, 'archive' | 'flaws'>, string])[] = [
    ['archiveBytes', 'archives of different sizes'],
    ['archiveDigest', 'different archives of the same size'],
    ['shards', 'archives divided into different numbers of shards'],
    ['absoluteNames', 'runs with and without --absolute-names'],
    ['deep', 'runs with and without --deep, or a key'],
  ];
  const different = kinds.find(([field]) => first.head[field] !== other.head[field]);
  if (different === undefined) return;
  const [field, what] = different;
  throw new XbstreamError('XB_USAGE', `these are results of ${what}`, {
    details: [first, other].map(({ path, head }) => `${path}: ${String(head[field])}`),
    hints: ['all results must be of the same archive, and of the same number of shards'],
  });
}

/** Goes through the parts of an archive from its start, as one that reads it does. */
export class Merging {
  readonly #results: readonly ResultFile[];
  readonly #judge: ArchiveJudge;
  readonly #head: ShardHead;
  readonly #readAgain: ReadAgain | undefined;

  /**
   * @param results of all shards, in order
   * @param readAgain reads what no result tells; missing where the archive is not at hand
   */
  constructor(results: readonly ResultFile[], readAgain: ReadAgain | undefined) {
    this.#results = results;
    this.#head = results[0]!.head;
    this.#judge = new ArchiveJudge(
      this.#head.absoluteNames,
      results.flatMap(({ inside }) => inside),
    );
    this.#readAgain = readAgain;
  }

  /**
   * @returns undefined where it was told to stop
   * @throws XbstreamError `XB_USAGE` where results do not fit each other, and the archive is not at hand; `XB_IO`
   */
  run(allowEmpty: boolean): Merged | undefined {
    for (let at = 0; ;) {
      const end = this.#part(at);
      if (end === undefined) return undefined;
      if ('archiveBytes' in end && end.archiveBytes !== this.#head.archiveBytes) throw this.#nonsense(end.archiveBytes);
      if ('archiveBytes' in end) return this.#merged(end.archiveBytes, this.#judge.end(allowEmpty));
      if ('foreign' in end) {
        const { problems, problemCount } = this.#judge.soFar;
        const { code, message, ...facts } = end.foreign;
        const foreign = new ForeignInput(code, message, facts);
        return this.#merged(0, { problems: [...problems, foreign], problemCount: problemCount + 1 });
      }
      if ('nothing' in end || end.next <= at || end.next >= this.#head.archiveBytes) throw this.#nonsense(at);
      at = end.next;
    }
  }

  #merged(archiveBytes: number, found: Pick<Merged, 'problems' | 'problemCount'>): Merged {
    const flaws = this.#results.map(({ head }) => head.flaws);
    const wrong = flawsError({
      // Each has seen all that is missing, or it was lost meanwhile.
      missing: flaws.map((each) => each?.missing ?? NO_FLAW).reduce((a, b) => (b.count > a.count ? b : a)),
      mislabelled: together(flaws.map((each) => each?.mislabelled ?? NO_FLAW)),
    });
    const problems = [...(wrong === undefined ? [] : [wrong]), ...found.problems];
    const problemCount = Math.max(problems.length, found.problemCount);
    return { ...this.#judge.totals(), problems, problemCount, archiveBytes, ...this.#judge.files() };
  }

  /** Takes what a part from here on tells, up to the next one. */
  #part(at: number): ShardEnd | undefined {
    const { shards, archiveBytes } = this.#head;
    // The archive may begin with anything; and where it is empty there is but one part.
    const part = at === 0 ? 0 : partOf(at, shards, archiveBytes);
    const result = this.#results[part]!;
    return at === 0 || result.skipTo(at) ? this.#replay(result) : this.#again(at, this.#judge);
  }

  #replay(result: ResultFile): ShardEnd | undefined {
    let from: number | undefined;
    /** What has been told from that chunk on, and what was answered. */
    let told = 0;
    let answers: Known[] = [];
    for (let event = result.take(); event !== undefined; event = result.take()) {
      if (event.type === 'answer') {
        if (knownOf(this.#judge.entryOf(event.path)) === event.known) {
          answers.push(event.known);
          continue;
        }
        if (from === undefined) throw this.#nonsense(this.#head.archiveBytes);
        // Whoever read the part did not know what came before it: behind this chunk it has to be read with that.
        return this.#again(from, new Resumed(this.#judge, told, answers));
      }
      if (event.type === 'chunk') {
        from = event.header.archiveOffset;
        told = 0;
        answers = [];
      }
      told += 1;
      this.#apply(event);
    }
    return result.end;
  }

  #apply(event: Exclude<ShardEvent, { type: 'answer' }>): void {
    switch (event.type) {
      case 'chunk':
        this.#judge.chunk(event.header, event.spanBytes);
        break;
      case 'lost':
        this.#judge.lostChunk(event.header);
        break;
      case 'damage':
        this.#judge.damaged(errorFromRecord(event.error), event.path, event.unreadableFrom);
        break;
      case 'doubt':
        this.#judge.doubted(event.path);
        break;
    }
  }

  #again(from: number, consumer: PartConsumer): PartEnd | undefined {
    const { shards, archiveBytes } = this.#head;
    if (from >= archiveBytes) throw this.#nonsense(from);
    const next = partStart(partOf(from, shards, archiveBytes) + 1, shards, archiveBytes);
    if (this.#readAgain !== undefined) return this.#readAgain(from, next, consumer);
    throw new XbstreamError('XB_USAGE', 'the results alone do not tell: a part of the archive has to be read again', {
      details: [
        `from archive byte ${from} on; what stands before it decides how that is read, or it holds an archive itself`,
      ],
      hints: [
        'name the archive, so that this part of it can be read: tsxbstream verify --merge --archive ARCHIVE RESULT...',
      ],
    });
  }

  #nonsense(at: number): XbstreamError {
    return new XbstreamError('XB_USAGE', `the results make no sense at archive byte ${at}`, {
      hints: ['make them anew, with one version of this program'],
    });
  }
}

/** Passes over what is known already. */
class Resumed implements PartConsumer {
  readonly #consumer: PartConsumer;
  #known: number;
  readonly #answers: Iterator<Known>;

  /**
   * @param known how many events are
   * @param answers what was answered meanwhile
   */
  constructor(consumer: PartConsumer, known: number, answers: readonly Known[]) {
    this.#consumer = consumer;
    this.#known = known;
    this.#answers = answers.values();
  }

  chunk(header: ChunkHeader, spanBytes: number): void {
    if (this.#isNew()) this.#consumer.chunk(header, spanBytes);
  }

  damaged(error: XbstreamError, path: StoredPath | undefined, unreadableFrom?: number): void {
    if (this.#isNew()) this.#consumer.damaged(error, path, unreadableFrom);
  }

  lostChunk(header: ChunkHeader): void {
    if (this.#isNew()) this.#consumer.lostChunk(header);
  }

  doubted(path: StoredPath): void {
    if (this.#isNew()) this.#consumer.doubted(path);
  }

  entryOf(path: StoredPath): { chunks: number; whole: boolean } | undefined {
    const next = this.#answers.next();
    return next.done === true ? this.#consumer.entryOf(path) : entryOfKnown(next.value);
  }

  #isNew(): boolean {
    if (this.#known === 0) return true;
    this.#known -= 1;
    return false;
  }
}
