/** Memory for copies of pieces that wait to be written: used again, since the first use of fresh memory costs more than the copy. */
import { copyBytes } from '../threads/copy-bytes.js';

/** What is smaller is copied more quickly than it is found again. */
const REUSED_BYTES_MIN = 16 * 1024;
/** More than what is at hand is of no use. */
const SPARES_MAX = 4;

export class PieceMemory {
  /** What is lent, by its memory. */
  readonly #lent = new WeakSet<ArrayBufferLike>();
  readonly #spares: Buffer[] = [];

  copy(bytes: Buffer): Buffer {
    if (bytes.length < REUSED_BYTES_MIN) return Buffer.from(bytes);
    const room = this.#room(2 ** Math.ceil(Math.log2(bytes.length)));
    this.#lent.add(room.buffer);
    return room.subarray(0, copyBytes(bytes, room));
  }

  #room(bytes: number): Buffer {
    const at = this.#spares.findLastIndex(({ length }) => length === bytes);
    return at === -1 ? Buffer.allocUnsafeSlow(bytes) : this.#spares.splice(at, 1)[0]!;
  }

  /** A piece was written; it need not be a copy made here. */
  release({ buffer }: Buffer): void {
    if (!this.#lent.delete(buffer)) return;
    this.#spares.push(Buffer.from(buffer));
    if (this.#spares.length > SPARES_MAX) this.#spares.shift();
  }
}
