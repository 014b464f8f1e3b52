/** Content of a file that waits in memory, in the order of the file; holes wait as their lengths, and come out as zeros. */
import { zeros } from '../format/zeros.js';

/** What a piece takes beside its bytes, about: a hostile archive may cut content into parts of a byte. */
const PIECE_OVERHEAD_BYTES = 200;

export class HeldContent {
  /** What waits takes so much memory. */
  bytes = 0;
  /** Where the content that has come so far ends in the file. */
  positionBytes = 0;
  readonly #pieces: (Buffer | number)[] = [];
  readonly #onChange: (bytes: number) => void;

  /** @param onChange told by how much {@link bytes} grows, or shrinks where it is negative */
  constructor(onChange: (bytes: number) => void = () => undefined) {
    this.#onChange = onChange;
  }

  /**
   * Adds content.
   *
   * @param bytes not the giver's any more
   * @returns false, and adds nothing, where it does not come in order
   */
  put(bytes: Buffer, fileOffset: number): boolean {
    if (!this.skipTo(fileOffset)) return false;
    this.#push(bytes);
    this.positionBytes += bytes.length;
    return true;
  }

  /** Adds a hole. @returns as {@link put} */
  skipTo(fileOffset: number): boolean {
    const bytes = fileOffset - this.positionBytes;
    if (bytes > 0) this.#push(bytes);
    this.positionBytes = Math.max(this.positionBytes, fileOffset);
    return bytes >= 0;
  }

  /** Gives all that waits, also what is added meanwhile. */
  *take(): Iterable<Buffer> {
    while (this.#pieces.length > 0) {
      for (const piece of this.#pieces.splice(0)) {
        this.#count(-costOf(piece));
        if (typeof piece === 'number') yield* zeros(piece);
        else yield piece;
      }
    }
  }

  /** Nobody wants it. */
  clear(): void {
    this.#pieces.length = 0;
    this.#count(-this.bytes);
  }

  #push(piece: Buffer | number): void {
    this.#pieces.push(piece);
    this.#count(costOf(piece));
  }

  #count(bytes: number): void {
    this.bytes += bytes;
    this.#onChange(bytes);
  }
}

function costOf(piece: Buffer | number): number {
  return PIECE_OVERHEAD_BYTES + (typeof piece === 'number' ? 0 : piece.length);
}
