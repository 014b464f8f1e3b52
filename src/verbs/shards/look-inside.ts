/** Looks into the files of an archive that a shard answers for: what was done to them must be undone without an error. */
import { Extents, ExtentReader } from '../../archive/extents.js';
import { readIndex, type ArchiveIndex, type IndexEntry } from '../../archive/index.js';
import { INSIDE_CODES, INSIDE_PROBLEMS_MAX } from '../../archive/shards/event-lines.js';
import type { InsideProblem } from '../../archive/shards/events.js';
import { isSalvageable } from '../../archive/salvage/salvage.js';
import type { DecryptionKey } from '../../codec/codec.js';
import type { Context } from '../../context.js';
import type { Decoding } from '../../engine/decoding/decoding.js';
import { setUpDecoding } from '../../engine/decoding/decoding-setup.js';
import { errorToRecord, XbstreamError } from '../../errors.js';
import { PIECE_BYTES, type Source } from '../../input/source.js';
import type { OutputFile } from '../../output/output.js';
import { DiscardingOutput } from '../../output/virtual-output.js';

export interface LookOptions {
  absoluteNames: boolean;
  key: DecryptionKey | undefined;
  /** Files that begin from here on, and before `until`. */
  start: number;
  until: number;
}

/** Most chunks that are noted as proven: the others are checked again. */
const PROVEN_MAX = 4_000_000;

/** What was found inside. */
export interface Inside {
  problems: InsideProblem[];
  files: number;
  /** Where chunks begin whose checksums held on the way, where nothing is wrong with any header of the archive. */
  proven: ReadonlySet<number>;
}

/**
 * @param source can seek; where it reads by an index, each header it reads is held against that
 * @returns undefined where it was told to stop
 * @throws XbstreamError `XB_USAGE` for an archive that corrects itself, `XB_BAD_INDEX`, `XB_IO`
 */
export async function lookInside(source: Source, options: LookOptions, context: Context): Promise<Inside | undefined> {
  const { absoluteNames, key, start, until } = options;
  const archive = await readIndex(source, { absoluteNames, allowEmpty: true, wantsExtents: () => true });
  assertUncorrected(archive);
  const decoding = await setUpDecoding({ decompress: true, key }, (message) => context.warning(message), false);
  const looking = new Looking(source, decoding!, context);
  for (const entry of archive.entries) {
    if (context.isStopped()) return undefined;
    if (entry.complete && entry.archiveOffset >= start && entry.archiveOffset < until) await looking.into(entry);
  }
  const { problems, files, proven } = looking;
  return { problems, files, proven: archive.problemCount === 0 ? proven : new Set() };
}

/** What a correction takes away was looked into by then, where an archive is read in its own order. */
function assertUncorrected({ corrections }: ArchiveIndex): void {
  if (corrections.length === 0) return;
  throw new XbstreamError('XB_USAGE', 'the archive cannot be looked into in shards: it corrects what came before', {
    details: ['it was taken while tables were altered: files are removed, renamed or written anew in it'],
    hints: ['verify --deep in one piece: leave out --shard', 'or in shards without --deep'],
  });
}

class Looking {
  files = 0;
  readonly problems: InsideProblem[] = [];
  readonly proven = new Set<number>();
  readonly #extents: ExtentReader;
  readonly #decoding: Decoding;
  readonly #output = new DiscardingOutput(false);
  readonly #context: Context;
  #bytes = 0;

  constructor(source: Source, decoding: Decoding, context: Context) {
    this.#extents = new ExtentReader(source);
    this.#decoding = decoding;
    this.#context = context;
  }

  async into({ path, bytes, chunks, extents = new Extents() }: IndexEntry): Promise<void> {
    this.files += 1;
    let chunkOffset: number | undefined;
    let file: OutputFile | undefined;
    try {
      // Nothing but an end chunk; a file may also consist of a hole.
      const opened = this.#decoding.open(path, this.#output, chunks === 1);
      file = opened;
      // As the archive has them, not in the order of the file: that may be what is wrong.
      for (let chunk = 0; chunk < extents.length; chunk += 1) {
        chunkOffset = extents.at(chunk).archiveOffset;
        await this.#extents.read(
          extents.slice(chunk, chunk + 1),
          {
            take: (piece, fileOffset) => {
              this.#bytes += piece.length;
              opened.write(piece, fileOffset);
            },
            afterPiece: () => this.#caughtUp(),
          },
          PIECE_BYTES,
        );
        if (this.#context.isStopped()) return;
        if (this.proven.size < PROVEN_MAX) this.proven.add(chunkOffset);
      }
      chunkOffset = undefined;
      opened.finish(bytes, () => undefined);
    } catch (error) {
      // Gives back the memory of what decodes.
      file?.abandon(false);
      if (!isSalvageable(error) || error.code === 'XB_BAD_INDEX') throw error;
      // What is wrong with its chunks is found when these are checked.
      if (!INSIDE_CODES.includes(error.code) || this.problems.length >= INSIDE_PROBLEMS_MAX) return;
      this.problems.push({ type: 'inside', path, chunkOffset, error: errorToRecord(error) });
    }
  }

  async #caughtUp(): Promise<void> {
    await this.#decoding.caughtUp();
    this.#context.progress({ bytes: this.#bytes });
  }
}
