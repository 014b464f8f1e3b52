/** A regular file, a block device, or several files as one: read by position, synchronously. It belongs into a thread that nothing else needs. */
import type { PositionedBytes, Span } from './positioned.js';
import { PIECE_BYTES, startInRoom, type ByteSink, type Source } from './source.js';

/** The first read, and those after a jump, are small: a header may be all that is wanted. They grow as long as nothing is jumped over. */
const FIRST_PIECE_BYTES = 64 * 1024;
const PIECE_BYTES_AFTER_JUMP = 4096;
/** Up to this size reading is faster than jumping. */
const JUMP_BYTES_MIN = 32 * 1024;

export class FileSource implements Source {
  readonly seekable: boolean;
  readonly #file: PositionedBytes;
  readonly #start: number;
  #position: number;
  #pieceBytes = FIRST_PIECE_BYTES;
  readonly #isStopped: () => boolean;
  #stopped = false;

  /**
   * @param file closed at the end
   * @param position where to begin, in bytes; undefined for a device that cannot seek
   * @param isStopped asked before each piece, since a synchronous loop hears no event
   */
  constructor(file: PositionedBytes, position: number | undefined, isStopped: () => boolean) {
    this.#file = file;
    this.#start = position ?? 0;
    this.#position = this.#start;
    this.seekable = position !== undefined;
    this.#isStopped = isStopped;
  }

  async run(sink: ByteSink): Promise<void> {
    while (!this.#stopped && !this.#isStopped()) {
      const memory = sink.room();
      const start = startInRoom(this.#position);
      const wanted = Math.min(this.#pieceBytes, memory.length - start);
      const bytes = this.#file.read(memory, start, wanted, this.seekable ? this.#position : null);
      if (bytes === 0) {
        const again = this.seekable ? (sink.endReached?.() ?? 0) : 0;
        if (again === 0) return;
        this.#position -= again;
        continue;
      }
      this.#position += bytes;
      this.#pieceBytes = Math.min(PIECE_BYTES, this.#pieceBytes * 2);
      const wait = sink.push(memory.subarray(start, start + bytes));
      if (wait !== undefined) await wait;
      if (!this.seekable) continue;
      this.#position -= sink.takeRewind?.() ?? 0;
      if (sink.skippableBytes > JUMP_BYTES_MIN) this.#jump(sink);
    }
  }

  bytesAt(archiveOffset: number, bytes: number, room?: Buffer): Buffer {
    const memory = room ?? Buffer.allocUnsafe(bytes);
    if (!this.seekable || archiveOffset < 0 || archiveOffset > Number.MAX_SAFE_INTEGER - this.#start)
      return memory.subarray(0, 0);
    const position = this.#start + archiveOffset;
    const start = room === undefined ? 0 : startInRoom(position);
    let done = 0;
    // A file server may give less than there is, and so does a network.
    while (done < bytes) {
      const more = this.#file.read(memory, start + done, bytes - done, position + done);
      if (more === 0) break;
      done += more;
    }
    return memory.subarray(start, start + done);
  }

  expect(spans: readonly Span[]): void {
    this.#file.expect?.(spans.map(({ start, end }) => ({ start: this.#start + start, end: this.#start + end })));
  }

  get totalBytes(): number | undefined {
    return (this.seekable && this.#file.endBytes - this.#start) || undefined;
  }

  placeOf(archiveOffset: number): string | undefined {
    return this.#file.placeOf?.(this.#start + archiveOffset);
  }

  rewind(): void {
    this.#position = this.#start;
    this.#pieceBytes = FIRST_PIECE_BYTES;
  }

  stop(): void {
    this.#stopped = true;
  }

  close(): void {
    this.#file.close();
  }

  /** Passes over what the sink does not want, but not beyond the end that the file had: a cut must be seen. */
  #jump(sink: ByteSink): void {
    const bytes = Math.min(sink.skippableBytes, Math.max(0, this.#file.endBytes - this.#position));
    this.#position += bytes;
    this.#pieceBytes = PIECE_BYTES_AFTER_JUMP;
    sink.skip(bytes);
  }
}
