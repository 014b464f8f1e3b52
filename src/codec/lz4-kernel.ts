import { lz4InScript } from './lz4-script.js';
import { LZ4_WASM } from './lz4-wasm.js';
import { WasmKernel } from './wasm-kernel.js';

/** See lz4.wat. */
export interface Lz4Functions {
  decode(block: number, blockEnd: number, target: number, targetEnd: number, base: number): number;
  stripes(state: number, at: number, end: number): void;
}

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
/** What lz4.wat wants to be free to read and write behind block and output. */
const SLACK_BYTES = 32;
const HASH_PIECE_BYTES = 64 << 10;

const kernel = new WasmKernel<Lz4Functions>(LZ4_WASM, lz4InScript);

/**
 * Decodes an LZ4 block (lz4_Block_format.md). Every length and offset is checked against the ends of block and output before
 * it is used.
 *
 * @param outputBytesMax no more than that may come out, in bytes
 * @param history output before the block that it may copy from
 * @returns the output, good until the next block is decoded; or what is wrong with the block
 */
export function decodeLz4Block(block: Buffer, outputBytesMax: number, history?: Uint8Array): Buffer | string {
  const base = BLOCK_AT + block.length + SLACK_BYTES;
  const target = base + (history?.length ?? 0);
  kernel.reserve(target + outputBytesMax + SLACK_BYTES);
  block.copy(kernel.memory, BLOCK_AT);
  if (history !== undefined) kernel.memory.set(history, base);
  const bytes = kernel.functions.decode(BLOCK_AT, BLOCK_AT + block.length, target, target + outputBytesMax, base);
  return bytes < 0 ? DAMAGE[-bytes]! : kernel.memory.subarray(target, target + bytes);
}

/**
 * Takes stripes of 16 bytes into the accumulators of XXH32. What {@link decodeLz4Block} has put out is hashed where it lies.
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
