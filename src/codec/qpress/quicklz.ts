/** The decoder of QuickLZ blocks: quicklz.wat, or the same in JavaScript. */
import { quickLzInScript, type QuickLzFunctions } from './quicklz-script.js';
import { QUICKLZ_WASM } from './quicklz-wasm.js';
import { WasmKernel } from '../wasm-kernel.js';

/** Header of a block with lengths of one byte, and with lengths of four. */
const SHORT_HEADER_BYTES = 3;
const LONG_HEADER_BYTES = 9;

const FLAG_COMPRESSED = 0x01;
const FLAG_LONG_HEADER = 0x02;
const LEVEL_MASK = 0x0c;
const LEVEL_SHIFT = 2;
const FLAG_ALWAYS = 0x40;

/** What a block says of itself. */
export interface QuickLzHeader {
  headerBytes: number;
  /** Whole block, header included. */
  compressedBytes: number;
  decompressedBytes: number;
  stored: boolean;
  /** How it is compressed: 1 to 3. Only level 1 can be decoded. */
  level: number;
}

/** Most bytes a block of level 1 can decode to: a match of 255 bytes takes three and a bit. */
function quickLzOutputBytesMax(compressedBytes: number): number {
  return compressedBytes * 85;
}

/**
 * Reads a block's header (format.md, section 3).
 *
 * @returns `undefined` when more bytes are needed, a string that says what is wrong when it cannot be one
 */
export function readQuickLzHeader(bytes: Buffer, at: number): QuickLzHeader | string | undefined {
  if (at >= bytes.length) return undefined;
  const flags = bytes[at]!;
  const level = (flags & LEVEL_MASK) >>> LEVEL_SHIFT;
  if (level === 0 || (flags & ~(FLAG_COMPRESSED | FLAG_LONG_HEADER | LEVEL_MASK)) !== FLAG_ALWAYS) {
    return `flags ${flags.toString(16).padStart(2, '0')} (hex) are not those of a block`;
  }
  const long = (flags & FLAG_LONG_HEADER) !== 0;
  const headerBytes = long ? LONG_HEADER_BYTES : SHORT_HEADER_BYTES;
  if (at + headerBytes > bytes.length) return undefined;
  const compressedBytes = long ? bytes.readUInt32LE(at + 1) : bytes[at + 1]!;
  const decompressedBytes = long ? bytes.readUInt32LE(at + 5) : bytes[at + 2]!;
  const stored = (flags & FLAG_COMPRESSED) === 0;
  const sizes = `compressed size ${compressedBytes}, decompressed size ${decompressedBytes}`;
  if (compressedBytes < headerBytes) return sizes;
  if (stored && compressedBytes - headerBytes < decompressedBytes) return sizes;
  if (level === 1 && decompressedBytes > quickLzOutputBytesMax(compressedBytes)) return sizes;
  return { headerBytes, compressedBytes, decompressedBytes, stored, level };
}

/** What the numbers mean that `decode` of quicklz.wat returns. */
const DAMAGE = [
  undefined,
  'it ends inside a control word',
  'a control word without an end mark',
  'it ends inside a match',
  'a match shorter than three bytes',
  'a match with a source that does not exist',
  'a match that reaches beyond the end',
  'it ends inside literals',
];

const TABLE_BYTES = 4096 * 4;
/** Where blocks are put. */
const BLOCK_AT = TABLE_BYTES;
/** Room for a usual block; larger ones move what stands behind it. */
const BLOCK_ROOM_BYTES = 128 << 10;
/** What quicklz.wat wants to be free to read and write behind body and output. */
const SLACK_BYTES = 8;
/** No more output than this is gathered, but for that of one block. */
const OUTPUT_ROOM_BYTES = 512 << 10;
/** Memory of WebAssembly only grows: with the first small block after such as few writers make it is given up. */
const MEMORY_BYTES_KEPT = 4 << 20;

/** What comes out of QuickLZ blocks, one behind the other, where it can be written from. */
class QuickLzOutput {
  /** Bytes that wait to be taken. */
  bytes = 0;
  #kernel: WasmKernel<QuickLzFunctions> | undefined;
  /** Added to positions in the table: numbers below it are left from earlier blocks, which saves clearing it for each. */
  #base = 1;
  #blockEnd = BLOCK_AT;
  #outputAt = BLOCK_AT + BLOCK_ROOM_BYTES + SLACK_BYTES;

  /** Whether a block can be decoded before what waits is taken. */
  hasRoom(blockBytes: number, size: number): boolean {
    if (this.bytes === 0) return true;
    return BLOCK_AT + blockBytes + SLACK_BYTES <= this.#outputAt && this.bytes + size <= OUTPUT_ROOM_BYTES;
  }

  /**
   * Takes a block.
   *
   * @param block with its header
   * @param size what it decodes to, in bytes
   */
  load(block: Buffer, size: number): void {
    if (this.bytes === 0) {
      this.#outputAt = BLOCK_AT + Math.max(block.length, BLOCK_ROOM_BYTES) + SLACK_BYTES;
      const isTooLarge = (this.#kernel?.memory.length ?? 0) > MEMORY_BYTES_KEPT;
      if (isTooLarge && this.#outputAt + size < MEMORY_BYTES_KEPT / 2) this.#kernel = undefined;
    }
    if (this.#kernel === undefined) {
      this.#kernel = new WasmKernel<QuickLzFunctions>(QUICKLZ_WASM, quickLzInScript);
      this.#base = 1;
    }
    this.#blockEnd = BLOCK_AT + block.length;
    this.#kernel.reserve(this.#blockEnd + SLACK_BYTES);
    block.copy(this.#kernel.memory, BLOCK_AT);
  }

  /** Adler-32 of the whole block, header and filler included. */
  adler32(): number {
    return this.#kernel!.functions.adler32(BLOCK_AT, this.#blockEnd) >>> 0;
  }

  /**
   * Decodes the body of the loaded block: QuickLZ 1.5.0, level 1, compressed (format.md, section 3). Every item is checked
   * against the ends of body and output before it is used.
   *
   * @param headerBytes of the block's own header
   * @param size what its header says it decodes to, in bytes
   * @returns what is wrong with it, if anything is
   */
  decode(headerBytes: number, size: number): string | undefined {
    const kernel = this.#kernel!;
    const target = this.#outputAt + this.bytes;
    kernel.reserve(target + size + SLACK_BYTES);
    if (this.#base > 0x7fffffff - size) {
      kernel.memory.fill(0, 0, TABLE_BYTES);
      this.#base = 1;
    }
    const damage = kernel.functions.decode(BLOCK_AT + headerBytes, this.#blockEnd, target, size, this.#base);
    this.#base += size;
    if (damage !== 0) return DAMAGE[damage]!;
    this.bytes += size;
    return undefined;
  }

  /** All that waits; good until the next block is loaded. */
  take(): Buffer {
    const { bytes } = this;
    this.bytes = 0;
    return this.#kernel!.memory.subarray(this.#outputAt, this.#outputAt + bytes);
  }
}

/** There is one, since decoders put out what they have before they return. */
export const quickLzOutput = new QuickLzOutput();
