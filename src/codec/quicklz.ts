import { noteNativeMemory } from './native-memory.js';
import { QUICKLZ_WASM } from './quicklz-wasm.js';

/** Header of a block with lengths of one byte, and with lengths of four. */
const SHORT_HEADER_BYTES = 3;
export const LONG_HEADER_BYTES = 9;

const FLAG_COMPRESSED = 0x01;
const FLAG_LONG_HEADER = 0x02;
const LEVEL_MASK = 0x0c;
const LEVEL_1 = 0x04;
const FLAG_ALWAYS = 0x40;

/** What a block says of itself. */
export interface QuickLzHeader {
  headerBytes: number;
  /** Whole block, header included. */
  compressedBytes: number;
  decompressedBytes: number;
  stored: boolean;
}

/** Most bytes a block of that many can decode to: a match of 255 bytes takes three and a bit. */
export function quickLzOutputBytesMax(compressedBytes: number): number {
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
  if (
    (flags & LEVEL_MASK) !== LEVEL_1 ||
    (flags & ~(FLAG_COMPRESSED | FLAG_LONG_HEADER | LEVEL_MASK)) !== FLAG_ALWAYS
  ) {
    return `flags ${flags.toString(16).padStart(2, '0')} (hex) are not those of a level 1 block`;
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
  if (decompressedBytes > quickLzOutputBytesMax(compressedBytes)) return sizes;
  return { headerBytes, compressedBytes, decompressedBytes, stored };
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
/** What quicklz.wat wants to be free to read and write behind body and output. */
const SLACK_BYTES = 8;
const PAGE_BYTES = 65536;
/** Memory of WebAssembly only grows: with the first small block after such as few writers make it is given up. */
const MEMORY_BYTES_KEPT = 4 << 20;

/** The part of the global `WebAssembly` that is used here; the types of Node have none of it. */
interface WebAssemblyApi {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: unknown };
}

interface QuickLzExports {
  memory: { buffer: ArrayBuffer; grow(pages: number): number };
  decode(body: number, bodyEnd: number, target: number, size: number, base: number): number;
}

class QuickLzDecoder {
  readonly #exports: QuickLzExports;
  #memory: Buffer;
  /** Added to positions in the table: numbers below it are left from earlier blocks, which saves clearing it for each. */
  #base = 1;

  constructor() {
    const { Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
    this.#exports = new Instance(new Module(Buffer.from(QUICKLZ_WASM, 'base64'))).exports as QuickLzExports;
    this.#memory = Buffer.from(this.#exports.memory.buffer);
  }

  get memoryBytes(): number {
    return this.#memory.length;
  }

  decode(body: Buffer, size: number): Buffer | string {
    const target = TABLE_BYTES + body.length + SLACK_BYTES;
    const missingBytes = target + size + SLACK_BYTES - this.#memory.length;
    if (missingBytes > 0) {
      this.#exports.memory.grow(Math.ceil(missingBytes / PAGE_BYTES));
      this.#memory = Buffer.from(this.#exports.memory.buffer);
    }
    if (this.#base > 0x7fffffff - size) {
      this.#memory.fill(0, 0, TABLE_BYTES);
      this.#base = 1;
    }
    body.copy(this.#memory, TABLE_BYTES);
    const damage = this.#exports.decode(TABLE_BYTES, TABLE_BYTES + body.length, target, size, this.#base);
    this.#base += size;
    return DAMAGE[damage] ?? this.#memory.subarray(target, target + size);
  }
}

let decoder: QuickLzDecoder | undefined;

/**
 * Decodes the body of a compressed QuickLZ 1.5.0 block, level 1 (format.md, section 3). Every item is checked against
 * the ends of body and output before it is used.
 *
 * @param size what its header says it decodes to, in bytes
 * @returns the output, good until the next call; or what is wrong with the block
 */
export function decodeQuickLz(body: Buffer, size: number): Buffer | string {
  if (decoder && decoder.memoryBytes > MEMORY_BYTES_KEPT && body.length + size < MEMORY_BYTES_KEPT / 2) {
    noteNativeMemory(decoder.memoryBytes);
    decoder = undefined;
  }
  decoder ??= new QuickLzDecoder();
  return decoder.decode(body, size);
}
