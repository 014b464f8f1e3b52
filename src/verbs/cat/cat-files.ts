/** The work of `cat`: finds the files, undoes their layers, and gives their content in order. */
import type { Context } from '../../context.js';
import { ForeignInput } from '../../archive/foreign.js';
import { readIndex, type ArchiveIndex, type IndexEntry } from '../../archive/index.js';
import { ExtentReader, SMALL_PIECE_BYTES } from '../../archive/extents.js';
import { readIndexFor, WantedByCurrentName } from '../../archive/selection/wanted-entries.js';
import type { LayerChoice } from '../../codec/stored-layers.js';
import { Decoding } from '../../engine/decoding/decoding.js';
import { encryptedAmong, keyRequired, TAKE_RAW } from '../../engine/decoding/encrypted-files.js';
import { Lane } from '../../engine/lane.js';
import { withSource } from '../../engine/with-source.js';
import { XbstreamError } from '../../errors.js';
import { pathText, type StoredPath } from '../../format/stored-path.js';
import { byIndex, inputSize } from '../../input/open-source.js';
import { RingWriter } from '../../input/stream/ring.js';
import { PIECE_BYTES, type ByteSink, type Source } from '../../input/source.js';
import { caught, isGood, type Outcome } from '../../outcome.js';
import { StreamOutput, type ContentSink } from '../../output/stream-output.js';
import type { TaskThread } from '../../threads/task-thread.js';
import type { CatJob, CatOptions } from './cat-options.js';
import { AS_STORED, WantedAsTheyCome, WantedFiles } from './wanted-files.js';

/**
 * Where the input can seek, only the extents of these files are read beside the headers.
 *
 * @param write takes the content
 */
export async function catInto(options: CatOptions, write: ContentSink, context: Context): Promise<Outcome<undefined>> {
  const sink: ContentSink = async (bytes) => {
    context.signal.throwIfAborted();
    await write(bytes);
  };
  return withSource(byIndex(options), context, async (source) => {
    const tools = { options, sink, context };
    const problems = await (source.seekable ? catByPosition(source, tools) : catAsItComes(source, tools));
    return { summary: undefined, problems, stopped: false };
  });
}

/** In a thread of its own, for a reader in another. */
export async function catIntoRing({ options, output }: CatJob, thread: TaskThread): Promise<Outcome<undefined>> {
  const ring = new RingWriter(output);
  thread.signal.addEventListener('abort', () => ring.wake(), { once: true });
  const write: ContentSink = async (bytes) => {
    await ring.writeAll(bytes, () => thread.signal.aborted);
    thread.signal.throwIfAborted();
  };
  const outcome = await caught(catInto(options, write, thread), thread.signal);
  if (isGood(outcome)) ring.end(false);
  return outcome;
}

interface CatTools {
  options: CatOptions;
  sink: ContentSink;
  context: Context;
}

/** @param choose what is undone of a stored file */
function decodingOf(
  { options, context }: CatTools,
  output: StreamOutput,
  choose: (path: StoredPath) => LayerChoice,
): Decoding {
  return new Decoding(
    { choose, key: options.key },
    {
      onUnprovenKey: () =>
        context.warning('an old format of encryption cannot prove the key: with a wrong one this is garbage'),
      slowOutput: { isFull: () => output.isFull, drain: () => output.flush() },
    },
  );
}

/** @returns what is wrong with the archive */
async function catByPosition(source: Source, tools: CatTools): Promise<readonly XbstreamError[]> {
  const { options, context } = tools;
  const { absoluteNames, allowEmpty } = options;
  const wanted = new WantedFiles(options);
  const { index: names, errors } = await readIndexFor(wanted, source, options.key, {
    absoluteNames,
    leavesOut: (path) => wanted.excludes(path),
    allowEmpty,
    wantsExtents: (_ordinal, path) => wanted.covers(path),
  });
  for (const problem of names.problems) if (problem instanceof ForeignInput) throw problem;
  wanted.hold(names.entries);
  const found = new Map<number, { rank: number; choice: LayerChoice }>();
  for (const { path, ordinal } of names.entries) {
    const file = wanted.find(path);
    if (file !== undefined) found.set(ordinal, file);
  }
  const unmatched = [...errors, ...wanted.unmatched()];
  // Nothing is written when something is missing and damage may be why.
  if (unmatched.length > 0 && names.problemCount > 0) return [...names.problems, ...unmatched];
  // A file that got its name by a rename was not known to be wanted when its content came.
  const isPassedOver = names.entries.some((entry) => found.has(entry.ordinal) && !entry.extents && entry.bytes > 0);
  const { entries } = isPassedOver ? await readAgain(source, found, options, wanted) : names;
  const chosen = entries.flatMap((entry) => {
    const file = found.get(entry.ordinal);
    return file === undefined ? [] : [{ entry, ...file }];
  });
  chosen.sort((a, b) => a.rank - b.rank || a.entry.ordinal - b.entry.ordinal);
  if (options.key === undefined) assertNoKeyNeeded(chosen);
  let current = AS_STORED;
  const output = new StreamOutput(tools.sink, () => 0);
  const decoding = decodingOf(tools, output, () => current);
  const extents = new ExtentReader(source);
  source.expectChunks?.(chunksOf(chosen.map(({ entry }) => entry)));
  const totalBytes = chosen.reduce((sum, { entry }) => sum + entry.bytes, 0);
  let bytes = 0;
  for (const [files, { entry, choice }] of chosen.entries()) {
    if (!entry.complete) throw incomplete(entry, names);
    current = choice;
    const took = (count: number): void => {
      bytes += count;
      context.progress({ bytes, totalBytes, files, path: entry.path });
    };
    await give(entry, { extents, output, decoding, took });
  }
  // A file may have lost its end to a header that cannot be read: it is not known to be whole.
  return [...names.problems, ...unmatched];
}

