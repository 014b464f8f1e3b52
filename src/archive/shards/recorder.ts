/** Notes what is found in a part of an archive. */
import { errorToRecord, type XbstreamError } from '../../errors.js';
import type { ChunkHeader } from '../../format/chunk.js';
import type { StoredPath } from '../../format/stored-path.js';
import { knownOf, type ShardEvent } from './events.js';
import { ArchiveJudge } from './judge.js';
import type { PartConsumer } from './part-reader.js';

/** More are in the result, but not told by whoever made it. */
const MAX_PROBLEMS = 10_000;

export class ShardRecorder implements PartConsumer {
  /** What is wrong with the bytes of the part, whatever stands before it. */
  readonly problems: XbstreamError[] = [];
  chunks = 0;
  readonly #note: (event: ShardEvent) => void;
  /** Knows of the files what the part tells. */
  readonly #judge: ArchiveJudge;

  constructor(absoluteNames: boolean, note: (event: ShardEvent) => void) {
    this.#judge = new ArchiveJudge(absoluteNames);
    this.#note = note;
  }

  chunk(header: ChunkHeader, spanBytes: number): void {
    this.chunks += 1;
    this.#note({ type: 'chunk', header, spanBytes });
    this.#judge.chunk(header, spanBytes);
  }

  damaged(error: XbstreamError, path: StoredPath | undefined, unreadableFrom?: number): void {
    if (this.problems.length < MAX_PROBLEMS) this.problems.push(error);
    this.#note({ type: 'damage', error: errorToRecord(error), path, unreadableFrom });
    this.#judge.damaged(error, path, unreadableFrom);
  }

  lostChunk(header: ChunkHeader): void {
    this.#note({ type: 'lost', header });
    this.#judge.lostChunk(header);
  }

  doubted(path: StoredPath): void {
    this.#note({ type: 'doubt', path });
    this.#judge.doubted(path);
  }

  entryOf(path: StoredPath): { chunks: number; whole: boolean } | undefined {
    const entry = this.#judge.entryOf(path);
    this.#note({ type: 'answer', path, known: knownOf(entry) });
    return entry;
  }
}
