/** The thread that checks one part of an archive, and notes what it finds. */
import { archiveDigest } from '../../archive/shards/archive-digest.js';
import { endLine, EventWriter, headLine, insideLine } from '../../archive/shards/event-lines.js';
import type { ShardEnd, ShardHead } from '../../archive/shards/events.js';
import { PartReader } from '../../archive/shards/part-reader.js';
import { partStart } from '../../archive/shards/parts.js';
import { ShardRecorder } from '../../archive/shards/recorder.js';
import { ForeignInput } from '../../archive/foreign.js';
import type { Context } from '../../context.js';
import { withSource } from '../../engine/with-source.js';
import { errorFromRecord, errorToRecord, XbstreamError } from '../../errors.js';
import { flawsError, type InputFlaws } from '../../input/flaws.js';
import { IndexedSource } from '../../input/indexed/indexed-source.js';
import type { Source } from '../../input/source.js';
import type { Outcome } from '../../outcome.js';
import type { ShardSummary } from '../../ui/reporter.js';
import type { ShardChoice } from '../options/value-kinds.js';
import type { VerifyOptions } from '../unpack/unpack-options.js';
import { archiveNames, archiveSize } from './archive-facts.js';
import { lookInside } from './look-inside.js';

/** Lines are handed on in pieces of about this size, in letters. */
const PIECE_LETTERS = 64 * 1024;

export interface CheckShardOptions extends Pick<VerifyOptions, 'input' | 'absoluteNames' | 'deep' | 'key' | 'index'> {
  choice: ShardChoice;
}

export function checkShard(options: CheckShardOptions, context: Context): Promise<Outcome<ShardSummary>> {
  return withSource(options.input, context, (source) => check(source, options, context));
}

async function check(raw: Source, options: CheckShardOptions, context: Context): Promise<Outcome<ShardSummary>> {
  const { input, absoluteNames, choice, index } = options;
  const archiveBytes = sizeOf(raw, options);
  // All headers of the part are read, and so held against the index: what it says of another archive is found out.
  const source = index === undefined ? raw : new IndexedSource(raw, index, context.isStopped);
  const { shard, shards } = choice;
  const progress = (bytes: number): void => context.progress({ bytes });
  const until = partStart(shard, shards, archiveBytes);
  const start = partStart(shard - 1, shards, archiveBytes);
  const inside = options.deep ? await lookInside(source, { ...options, start, until }, context) : undefined;
  const reader = new PartReader(source, {
    ...{ absoluteNames, isStopped: context.isStopped, onProgress: progress },
    proven: inside?.proven,
  });
  const from = shard === 1 ? 0 : reader.find(start, until);
  const lines = new Lines();
  const writer = new EventWriter(from ?? 0);
  const recorder = new ShardRecorder(absoluteNames, (event) => lines.add(writer.lineOf(event)));
  for (const problem of inside?.problems ?? []) lines.add(insideLine(problem));
  let end: ShardEnd | undefined = { nothing: true };
  // The first part has a chunk even where it is smaller than that.
  if (from !== undefined) end = readPart(reader, from, Math.max(until, 1), recorder);
  const head = {
    ...{ shard, shards, archiveBytes, absoluteNames, from },
    archive: archiveNames(input),
    archiveDigest: archiveDigest(source, archiveBytes),
    deep: depthOf(options),
    flaws: flawsFound(raw),
  };
  if (end === undefined || context.isStopped()) return { summary: undefined, problems: [], stopped: true };
  lines.add(endLine(end));
  const flaws = head.flaws && flawsError(head.flaws);
  const problems = [
    ...(flaws === undefined ? [] : [flaws]),
    ...(inside?.problems ?? []).map(({ error }) => errorFromRecord(error)),
    ...recorder.problems,
    ...('foreign' in end ? [errorFromRecord(end.foreign)] : []),
  ];
  const stop = 'next' in end ? end.next : archiveBytes;
  const bytes = from === undefined ? 0 : stop - from;
  return {
    problems,
    stopped: false,
    summary: {
      ...{ ...choice, chunks: recorder.chunks, bytes, files: inside?.files },
      result: [headLine(head), ...lines.pieces()],
    },
  };
}

function depthOf({ deep, key }: CheckShardOptions): ShardHead['deep'] {
  if (!deep) return 'no';
  return key === undefined ? 'but encrypted' : 'yes';
}

function flawsFound(source: Source): InputFlaws | undefined {
  const flaws = source.flaws?.();
  return flaws !== undefined && flawsError(flaws) !== undefined ? flaws : undefined;
}

function readPart(reader: PartReader, from: number, until: number, recorder: ShardRecorder): ShardEnd | undefined {
  try {
    return reader.read(from, until, recorder);
  } catch (error) {
    if (error instanceof ForeignInput) return { foreign: errorToRecord(error) };
    throw error;
  }
}

/** @throws XbstreamError `XB_USAGE` where an archive cannot be divided */
function sizeOf(source: Source, { input }: CheckShardOptions): number {
  const archiveBytes = archiveSize(source, input);
  if (archiveBytes !== undefined) return archiveBytes;
  const wrapped = 'it is compressed or encrypted as a whole';
  const isWrapped = source.wrappers !== undefined && input.kind !== 'descriptor';
  const file = isWrapped ? wrapped : 'it is no file that can be read at any place';
  const why = input.kind === 'address' ? `${wrapped}, or its server gives no ranges of bytes` : file;
  throw new XbstreamError('XB_USAGE', `the archive cannot be divided into shards: ${why}`, {
    hints: ['verify it in one piece: leave out --shard'],
  });
}

/** Text that grows line by line. */
class Lines {
  readonly #pieces: string[] = [];
  #lines: string[] = [];
  #letters = 0;

  add(line: string): void {
    this.#lines.push(line);
    this.#letters += line.length;
    if (this.#letters >= PIECE_LETTERS) this.#close();
  }

  pieces(): readonly string[] {
    this.#close();
    return this.#pieces;
  }

  #close(): void {
    if (this.#lines.length > 0) this.#pieces.push(this.#lines.join(''));
    this.#lines = [];
    this.#letters = 0;
  }
}