/** Where the chunks stand that are read, in this order. */
function chunksOf(entries: readonly IndexEntry[]): Float64Array {
  return Float64Array.from(entries.flatMap(({ extents }) => [...(extents?.inFileOrder() ?? [])]));
}

/** @throws XbstreamError `XB_KEY_REQUIRED`, before anything is written */
function assertNoKeyNeeded(chosen: readonly { entry: IndexEntry; choice: LayerChoice }[]): void {
  const decrypted = chosen.filter(({ choice }) => choice.decrypt);
  const locked = encryptedAmong(decrypted.map(({ entry: { path, bytes } }) => ({ path, sizeBytes: bytes })));
  if (locked !== undefined) throw keyRequired(locked, 'nothing was written', TAKE_RAW);
}

interface GiveTools {
  extents: ExtentReader;
  output: StreamOutput;
  decoding: Decoding;
  /** Called with how many bytes of its content were read. */
  took: (bytes: number) => void;
}

/** Gives an entry to the output; content that is not decoded is written as it comes. */
async function give(entry: IndexEntry, { extents, output, decoding, took }: GiveTools): Promise<void> {
  decoding.renamed(entry.contentPath, entry.path);
  const isDecoded = decoding.layersOf(entry.path).layers.length > 0;
  const file = decoding.open(entry.path, output, entry.extents === undefined);
  const consumer = {
    take: (bytes: Buffer, fileOffset: number) => {
      file.write(bytes, fileOffset);
      took(bytes.length);
    },
    afterPiece: async () => {
      await decoding.caughtUp();
      await output.flush();
    },
  };
  if (entry.extents !== undefined) {
    await extents.read(entry.extents, consumer, isDecoded ? SMALL_PIECE_BYTES : PIECE_BYTES);
  }
  file.finish(entry.bytes, () => undefined);
  await output.flush();
}

/** A second look, for where the content of the wanted entries lies. */
function readAgain(
  source: Source,
  ordinals: ReadonlyMap<number, unknown>,
  { absoluteNames }: CatOptions,
  wanted: WantedFiles,
): Promise<ArchiveIndex> {
  source.rewind!();
  return readIndex(source, {
    absoluteNames,
    leavesOut: (path) => wanted.excludes(path),
    allowEmpty: true,
    wantsExtents: (ordinal) => ordinals.has(ordinal),
  });
}

function incomplete(entry: IndexEntry, { problems }: ArchiveIndex): XbstreamError {
  const own = problems.find(({ path }) => path === entry.path) ?? problems[0];
  if (own !== undefined) return own;
  return new XbstreamError('XB_MISSING_EOF', `${pathText(entry.path)} is not complete`, { path: entry.path });
}

/** @returns what is wrong with the archive */
async function catAsItComes(source: Source, tools: CatTools): Promise<readonly XbstreamError[]> {
  const { options, context } = tools;
  let files = 0;
  const wanted = new WantedAsTheyCome(options);
  const output = new StreamOutput(tools.sink, (name) => wanted.rank(name));
  const decoding = decodingOf(tools, output, (path) => wanted.choice(path));
  const lane = new Lane({
    output,
    decoding,
    wanted: new WantedByCurrentName(wanted, options.key),
    absoluteNames: options.absoluteNames,
    leavesOut: (path) => wanted.excludes(path),
    allowEmpty: options.allowEmpty,
    jump: false,
    onFile: () => {
      files += 1;
    },
  });
  const totalBytes = inputSize(options.input);
  const sink: ByteSink = {
    room: () => lane.room(),
    push: async (piece) => {
      for (let at = 0; at < piece.length; at += SMALL_PIECE_BYTES) {
        const part = piece.subarray(at, at + SMALL_PIECE_BYTES);
        await lane.push(part);
        await output.flush();
      }
      context.progress({ bytes: source.inputBytes ?? lane.archiveBytes, totalBytes, files, path: lane.path });
    },
    skippableBytes: 0,
    skip: () => undefined,
  };
  try {
    await source.run(sink);
    context.signal.throwIfAborted();
    const problems = await lane.end();
    await output.flush();
    return problems.length === 0 ? wanted.unmatched() : problems;
  } finally {
    lane.abandon([], false);
  }
}
