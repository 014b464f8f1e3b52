/** The decoder of LZ4 blocks, with a hash of what it decodes: lz4.wat, or the same in JavaScript. */
import { lz4InScript, type Lz4Functions } from './lz4-script.js';
import { LZ4_WASM } from './lz4-wasm.js';
import { WasmKernel } from '../wasm-kernel.js';

/** What the numbers mean that `decode` of lz4.wat returns. */
const DAMAGE = [
  undefined,
  'it ends before its last literals',
  'it ends inside a length',
  'it ends inside literals',
  'it holds more than there may be',
  'it ends inside a match',
  'a match with a source that does not exist',
];

const STATE_BYTES = 16;
/** Where blocks are put, and pieces that are hashed. */
const BLOCK_AT = 64;
/** Room for a usual block; larger ones move what stands behind it. */
const BLOCK_ROOM_BYTES = 128 << 10;
/** What lz4.wat wants to be free to read and write behind block and output. */
const SLACK_BYTES = 32;
const HASH_PIECE_BYTES = 64 << 10;

const kernel = new WasmKernel<Lz4Functions>(LZ4_WASM, lz4InScript);

/** What comes out of LZ4 blocks, one behind the other, where it can be hashed and written from. */
class Lz4Output {
  /** Bytes that wait to be taken. */
  bytes = 0;
  #outputAt = BLOCK_AT + BLOCK_ROOM_BYTES + SLACK_BYTES;

  /** Whether a block of this length can be decoded before what waits is taken. */
  hasRoom(blockBytes: number): boolean {
    return this.bytes === 0 || BLOCK_AT + blockBytes + SLACK_BYTES <= this.#outputAt;
  }

  /**
   * Decodes a block (lz4_Block_format.md). Every length and offset is checked against the ends of block and output before it
   * is used.
   *
   * @param outputBytesMax no more than that may come out, in bytes
   * @param history output before the block that it may copy from; nothing may wait then
   * @returns how many bytes came out; or what is wrong with the block
   */
  decode(block: Buffer, outputBytesMax: number, history?: Buffer): number | string {
    const historyBytes = history?.length ?? 0;
    if (this.bytes === 0) {
      this.#outputAt = BLOCK_AT + Math.max(block.length, BLOCK_ROOM_BYTES) + SLACK_BYTES + historyBytes;
    }
    const target = this.#outputAt + this.bytes;
    const base = target - historyBytes;
    kernel.reserve(target + outputBytesMax + SLACK_BYTES);
    block.copy(kernel.memory, BLOCK_AT);
    history?.copy(kernel.memory, base);
    const bytes = kernel.functions.decode(BLOCK_AT, BLOCK_AT + block.length, target, target + outputBytesMax, base);
    if (bytes < 0) return DAMAGE[-bytes]!;
    this.bytes += bytes;
    return bytes;
  }

  /** All that waits; good until the next block is decoded. */
  take(): Buffer {
    const { bytes } = this;
    this.bytes = 0;
    return kernel.memory.subarray(this.#outputAt, this.#outputAt + bytes);
  }
}

/** There is one, since decoders put out what they have before they return. */
export const lz4Output = new Lz4Output();

/**
 * Takes stripes of 16 bytes into the accumulators of XXH32. What {@link lz4Output} gives is hashed where it lies.
 *
 * @param state the four accumulators
 * @param bytes a multiple of 16
 */
export function hashStripes(state: Int32Array, bytes: Uint8Array): void {
  kernel.reserve(BLOCK_AT + HASH_PIECE_BYTES);
  const { memory, functions } = kernel;
  const view = new DataView(memory.buffer, 0, STATE_BYTES);
  for (let i = 0; i < 4; i++) view.setInt32(4 * i, state[i]!, true);
  if (bytes.buffer === memory.buffer) {
    functions.stripes(0, bytes.byteOffset, bytes.byteOffset + bytes.length);
  } else {
    for (let at = 0; at < bytes.length; at += HASH_PIECE_BYTES) {
      const piece = bytes.subarray(at, at + HASH_PIECE_BYTES);
      memory.set(piece, BLOCK_AT);
      functions.stripes(0, BLOCK_AT, BLOCK_AT + piece.length);
    }
  }
  for (let i = 0; i < 4; i++) state[i] = view.getInt32(4 * i, true);
}
