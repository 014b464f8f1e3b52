/** How far back a linked block may reach. */
const HISTORY_BYTES = 64 << 10;

/** The output that the next linked block may copy from, in memory of its own. */
export class Lz4History {
  /** Room for twice as much, so that what stays is moved once in so many bytes, and not for each block: that may hold a byte. */
  #room: Buffer = Buffer.alloc(0);
  #endAt = 0;

  /** Good until more is added. */
  get bytes(): Buffer {
    return this.#room.subarray(Math.max(0, this.#endAt - HISTORY_BYTES), this.#endAt);
  }

  /** @param plain what has come out; lent until the call returns */
  add(plain: Buffer): void {
    if (this.#room.length === 0) this.#room = Buffer.allocUnsafeSlow(2 * HISTORY_BYTES);
    const last = plain.length > HISTORY_BYTES ? plain.subarray(-HISTORY_BYTES) : plain;
    if (this.#endAt + last.length > this.#room.length) {
      this.#endAt = this.#room.copy(this.#room, 0, this.#endAt - (HISTORY_BYTES - last.length), this.#endAt);
    }
    this.#endAt += last.copy(this.#room, this.#endAt);
  }
}
