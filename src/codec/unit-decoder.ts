/**
 * What all decoders have in common: they make of pieces of any size a *window* in which units (chunks, blocks, frames) stand
 * whole.
 *
 * Units that lie in a piece are decoded where they lie, and nothing is copied. One that begins in one piece and ends in
 * another is gathered in a buffer that grows with the bytes that have come, never with what a header says will come.
 */
import { layerError, type Decoder, type DecoderContext, type LayerName } from './codec.js';

const NOTHING = Buffer.alloc(0);
const HELD_BYTES_MIN = 128 * 1024;
const HELD_GROWTH_BYTES_MAX = 16 * 1024 * 1024;

/**
 * What the decoders of one thread may hold from one call to the next, all together, in bytes: a few bytes of an archive open a
 * file that needs a window of 128 MiB. 64 files with the largest windows that backups have (8 MiB, zstd -19) come to half of it.
 */
const ALL_HELD_BYTES_MAX = 1 << 30;
/** From here on it is given back what is kept only because it will be needed again. */
const CROWDED_BYTES = ALL_HELD_BYTES_MAX / 2;
let allHeldBytes = 0;

/** What stands where a unit should begin. `more`: not all of the unit is there; `skip`: nothing to decode in it. */
export type Found = 'unit' | 'skip' | 'more';

export abstract class UnitDecoder implements Decoder {
  abstract readonly layer: LayerName;
  recognised: boolean;

  /** Position of the window's first byte in the layer's data. */
  protected windowOffset: number;
  /** Bytes of the unit that {@link measure} has found. */
  protected unitBytes = 0;
  /** After `more`: how many bytes of the unit must be there before it is worth looking again. */
  protected unitNeedsBytes = 1;

  protected readonly context: DecoderContext;
  #needBytes = 1;
  #held: Buffer = NOTHING;
  #heldBytes = 0;
  /** Bytes of {@link #held} that were ever written: the system gives memory only for these. */
  #usedBytes = 0;
  #countedBytes = 0;
  #isPaused = false;

  constructor(context: DecoderContext) {
    this.context = context;
    this.windowOffset = context.startOffset ?? 0;
    this.recognised = this.windowOffset > 0;
  }

  /** Looks at the unit that begins at `window[at]`; may be called again for the same unit when more of it has come. */
  protected abstract measure(window: Buffer, at: number): Found;

  /**
   * Decodes the unit that was just measured.
   *
   * @param unit lent until the call returns
   * @param layerOffset where it begins in the layer's data, in bytes
   */
  protected abstract decode(unit: Buffer, layerOffset: number): void;

  /** No more whole units are there: what was gathered of the output of those before must go out. */
  protected flush(): void {
    // Most put out each unit by itself.
  }

  /** The data has ended with `rest`, which is no whole unit: throws unless it may end here. */
  protected abstract finish(rest: Buffer): void;

  get isPaused(): boolean {
    return this.#isPaused;
  }

  push(bytes: Buffer): void {
    if (this.#isPaused) {
      this.#hold(bytes, 0, bytes.length);
      return;
    }
    let at = 0;
    while (this.#heldBytes > 0 && at < bytes.length) {
      // No more than the unit needs, so that what follows it can be decoded where it lies.
      const take = Math.min(this.#needBytes - this.#heldBytes, bytes.length - at);
      this.#hold(bytes, at, at + take);
      at += take;
      if (this.#heldBytes < this.#needBytes) return;
      this.#walkHeld();
      if (this.isPaused) break;
    }
    if (at === bytes.length) return;
    const window = at === 0 ? bytes : bytes.subarray(at);
    const canWalk = !this.isPaused && window.length >= this.#needBytes;
    const left = canWalk ? this.#walk(window) : window.length;
    this.#hold(window, window.length - left, window.length);
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#walkHeld();
  }

  end(): void {
    this.finish(this.#held.subarray(0, this.#heldBytes));
    this.close();
  }

  close(): void {
    this.#giveBack();
    this.count(-this.#countedBytes);
  }

  /** Decoders of this thread hold so much that nothing should be kept which is not needed. */
  protected get isCrowded(): boolean {
    return allHeldBytes > CROWDED_BYTES;
  }

  /**
   * Counts what is held from one call to the next, until it is closed.
   *
   * @param bytes so many more; fewer, if below 0
   * @throws XbstreamError `XB_UNSUPPORTED_LAYER` where it is too much together with what other files need
   */
  protected count(bytes: number): void {
    if (bytes > 0 && allHeldBytes + bytes > ALL_HELD_BYTES_MAX) {
      throw layerError(
        'XB_UNSUPPORTED_LAYER',
        `the files that are decoded at the same time need more than ${ALL_HELD_BYTES_MAX >> 20} MiB of memory`,
        this.layer,
        this.windowOffset,
        `${bytes} bytes are needed here, and ${allHeldBytes} are taken`,
      ).with({ hints: ['unpack them as they are, without --decompress and a key, then: tsxbstream decode DIR'] });
    }
    allHeldBytes += bytes;
    this.#countedBytes += bytes;
  }

  /** Gives back the memory in which units are gathered. */
  #giveBack(): void {
    this.count(-this.#usedBytes);
    this.#held = NOTHING;
    this.#heldBytes = 0;
    this.#usedBytes = 0;
  }

  #walkHeld(): void {
    const left = this.#walk(this.#held.subarray(0, this.#heldBytes));
    if (left > 0 && left < this.#heldBytes) this.#held.copyWithin(0, this.#heldBytes - left, this.#heldBytes);
    this.#heldBytes = left;
    if (left === 0 && this.isCrowded) this.#giveBack();
  }

  /** Decodes the units of a window. @returns how many of its last bytes are not done with */
  #walk(window: Buffer): number {
    let done = 0;
    try {
      for (;;) {
        const found = this.measure(window, done);
        if (found === 'more') {
          this.#needBytes = this.unitNeedsBytes;
          break;
        }
        const unit = window.subarray(done, done + this.unitBytes);
        if (found === 'unit') this.decode(unit, this.windowOffset + done);
        done += unit.length;
        if (this.context.isFull()) {
          this.#needBytes = 1;
          this.#isPaused = true;
          break;
        }
      }
    } finally {
      this.flush();
    }
    this.windowOffset += done;
    return window.length - done;
  }

  #hold(bytes: Buffer, start: number, end: number): void {
    if (start === end) return;
    const neededBytes = this.#heldBytes + end - start;
    if (neededBytes > this.#usedBytes) {
      this.count(neededBytes - this.#usedBytes);
      this.#usedBytes = neededBytes;
    }
    if (neededBytes > this.#held.length) {
      const ahead = Math.min(2 * this.#held.length, this.#held.length + HELD_GROWTH_BYTES_MAX);
      const larger = Buffer.allocUnsafeSlow(Math.max(HELD_BYTES_MIN, neededBytes, ahead));
      this.#held.copy(larger, 0, 0, this.#heldBytes);
      this.#held = larger;
    }
    bytes.copy(this.#held, this.#heldBytes, start, end);
    this.#heldBytes = neededBytes;
  }
}
