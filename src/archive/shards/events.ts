import type { ErrorRecord } from '../../errors.js';
import type { ChunkHeader } from '../../format/chunk.js';
import type { StoredPath } from '../../format/stored-path.js';
import type { UnreadablePart } from '../salvage/suspect-files.js';

/** What was asked of a file while a part was read: the reading went on after the answer. */
export type Question = 'hasSeveralChunks' | 'isOpen';

/** What was found in a part of an archive, in its order. */
export type ShardEvent =
  | { type: 'chunk'; header: ChunkHeader; spanBytes: number }
  /** Something is wrong; see {@link DamageConsumer.damaged}. */
  | { type: 'damage'; error: ErrorRecord; path: StoredPath | undefined; part: UnreadablePart | undefined }
  /** A chunk that cannot be used, as its header seems to have said. */
  | { type: 'lost'; header: ChunkHeader }
  | { type: 'doubt'; path: StoredPath }
  /** Only the part was known when it was answered; with all that comes before it the answer may be another. */
  | { type: 'answer'; question: Question; path: StoredPath; answer: boolean };

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
  /** Where the first chunk of the part begins; undefined where none does. */
  from: number | undefined;
}
