import { ForeignInput } from '../archive/foreign.js';
import { readIndex, type ArchiveIndex, type IndexEntry } from '../archive/index.js';
import { ExtentReader, SMALL_PIECE_BYTES } from '../archive/read-extents.js';
import { Selection } from '../archive/selection.js';
import type { Clue } from '../archive/table-selection.js';
import { readIndexFor, WantedByCurrentName, type NameChoice } from '../archive/wanted-entries.js';
import { Decoding } from '../engine/decoding.js';
import { Lane } from '../engine/lane.js';
import { XbstreamError } from '../errors.js';
import { pathText, type StoredPath } from '../format/stored-path.js';
import { inputSize } from '../input/input-size.js';
import { PIECE_BYTES, type ByteSink, type Source } from '../input/source.js';
import { StreamOutput, type ContentSink } from '../output/stream-output.js';
import type { CommonReporter } from '../ui/reporter.js';
import type { CatOptions } from './cat-options.js';
import { interruptibly } from './interruptibly.js';
import { tellProblems } from './problems.js';

/**
 * Writes the content of files of an archive, one after the other. Where the input can seek, only their own extents are
 * read beside the headers.
 *
 * @param write takes the content
 * @throws XbstreamError any code; `XB_NO_MATCH` for a pattern that matches nothing
 * @throws the signal's reason after it was aborted
 */
export async function cat(
  options: CatOptions,
  write: ContentSink,
  reporter: CommonReporter,
  signal: AbortSignal,
): Promise<void> {
  await interruptibly(options.input, signal, async (source) => {
    const wanted = new WantedFiles(options);
    const sink: ContentSink = async (bytes) => {
      signal.throwIfAborted();
      await write(bytes);
    };
    const output = new StreamOutput(sink, (path) => (source.seekable ? 0 : wanted.rank(path)));
    const decoding = new Decoding(
      { decompress: options.decompress, key: options.key },
      {
        pool: undefined,
        onUnprovenKey: () =>
          reporter.warning('an old format of encryption cannot prove the key: with a wrong one this is garbage'),
      },
    );
    const tools = { options, wanted, output, decoding, reporter, signal };
    if (source.seekable) await catByPosition(source, tools);
    else await catAsItComes(source, tools);
  });
}

interface CatTools {
  options: CatOptions;
  wanted: WantedFiles;
  output: StreamOutput;
  decoding: Decoding;
  reporter: CommonReporter;
  signal: AbortSignal;
}

/** Which files are wanted, and in which order. */
class WantedFiles implements NameChoice {
  /** One for each pattern, then one for all else that was given. */
  readonly #selections: readonly Selection[];

  constructor({ patterns, selection }: CatOptions) {
    const { include, tables = [], databases = [], exclude } = selection;
    const single = patterns.map((pattern) => new Selection({ include: [pattern], exclude }));
    this.#selections =
      include.length + tables.length + databases.length > 0 ? [...single, new Selection(selection)] : single;
  }

  /** The place of a file in the order; -1 when it is not wanted. */
  rank(path: StoredPath): number {
    // All are asked, so that each knows whether it ever matched.
    return this.#selections.map((selection) => selection.wants(path)).indexOf(true);
  }

  wants(path: StoredPath): boolean {
    return this.rank(path) !== -1;
  }

  covers(path: StoredPath): boolean {
    return this.#selections.some((selection) => selection.covers(path));
  }

  /** What is written is asked for by name. */
  readonly isEverything = false;

  tells(path: StoredPath): boolean {
    return this.#selections.some((selection) => selection.tells(path));
  }

