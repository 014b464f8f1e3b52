/** Memory that both threads see: how far the task has come, and whether it shall stop. */
import type { ProgressReport } from '../ui/reporter.js';

/** What of a path is shown. */
const PATH_BYTES = 512;

// Where the numbers stand, behind the bytes of progress.
const STOP = 0;
const FILES = 1;
const PATH_LENGTH = 2;

export class TaskControl {
  readonly buffer: SharedArrayBuffer;
  readonly #ints: Int32Array;
  readonly #progressBytes: Float64Array;
  readonly #pathBytes: Buffer;
  #path: string | undefined;

  constructor(buffer = new SharedArrayBuffer(32 + PATH_BYTES)) {
    this.buffer = buffer;
    this.#progressBytes = new Float64Array(buffer, 0, 2);
    this.#ints = new Int32Array(buffer, 16, 4);
    this.#pathBytes = Buffer.from(buffer, 32);
  }

  get stopped(): boolean {
    return Atomics.load(this.#ints, STOP) !== 0;
  }

  stop(): void {
    Atomics.store(this.#ints, STOP, 1);
  }

  /** The task is at work on a file from here on. */
  set path(path: string) {
    // Most chunks are of the file of the one before.
    if (path === this.#path) return;
    this.#path = path;
    const length = Math.min(path.length, PATH_BYTES);
    // Archives have files by the ten thousand: Buffer's own way takes longer for a name (50,000: 6 ms, not 4).
    for (let at = 0; at < length; at += 1) this.#pathBytes[at] = path.charCodeAt(at);
    Atomics.store(this.#ints, PATH_LENGTH, length);
  }

  set files(files: number) {
    Atomics.store(this.#ints, FILES, files);
  }

  fileDone(): void {
    Atomics.add(this.#ints, FILES, 1);
  }

  /** Only for show, so that a name that is caught while it changes does no harm. */
  get progress(): ProgressReport {
    const length = Atomics.load(this.#ints, PATH_LENGTH);
    return {
      bytes: this.progressBytes,
      totalBytes: this.#progressBytes[1] === 0 ? undefined : this.#progressBytes[1],
      files: Atomics.load(this.#ints, FILES),
      path: length === 0 ? undefined : this.#pathBytes.toString('latin1', 0, length),
    };
  }

  /** Bytes taken so far, of the archive or of what is made into one: only for show, so that a torn value does no harm. */
  get progressBytes(): number {
    return this.#progressBytes[0]!;
  }

  set totalBytes(bytes: number | undefined) {
    this.#progressBytes[1] = bytes ?? 0;
  }

  set progressBytes(bytes: number) {
    this.#progressBytes[0] = bytes;
  }
}
