import type { Source } from '../../input/source.js';

/** What is kept of an input that cannot be read again: the chunk at hand and the next, as a rule (chunks have up to 10 MiB). */
export const KEPT_BYTES = 32 * 1024 * 1024;

/** Bytes of an archive that can be looked at again, or ahead of time. */
export interface ByteView {
  /**
   * Bytes from a place of the archive on.
   *
   * @returns fewer than asked for (perhaps none) where the archive ends, or where no more are known
   */
  bytesAt(archiveOffset: number, bytes: number): Buffer;
  /** Whether the archive is known to end right there. */
  endsAt(archiveOffset: number): boolean;
}

/** The last bytes of an archive that comes by once. */
export class RecentBytes implements ByteView {
  readonly #ring: Buffer;
  /** Archive offset behind the last byte that is known. */
  #end = 0;
  #kept = 0;
  /** The archive ends at {@link #end}. */
  isOver = false;

  /** @param capacity how many bytes are kept */
  constructor(capacity: number) {
    // Not touched before it is written: a small archive does not take the memory.
    this.#ring = Buffer.allocUnsafeSlow(capacity);
  }

  /** Archive offset of the oldest byte that is known. */
  get start(): number {
    return this.#end - this.#kept;
  }

  /** Takes the archive's next bytes; those that are known already are passed over. */
  append(piece: Buffer, archiveOffset: number): void {
    const fresh = piece.subarray(Math.max(0, this.#end - archiveOffset, piece.length - this.#ring.length));
    this.#end = archiveOffset + piece.length - fresh.length;
    for (let at = 0; at < fresh.length;) {
      at += fresh.copy(this.#ring, (this.#end + at) % this.#ring.length, at);
    }
    this.#end += fresh.length;
    this.#kept = Math.min(this.#ring.length, this.#kept + fresh.length);
  }

  bytesAt(archiveOffset: number, bytes: number): Buffer {
    if (archiveOffset < this.start || archiveOffset >= this.#end) return Buffer.alloc(0);
    const length = Math.min(bytes, this.#end - archiveOffset);
    const at = archiveOffset % this.#ring.length;
    const first = this.#ring.subarray(at, Math.min(this.#ring.length, at + length));
    return first.length === length ? first : Buffer.concat([first, this.#ring.subarray(0, length - first.length)]);
  }

  endsAt(archiveOffset: number): boolean {
    return this.isOver && archiveOffset === this.#end;
  }
}

/** What can be had again of a source: everything, where it can seek; else nothing. */
export function viewOf(source: Source): ByteView | undefined {
  if (!source.seekable || source.bytesAt === undefined) return undefined;
  const bytesAt = (archiveOffset: number, bytes: number): Buffer => source.bytesAt!(archiveOffset, bytes);
  return {
    bytesAt,
    endsAt: (archiveOffset) =>
      archiveOffset > 0 && bytesAt(archiveOffset, 1).length === 0 && bytesAt(archiveOffset - 1, 1).length === 1,
  };
}