  learn(clues: readonly Clue[]): void {
    for (const selection of this.#selections) selection.learn(clues);
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

async function catByPosition(source: Source, tools: CatTools): Promise<void> {
  const { options, wanted, output, decoding, reporter } = tools;
  const { absoluteNames, allowEmpty } = options;
  // Another one, since a name that a file loses later is no match.
  const first = new WantedFiles(options);
  const { index: names, errors } = await readIndexFor(wanted, source, options.key, {
    absoluteNames,
    allowEmpty,
    wantsExtents: (_ordinal, path) => first.wants(path),
  });
  for (const problem of names.problems) if (problem instanceof ForeignInput) throw problem;
  const ranks = new Map<number, number>();
  for (const { path, ordinal } of names.entries) {
    const rank = wanted.rank(path);
    if (rank !== -1) ranks.set(ordinal, rank);
  }
  const unmatched = [...errors, ...wanted.unmatched()];
  // Nothing is written when something is missing and damage may be why.
  if (unmatched.length > 0 && names.problemCount > 0) tellProblems([...names.problems, ...unmatched], reporter);
  // A file that got its name by a rename was not known to be wanted when its content came.
  const isPassedOver = names.entries.some((entry) => ranks.has(entry.ordinal) && !entry.extents && entry.bytes > 0);
  const { entries } = isPassedOver ? await readAgain(source, ranks, absoluteNames) : names;
  const chosen = entries.filter(({ ordinal }) => ranks.has(ordinal));
  chosen.sort((a, b) => ranks.get(a.ordinal)! - ranks.get(b.ordinal)! || a.ordinal - b.ordinal);
  const extents = new ExtentReader(source);
  const flush = (): Promise<void> => output.flush();
  for (const entry of chosen) {
    if (!entry.complete) throw incomplete(entry, names);
    await decoding.written(() => give(entry, extents, tools), flush);
  }
  // A file may have lost its end to a header that cannot be read: it is not known to be whole.
  tellProblems([...names.problems, ...unmatched], reporter);
}

/** Gives an entry to the output; content that is not decoded is written as it comes. */
async function give(entry: IndexEntry, extents: ExtentReader, { output, decoding }: CatTools): Promise<void> {
  decoding.renamed(entry.contentPath, entry.path);
  const isDecoded = decoding.layersOf(entry.path).layers.length > 0;
  const file = decoding.open(entry.path, output, entry.extents === undefined);
  const consumer = {
    take: (bytes: Buffer, fileOffset: number) => file.write(bytes, fileOffset),
    settled: async () => (isDecoded ? decoding.ready() : output.flush()),
  };
  if (entry.extents !== undefined) {
    await extents.read(entry.extents, consumer, isDecoded ? SMALL_PIECE_BYTES : PIECE_BYTES);
  }
  file.finish(entry.bytes, () => undefined);
  await decoding.pending.until(0);
}

/** A second look, for where the content of the wanted entries lies. */
function readAgain(
  source: Source,
  wanted: ReadonlyMap<number, unknown>,
  absoluteNames: boolean,
): Promise<ArchiveIndex> {
  source.rewind!();
  return readIndex(source, { absoluteNames, allowEmpty: true, wantsExtents: (ordinal) => wanted.has(ordinal) });
}

function incomplete(entry: IndexEntry, { problems }: ArchiveIndex): XbstreamError {
  const own = problems.find(({ path }) => path === entry.path) ?? problems[0];
  if (own !== undefined) return own;
  return new XbstreamError('XB_MISSING_EOF', `${pathText(entry.path)} is not complete`, { path: entry.path });
}

async function catAsItComes(source: Source, tools: CatTools): Promise<void> {
  const { options, wanted, output, decoding, reporter, signal } = tools;
  const lane = new Lane({
    output,
    decoding,
    wanted: new WantedByCurrentName(wanted, options.key),
    absoluteNames: options.absoluteNames,
    allowEmpty: options.allowEmpty,
    jump: false,
    digests: [],
    onFile: () => undefined,
  });
  const totalBytes = inputSize(options.input);
  const flush = (): Promise<void> => output.flush();
  const sink: ByteSink = {
    room: () => lane.room(),
    push: async (piece) => {
      for (let at = 0; at < piece.length; at += SMALL_PIECE_BYTES) {
        const part = piece.subarray(at, at + SMALL_PIECE_BYTES);
        await decoding.written(async () => lane.push(part), flush);
      }
      reporter.progress({ bytes: lane.archiveBytes, totalBytes });
    },
    skippableBytes: 0,
    skip: () => undefined,
  };
  try {
    await source.run(sink);
    signal.throwIfAborted();
    const problems = await decoding.written(() => lane.end(), flush);
    tellProblems([...problems, ...(problems.length === 0 ? wanted.unmatched() : [])], reporter);
  } finally {
    lane.abandon([], false);
  }
}
