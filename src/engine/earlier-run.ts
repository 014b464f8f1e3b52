/** Lets an extraction go on after an earlier one, where the archive corrects itself. */
import { readIndex, type FileHistory, type IndexEntry } from '../archive/index.js';
import { ExtentReader, SMALL_PIECE_BYTES } from '../archive/extents.js';
import { isRefusal, XbstreamError } from '../errors.js';
import type { StoredPath } from '../format/stored-path.js';
import type { Source } from '../input/source.js';
import type { KeptFile } from '../output/directory/kept-file.js';
import type { OutputFile } from '../output/output.js';
import { Decoding, type DecodingChoice } from './decoding/decoding.js';

/** What an earlier run may have left in an output. */
interface EarlierFiles {
  readonly blockBytes: number;
  /** A file of this name that was there before this run, to be compared; undefined where there is none. */
  earlier(path: StoredPath): KeptFile | undefined;
  /** Takes it away: this run writes it anew. */
  forgetEarlier(path: StoredPath): void;
}

interface EarlierRunOptions extends DecodingChoice {
  absoluteNames: boolean;
  leavesOut: (path: StoredPath) => boolean;
  /** Whether a file of this name would be written. */
  covers: (path: StoredPath) => boolean;
}

/**
 * Makes an extraction that keeps existing files go on after one that was broken off, where the archive removes, renames or
 * replaces what it has stored before: an earlier run may have left any state of such a file. There are few of them. Each that
 * has the very content of one of the states is known to be of that run; it is taken away, and written anew in its turn. What
 * has none of them is somebody else's, and is left for the extraction to be told.
 *
 * @param source can seek; whoever reads it next rewinds it
 * @throws XbstreamError `XB_IO`
 */
export async function forgetCorrected(source: Source, files: EarlierFiles, options: EarlierRunOptions): Promise<void> {
  const { absoluteNames, leavesOut, covers } = options;
  const look = { absoluteNames, leavesOut, allowEmpty: true, wantsHistory: true };
  // A new one each time: what goes wrong with one comparison is none of the next one's business.
  const newDecoding = (): Decoding => new Decoding(options, { onUnprovenKey: () => undefined });
  const names = newDecoding();
  const nameOf = (path: StoredPath): StoredPath => names.layersOf(path).finalName;
  const isThere = ({ path, states }: FileHistory): boolean => {
    // What is wanted by its last name had others on the way.
    const mayBeOurs = covers(path) || states.some((state) => covers(state.path));
    const kept = mayBeOurs ? files.earlier(nameOf(path)) : undefined;
    kept?.abandon();
    return kept !== undefined;
  };
  const first = await readIndex(source, look);
  const ordinals = new Set(first.history.filter(isThere).flatMap(({ states }) => states.map(({ ordinal }) => ordinal)));
  if (ordinals.size === 0) return;
  source.rewind!();
  const { history } = await readIndex(source, { ...look, wantsExtents: (ordinal) => ordinals.has(ordinal) });
  const extents = new ExtentReader(source);
  for (const { path, states } of history.filter(isThere)) {
    for (const state of states) {
      const kept = files.earlier(nameOf(path));
      // One stored under another name is to have the same, and the file was that one's.
      if (kept === undefined) break;
      const open = (): OutputFile => kept;
      const decoding = newDecoding();
      const file = decoding.open(path, { open, blockBytes: files.blockBytes }, state.extents === undefined);
      if (!(await isSame(state, { file, extents }))) continue;
      files.forgetEarlier(nameOf(path));
      break;
    }
  }
}

interface Comparison {
  /** Compares what it is given. */
  file: OutputFile;
  extents: ExtentReader;
}

async function isSame(state: IndexEntry, { file, extents }: Comparison): Promise<boolean> {
  const consumer = {
    take: (bytes: Buffer, fileOffset: number) => file.write(bytes, fileOffset),
    afterPiece: () => undefined,
  };
  let isWhole = false;
  try {
    if (state.extents !== undefined) await extents.read(state.extents, consumer, SMALL_PIECE_BYTES);
    file.finish(state.bytes, () => (isWhole = true));
  } catch (error) {
    if (!(error instanceof XbstreamError) || isRefusal(error)) throw error;
    isWhole = false;
  }
  file.abandon(false);
  return isWhole;
}
