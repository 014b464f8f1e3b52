/** What is noted of a part of an archive, event by event, for the merge. */
import type { ErrorRecord } from '../../errors.js';
import type { ChunkHeader } from '../../format/chunk.js';
import type { StoredPath } from '../../format/stored-path.js';
import type { InputFlaws } from '../../input/flaws.js';

/** What is known of a file, as far as the reading of damage hangs on it. */
export type Known = 'nothing' | 'open' | 'open, several chunks' | 'whole' | 'whole, several chunks';

export function knownOf(entry: { chunks: number; whole: boolean } | undefined): Known {
  if (entry === undefined) return 'nothing';
  const known = entry.whole ? 'whole' : 'open';
  return entry.chunks > 1 ? `${known}, several chunks` : known;
}

/** An entry of which that much is known. */
export function entryOfKnown(known: Known): { chunks: number; whole: boolean } | undefined {
  if (known === 'nothing') return undefined;
  return { chunks: known.endsWith('chunks') ? 2 : 1, whole: known.startsWith('whole') };
}

/** What was found in a part of an archive, in its order. */
export type ShardEvent =
  | { type: 'chunk'; header: ChunkHeader; spanBytes: number }
  /** Something is wrong; see {@link DamageConsumer.damaged}. */
  | { type: 'damage'; error: ErrorRecord; path: StoredPath | undefined; unreadableFrom: number | undefined }
  /** A chunk that cannot be used, as its header seems to have said. */
  | { type: 'lost'; header: ChunkHeader }
  | { type: 'doubt'; path: StoredPath }
  /** Only the part was known when it was answered; with all that comes before it the answer may be another. */
  | { type: 'answer'; path: StoredPath; known: Known };

/** What is inside of a file cannot be had: told of files that begin in the part, where these were looked into. */
export interface InsideProblem {
  type: 'inside';
  path: StoredPath;
  /** Where the chunk begins at which that was found; undefined where it was the file's end. */
  chunkOffset: number | undefined;
  error: ErrorRecord;
}

/** How a part ends: before a chunk of the next one, at the archive's end, where the archive is none, or with no chunk at all. */
export type ShardEnd = { next: number } | { archiveBytes: number } | { foreign: ErrorRecord } | { nothing: true };

/** What a result is of. */
export interface ShardHead {
  /** Which of the shards, from 1. */
  shard: number;
  shards: number;
  /** Names of the archive, or of its parts; none for stdin. Nothing in them is secret. */
  archive: readonly string[];
  archiveBytes: number;
  /** See {@link digestOf}. */
  archiveDigest: string;
  absoluteNames: boolean;
  /** Whether files were looked into; not where they are encrypted, if there was no key. */
  deep: 'no' | 'yes' | 'but encrypted';
  /** Where the first chunk of the part begins; undefined where none does. */
  from: number | undefined;
  /** What is wrong with the input beside what its chunks tell, as far as it was read for this part. */
  flaws: InputFlaws | undefined;
}
