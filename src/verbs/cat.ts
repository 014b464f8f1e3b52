/** `cat`: writes the content of files of an archive, one after the other. */
import { ForeignInput } from '../archive/foreign.js';
import { readIndex, type ArchiveIndex, type IndexEntry } from '../archive/index.js';
import { ExtentReader, SMALL_PIECE_BYTES } from '../archive/extents.js';
import { readIndexFor, WantedByCurrentName } from '../archive/selection/wanted-entries.js';
import type { LayerChoice } from '../codec/stored-layers.js';
import { Decoding } from '../engine/decoding/decoding.js';
import { encryptedAmong, keyRequired, TAKE_RAW } from '../engine/decoding/encrypted-files.js';
import { Lane } from '../engine/lane.js';
import { withSource } from '../engine/with-source.js';
import { XbstreamError } from '../errors.js';
import { pathText, type StoredPath } from '../format/stored-path.js';
import { inputSize } from '../input/input-size.js';
import { byIndex, isWaitedFor, type InputChoice } from '../input/open-source.js';
import { withParts } from '../input/parts/part-hint.js';
import { RingWriter, type RingHandle } from '../input/stream/ring.js';
import { PIECE_BYTES, type ByteSink, type Source } from '../input/source.js';
import { caught, isGood, type Outcome } from '../outcome.js';
import { StreamOutput, type ContentSink } from '../output/stream-output.js';
import type { TaskThread } from '../threads/task-thread.js';
import { makePlainReporter } from '../ui/make-inspect-reporter.js';
import { stdoutSink } from './stdout-sink.js';
import { catInThread } from './cat-in-thread.js';
import { AS_STORED, WantedAsTheyCome, WantedFiles } from './cat-wanted.js';
import { readArchive } from './options/inputs.js';
import { pick, reworded, type Told } from './options/option.js';
import { COMMON, KEY_FILE_OR_VARIABLE, keyOption, OPTIONS, READING, SELECTION } from './options/table.js';
import { usageError } from './options/usage-error.js';
import { defineVerb, tellProblems, type Context } from './verb.js';

const CALL = 'tsxbstream cat';

export const CAT_OPTIONS = {
  ...pick(OPTIONS, 'index', 'raw', 'allowEmpty'),
  ...pick(OPTIONS, ...SELECTION),
  ...pick(OPTIONS, ...READING),
  ...pick(OPTIONS, ...COMMON),
  /**
   * Undo compression also of files that were asked for by their stored names, such as `t.ibd.zst`. Default: false. (Encryption
   * is undone where a `key` is given.)
   */
  decompress: reworded(OPTIONS.decompress, {
    decompress: 'decompress .qp, .lz4 and .zst files also where they were asked for by these names',
  }),
  key: reworded(
    keyOption((values) => !values.has('raw')),
    KEY_FILE_OR_VARIABLE,
  ),
};

/** Everything that writing the content of files can be told. */
export interface CatOptions extends Told<typeof CAT_OPTIONS> {
  input: InputChoice;
  /** Their content comes in this order; each may match several files, those in the archive's order. What else chooses files comes behind them. */
  patterns: readonly string[];
  /** Decrypt also files that were asked for by their stored names. */
  decrypt: boolean;
}

/** What asks for decoding, whatever a file is called. */
const DECODING_WORDS = ['decompress', 'decrypt', 'encrypt-key', 'encrypt-key-file'] as const;

export const cat = defineVerb({
  call: CALL,
  usage: ['tsxbstream cat [options] ARCHIVE PATH...'],
  summary: 'write the content of files to stdout',
  description: [
    'Writes the content of the files that match the PATHs to stdout, one after the other. Of an ARCHIVE that is a file nothing else is read.',
    'A file comes out under the name it was asked for by: xtrabackup_info of an archive that holds xtrabackup_info.zst.xbcrypt is decrypted and decompressed, xtrabackup_info.zst only decrypted, and xtrabackup_info.zst.xbcrypt is what is stored. With --decompress or a key that, too, is decoded; with --raw nothing is.',
    'Exit code 0 means that all of it has come and every checksum held.',
  ],
  examples: [
    { command: 'tsxbstream cat backup.xbstream xtrabackup_checkpoints', purpose: 'one small file' },
    {
      command: 'tsxbstream cat -f KEYFILE backup.xbstream shop/orders.ibd > orders.ibd',
      purpose: 'one table, as it was on the server',
    },
  ],
  options: CAT_OPTIONS,

  check: (values) => {
    const asked = DECODING_WORDS.find((name) => values.has(name));
    if (!values.has('raw') || asked === undefined) return;
    throw usageError(`--raw and --${asked} exclude each other`, '--raw gives what is stored: leave out one of them');
  },

  read: (options, words, surroundings): CatOptions => {
    const { values } = words;
    const { include, tables, databases } = options;
    const named = { call: CALL, more: ' PATH', namesStdin: true };
    const { input, patterns } = readArchive(options, words, surroundings, named);
    if (patterns.length + include.length + tables.length + databases.length === 0) {
      throw usageError(
        'it is not said which file to write',
        'as in: tsxbstream cat ARCHIVE xtrabackup_info',
        'the names in it: tsxbstream list ARCHIVE',
      );
    }
    const isAsked = DECODING_WORDS.some((name) => values.has(name));
    const isDecryptionOff = values.last('decrypt')?.toUpperCase() === 'NONE';
    return { ...options, input, patterns, decrypt: isAsked && !isDecryptionOff };
  },

  run: (options, context) => {
    const write = stdoutSink(process.stdout);
    return isWaitedFor(options.input) ? catInThread(options, write, context) : catInto(options, write, context);
  },

  reporter: (options, streams, paint) => makePlainReporter({ ...options, json: false }, streams, paint),

  tell: ({ problems }, reporter) => tellProblems(problems, reporter),
});

/**
 * Where the input can seek, only the extents of these files are read beside the headers.
 *
 * @param write takes the content
 */
async function catInto(options: CatOptions, write: ContentSink, context: Context): Promise<Outcome<undefined>> {
  const sink: ContentSink = async (bytes) => {
    context.signal.throwIfAborted();
    await write(bytes);
  };
  const problems = await withSource(byIndex(options), context, (source) => {
    const tools = { options, sink, context };
    return source.seekable ? catByPosition(source, tools) : catAsItComes(source, tools);
  });
  return { summary: undefined, problems: withParts(problems, options.input), stopped: false };
}

/** In a thread of its own, for a reader in another. */
export async function catIntoRing(
  { options, output }: { options: CatOptions; output: RingHandle },
  thread: TaskThread,
): Promise<Outcome<undefined>> {
  const ring = new RingWriter(output);
  thread.signal.addEventListener('abort', () => ring.wake(), { once: true });
  const write: ContentSink = async (bytes) => {
    let left = bytes.subarray(ring.write(bytes));
    while (left.length > 0) {
      await ring.room();
      thread.signal.throwIfAborted();
      left = left.subarray(ring.write(left));
    }
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
  const stored = new Set<StoredPath>();
  const wanted = new WantedFiles(options, (name) => stored.has(name));
  const { index: names, errors } = await readIndexFor(wanted, source, options.key, {
    absoluteNames,
    leavesOut: (path) => wanted.excludes(path),
    allowEmpty,
    wantsExtents: (_ordinal, path) => wanted.covers(path),
  });
  for (const problem of names.problems) if (problem instanceof ForeignInput) throw problem;
  for (const { path } of names.entries) {
    stored.add(path);
    wanted.note(path);
  }
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
  /** So many bytes of its content were read. */
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
    settled: async () => {
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
