import type { ErrorRecord } from '../errors.js';
import type { StoredPath } from '../format/stored-path.js';

/** What the thread of a task is told first. */
export interface TaskStart<Options> {
  options: Options;
  /** Say which files are done. */
  tellFiles: boolean;
  control: SharedArrayBuffer;
}

/** What the thread of a task says. */
export type TaskMessage<Result> =
  | { type: 'files'; paths: StoredPath[]; bytes: number[] }
  | { type: 'warning'; message: string }
  | { type: 'end'; result: Result };

/** What is said to it. */
export type TaskCommand = 'stop';

/** What a task that makes one file of many has to say when it has ended, well or badly. */
export interface MakeResult {
  /** The worst first. */
  errors: ErrorRecord[];
  /** It was told to stop before its end. */
  stopped: boolean;
  files: number;
  /** Bytes of these files. */
  bytes: number;
  /** Bytes written. */
  outputBytes: number;
}

/** Memory that both threads see: how far the task has come, and whether it shall stop. */
export class TaskControl {
  static readonly BYTES = 16;
  readonly buffer: SharedArrayBuffer;
  readonly #stop: Int32Array;
  readonly #progressBytes: Float64Array;

  constructor(buffer = new SharedArrayBuffer(TaskControl.BYTES)) {
    this.buffer = buffer;
    this.#progressBytes = new Float64Array(buffer, 0, 1);
    this.#stop = new Int32Array(buffer, 8, 1);
  }

  get stopped(): boolean {
    return Atomics.load(this.#stop, 0) !== 0;
  }

  stop(): void {
    Atomics.store(this.#stop, 0, 1);
  }

  /** Bytes taken so far, of the archive or of what is made into one: only for show, so that a torn value does no harm. */
  get progressBytes(): number {
    return this.#progressBytes[0]!;
  }

  set progressBytes(bytes: number) {
    this.#progressBytes[0] = bytes;
  }
}
