import * as fs from 'node:fs';
import { Worker } from 'node:worker_threads';
import { crc32 } from '../format/crc32.js';
import { PIECE_BYTES } from '../input/source.js';
import { threadEnded, ThreadPresence } from '../thread-presence.js';

const PAGE_BYTES = 4096;
/** Where malloc puts a large block within a page. */
const MALLOC_OFFSET = 16;

/** A part of a file in memory. */
export interface ReadChunk {
  bytes: Buffer;
  crc: number;
}

/** Room for a part of a file of `chunkBytes`. */
export const chunkRoomBytes = (chunkBytes: number): number => chunkBytes + PAGE_BYTES;

/**
 * Reads a part of a file in pieces, which are still in the CPU's caches when their checksum is worked out.
 *
 * @param memory at least {@link chunkRoomBytes}
 * @param onPiece called before each piece; what it throws ends the reading
 * @returns fewer bytes than wanted where the file ends before
 */
export function readChunk(
  fd: number,
  memory: Buffer,
  fileOffset: number,
  wantedBytes: number,
  onPiece: (bytes: number) => void,
): ReadChunk {
  // A copy whose target lies a few bytes above its source modulo the page size runs at a quarter of the speed: put half a
  // page between the two.
  const start = (fileOffset + PAGE_BYTES / 2 - MALLOC_OFFSET) % PAGE_BYTES;
  let crc = 0;
  let done = 0;
  while (done < wantedBytes) {
    const at = start + done;
    const bytes = fs.readSync(fd, memory, at, Math.min(PIECE_BYTES, wantedBytes - done), fileOffset + done);
    if (bytes === 0) break;
    crc = crc32(memory.subarray(at, at + bytes), crc);
    done += bytes;
    onPiece(bytes);
  }
  return { bytes: memory.subarray(start, start + done), crc };
}

/** Where in the fields it is said that the thread is there, as an int32. */
const THREAD = 12;

/** Memory that both threads see: the one job there is at a time, and what became of it. */
export class ReadAheadMemory {
  /** The thread is not there yet. */
  static readonly STARTING = 5;
  static readonly IDLE = 0;
  static readonly ASKED = 1;
  static readonly DONE = 2;
  static readonly FAILED = 3;
  static readonly QUIT = 4;

  readonly chunk: SharedArrayBuffer;
  readonly fields: SharedArrayBuffer;
  readonly presence: ThreadPresence;
  readonly #state: Int32Array;
  /** fd, fileOffset, wanted bytes, bytes read, crc. */
  readonly #numbers: Float64Array;

  constructor(chunk: SharedArrayBuffer, fields = new SharedArrayBuffer(64)) {
    this.chunk = chunk;
    this.fields = fields;
    this.#state = new Int32Array(fields, 0, 1);
    this.presence = new ThreadPresence(new Int32Array(fields), THREAD);
    this.#numbers = new Float64Array(fields, 8, 5);
  }

  get state(): number {
    return Atomics.load(this.#state, 0);
  }

  /** Says how things stand; what was written before is seen by whoever sees it. */
  set state(state: number) {
    Atomics.store(this.#state, 0, state);
    Atomics.notify(this.#state, 0);
  }

  /** Has the thread wait until it is asked for something else. */
  waitWhile(state: number): void {
    while (this.state === state) Atomics.wait(this.#state, 0, state);
  }

  /** Waits for what was asked for, however long that takes. */
  waitForAnswer(): void {
    const { ASKED } = ReadAheadMemory;
    while (this.state === ASKED) {
      if (!this.presence.waitWhile(this.#state, 0, ASKED))
        throw threadEnded('a reading thread has ended before its work');
    }
  }

  ask(fd: number, fileOffset: number, wantedBytes: number): void {
    this.#numbers.set([fd, fileOffset, wantedBytes]);
    this.state = ReadAheadMemory.ASKED;
  }

  get job(): { fd: number; fileOffset: number; wantedBytes: number } {
    const [fd, fileOffset, wantedBytes] = this.#numbers;
    return { fd: fd!, fileOffset: fileOffset!, wantedBytes: wantedBytes! };
  }

  answer(bytes: number, crc: number): void {
    this.#numbers.set([bytes, crc], 3);
    this.state = ReadAheadMemory.DONE;
  }

  get result(): { bytes: number; crc: number } {
    return { bytes: this.#numbers[3]!, crc: this.#numbers[4]! };
  }
}

/**
 * Reads the next part of a file in a second thread while this one is busy with another: reading and the checksum are what
 * the making of an archive costs. One part at a time is under way.
 */
export class ReadAhead {
  readonly #memory: ReadAheadMemory;
  readonly #worker: Worker;

  constructor(chunkBytes: number) {
    this.#memory = new ReadAheadMemory(new SharedArrayBuffer(chunkRoomBytes(chunkBytes)));
    this.#memory.state = ReadAheadMemory.STARTING;
    this.#worker = new Worker(new URL('./read-ahead-thread.js', import.meta.url), {
      workerData: { chunk: this.#memory.chunk, fields: this.#memory.fields },
      trackUnmanagedFds: false,
    });
    this.#worker.unref();
  }

  /** Whether its thread has started: before that there is no use in asking. */
  get isReady(): boolean {
    return this.#memory.state !== ReadAheadMemory.STARTING;
  }

  /** Asks for a part; {@link take} must be called before the next, and before `fd` is closed. */
  ask(fd: number, fileOffset: number, wantedBytes: number): void {
    this.#memory.ask(fd, fileOffset, wantedBytes);
  }

  /** Waits for what was asked for. Undefined where reading failed: whoever reads it again is told why. */
  take(): ReadChunk | undefined {
    const memory = this.#memory;
    memory.waitForAnswer();
    const failed = memory.state === ReadAheadMemory.FAILED;
    const { fileOffset } = memory.job;
    const { bytes, crc } = memory.result;
    memory.state = ReadAheadMemory.IDLE;
    if (failed) return undefined;
    const start = (fileOffset + PAGE_BYTES / 2 - MALLOC_OFFSET) % PAGE_BYTES;
    return { bytes: Buffer.from(memory.chunk, start, bytes), crc };
  }

  close(): void {
    this.#memory.state = ReadAheadMemory.QUIT;
  }
}
