/**
 * The last bytes of an archive that comes by once: the piece at hand, which is lent, and what is kept of those before it. Only what may be wanted
 * again is copied, over and over into the same memory: less than a chunk, as a rule, which stays in the CPU's caches.
 */
import type { Source } from '../../input/source.js';
import { copyBytes } from '../../threads/copy-bytes.js';

/** What is kept of an input that cannot be read again: the chunk at hand and the next, as a rule (chunks have up to 10 MiB). */
export const KEPT_BYTES = 32 * 1024 * 1024;

const NOTHING = Buffer.alloc(0);

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

export class RecentBytes implements ByteView {
  readonly #ring: Buffer;
  /** Archive offset of the ring's first byte: of one that is kept, or a multiple of the ring's length before it. */
  #ringStart = 0;
  /** Archive offset of the oldest byte that is known. */
  #start = 0;
  #lent: Buffer = NOTHING;
  /** Archive offset of the first byte that is lent. */
  #lentStart = 0;
  /** The archive ends behind the last byte that is known. */
  isOver = false;

  /** @param capacity how many bytes are kept at most */
  constructor(capacity: number) {
    // Not touched before it is written: a small archive does not take the memory.
    this.#ring = Buffer.allocUnsafeSlow(capacity);
  }

  /** Archive offset of the oldest byte that is known. */
  get start(): number {
    return this.#start;
  }

  get #end(): number {
    return this.#lentStart + this.#lent.length;
  }

  /** Takes the archive's next bytes, until {@link keep}; those that are known already are passed over. */
  lend(piece: Buffer, archiveOffset: number): void {
    if (this.#end < archiveOffset) this.#start = this.#lentStart = archiveOffset;
    this.#lent = piece.subarray(this.#lentStart - archiveOffset);
  }

  /** Nothing is lent any more, and what stands before a place will not be wanted again. */
  keep(from: number): void {
    const lent = this.#lent.subarray(Math.max(0, from - this.#lentStart));
    let at = this.#end - lent.length;
    if (from >= this.#lentStart) this.#ringStart = at;
    for (let copied = 0; copied < lent.length;) {
      const room = this.#ring.subarray(this.#inRing(at));
      const bytes = copyBytes(lent.subarray(copied, copied + room.length), room);
      copied += bytes;
      at += bytes;
    }
    this.#lent = NOTHING;
    this.#lentStart = at;
    this.#start = Math.max(this.#start, Math.min(from, at), at - this.#ring.length);
  }

  bytesAt(archiveOffset: number, bytes: number): Buffer {
    if (archiveOffset < this.#start) return NOTHING;
    const end = Math.min(archiveOffset + bytes, this.#end);
    const parts: Buffer[] = [];
    for (let at = archiveOffset; at < end;) {
      const part = this.#partAt(at, end);
      parts.push(part);
      at += part.length;
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  #partAt(at: number, end: number): Buffer {
    if (at >= this.#lentStart) return this.#lent.subarray(at - this.#lentStart, end - this.#lentStart);
    const inRing = this.#inRing(at);
    return this.#ring.subarray(inRing, inRing + Math.min(end, this.#lentStart) - at);
  }

  #inRing(archiveOffset: number): number {
    return (archiveOffset - this.#ringStart) % this.#ring.length;
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
