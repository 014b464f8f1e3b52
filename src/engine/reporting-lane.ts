import type { PayloadUse } from '../archive/chunk-reader.js';
import type { ChunkHeader } from '../format/chunk.js';
import type { Source } from '../input/source.js';
import type { TaskThread } from '../threads/task-thread.js';
import { Lane, type LaneOptions } from './lane.js';

/** A lane that tells its thread how far it has come. */
export class ReportingLane extends Lane {
  readonly #source: Source;
  readonly #thread: TaskThread;

  constructor(options: LaneOptions, source: Source, thread: TaskThread) {
    super(options);
    this.#source = source;
    this.#thread = thread;
  }

  override chunk(header: ChunkHeader, spanBytes: number): PayloadUse {
    this.#thread.control.path = header.path;
    return super.chunk(header, spanBytes);
  }

  override push(piece: Buffer): Promise<void> | undefined {
    const wait = super.push(piece);
    this.#thread.control.progressBytes = this.#source.inputBytes ?? this.archiveBytes;
    this.#thread.flush();
    const pause = this.#thread.pause();
    if (pause === undefined) return wait;
    return wait === undefined ? pause : wait.then(() => pause);
  }
}
