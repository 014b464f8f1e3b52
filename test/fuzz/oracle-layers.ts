/**
 * Undoes what was done to a stored file, written from sections 2 to 5 of src/format.md and the public specifications alone.
 * Compressed blocks of zstd are left to its own library.
 */
import * as zstd from '@mongodb-js/zstd';
import { createDecipheriv, createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

export interface OracleKey {
  cipher: string;
  bytes: Uint8Array;
}

/** Content that nobody can decode. */
export class BadLayer extends Error {}
/** The format leaves it open, or it is too large to be looked at. */
export class Unsure extends Error {}

/** More than this no case needs. */
const CONTENT_MAX = 32 * 1024 * 1024;

export const SUFFIXES = [
  ['.zst', unZstd],
  ['.lz4', unLz4],
  ['.qp', unQpress],
] as const;

/** What a stored file is called when its layers are undone. @param decrypts whether there is a key */
export function decodedName(path: string, decrypts: boolean): { name: string; isEncrypted: boolean; suffix: string } {
  const isEncrypted = decrypts && path.endsWith('.xbcrypt');
  const inner = isEncrypted ? path.slice(0, -'.xbcrypt'.length) : path;
  const suffix = SUFFIXES.find(([ending]) => inner.endsWith(ending))?.[0] ?? '';
  return { name: inner.slice(0, inner.length - suffix.length), isEncrypted, suffix };
}

/** @throws BadLayer, Unsure */
export async function decodeStored(path: string, stored: Buffer, key: OracleKey | undefined): Promise<Buffer> {
  const { isEncrypted, suffix } = decodedName(path, key !== undefined);
  const inner = isEncrypted ? unXbcrypt(stored, key!) : stored;
  const undo = SUFFIXES.find(([ending]) => ending === suffix)?.[1];
  if (undo === undefined) return inner;
  if (inner.length === 0 && suffix === '.qp') throw new Unsure('nothing at all in a .qp file');
  return undo(inner);
}

class Bytes {
  at = 0;
  constructor(readonly all: Buffer) {}
  get isAtEnd(): boolean {
    return this.at === this.all.length;
  }
  take(count: number): Buffer {
    if (count > this.all.length - this.at) throw new BadLayer('cut short');
    this.at += count;
    return this.all.subarray(this.at - count, this.at);
  }
  u8 = (): number => this.take(1)[0]!;
  u32 = (): number => this.take(4).readUInt32LE();
  u64 = (): number => Number(this.take(8).readBigUInt64LE());
}

function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new BadLayer(what);
}

function join(parts: readonly Buffer[]): Buffer {
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  if (size > CONTENT_MAX) throw new Unsure('large');
  return Buffer.concat(parts);
}

function unXbcrypt(stored: Buffer, { cipher, bytes: key }: OracleKey): Buffer {
  const input = new Bytes(stored);
  const parts: Buffer[] = [];
  while (!input.isAtEnd) {
    const magic = input.take(8).toString('latin1');
    const version = ['XBCRYP01', 'XBCRYP02', 'XBCRYP03'].indexOf(magic) + 1;
    must(version > 0, 'no xbcrypt chunk');
    if (input.u64() !== 0) throw new Unsure('a reserved field is used');
    const [originalSize, encryptedSize] = [input.u64(), input.u64()];
    must(originalSize === encryptedSize && originalSize <= 2 ** 31 - 1, 'sizes of an xbcrypt chunk');
    must(version < 3 || originalSize >= 32, 'no room for the hash');
    const sum = input.u32();
    const iv = version > 1 ? ivOf(input) : Buffer.alloc(16);
    const data = input.take(encryptedSize);
    must(crc32(data) === sum, 'checksum of an xbcrypt chunk');
    const counter = version === 3 ? iv : Buffer.alloc(16);
    const text = createDecipheriv(`aes-${cipher.slice(3)}-ctr`, key, counter).update(data);
    if (version < 3) {
      parts.push(text);
      continue;
    }
    const content = text.subarray(0, text.length - 32);
    must(createHash('sha256').update(content).digest().equals(text.subarray(-32)), 'hash of an xbcrypt chunk');
    parts.push(content);
  }
  return join(parts);
}

function ivOf(input: Bytes): Buffer {
  must(input.u64() === 16, 'length of an IV');
  return input.take(16);
}

function adler32(bytes: Buffer): number {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}

function unQpress(stored: Buffer): Buffer {
  const input = new Bytes(stored);
  const parts: Buffer[] = [];
  must(input.take(8).toString('latin1') === 'qpress10', 'no qpress archive');
  const chunkBytes = input.u64();
  if (chunkBytes > CONTENT_MAX) throw new Unsure('large blocks');
  must(input.take(1).toString('latin1') === 'F', 'no file in a qpress archive');
  input.take(input.u32());
  must(input.u8() === 0, 'end of the name');
  for (;;) {
    const mark = input.take(8).toString('latin1');
    if (mark === 'ENDSENDS') break;
    must(mark === 'NEWBNEWB', 'no block');
    input.take(8);
    const sum = input.u32();
    const from = input.at;
    const isLong = (input.take(1)[0]! & 2) !== 0;
    const length = isLong ? input.u32() : input.u8();
    input.at = from;
    const block = input.take(length);
    must(adler32(block) === sum, 'adler of a block');
    const content = unQuickLz(block);
    if (content.length > chunkBytes) throw new BadLayer('a block larger than blocks are');
    parts.push(content);
  }
  if (input.u64() !== 0) throw new Unsure('number behind the last block');
  must(input.isAtEnd, 'more behind a qpress archive');
  return join(parts);
}

const QUICKLZ_TAIL = 11;

function unQuickLz(block: Buffer): Buffer {
  const input = new Bytes(block);
  const flags = input.u8();
  must((flags & 0x4c) === 0x44, 'flags of a block');
  const read = (flags & 2) !== 0 ? input.u32 : input.u8;
  const [length, size] = [read(), read()];
  must(length === block.length, 'length of a block');
  if ((flags & 1) === 0) {
    must(block.length - input.at === size, 'length of a stored block');
    return input.take(size);
  }
  if (size > CONTENT_MAX) throw new Unsure('a large block');
  const out = Buffer.alloc(size);
  const table = new Map<number, number>();
  let [at, entered, control] = [0, 0, 1];
  const enter = (until: number): void => {
    for (; entered < until; entered += 1) table.set(hashOf(out.readUIntLE(entered, 3)), entered);
  };
  while (at < size) {
    if (control === 1) control = input.u32();
    if (control < 2) throw new Unsure('a control word that tells nothing');
    const isMatch = (control & 1) === 1;
    const inTail = at >= size - QUICKLZ_TAIL && !isMatch;
    control >>>= 1;
    if (!isMatch) {
      if (inTail) return tail(input, out, at, control);
      out[at++] = input.u8();
      enter(at - 2);
      continue;
    }
    const word = input.take(2).readUInt16LE();
    const matchLength = (word & 15) === 0 ? input.u8() : (word & 15) + 2;
    const from = table.get(word >>> 4);
    must(from !== undefined && matchLength >= 3 && at + matchLength <= size, 'a match');
    for (let index = 0; index < matchLength; index += 1) out[at + index] = out[from + index]!;
    enter(at + 1);
    at += matchLength;
    entered = at;
  }
  return out;
}

/** All the rest are literals; a control word serves 31 of them, whatever it holds. @param control what is left of the current one */
function tail(input: Bytes, out: Buffer, from: number, control: number): Buffer {
  let left = 31 - Math.clz32(control);
  for (let at = from; at < out.length; at += 1) {
    if (at > from && left-- === 0) {
      input.take(4);
      left = 30;
    }
    out[at] = input.u8();
  }
  return out;
}

function hashOf(x: number): number {
  return ((x >>> 12) ^ x) & 4095;
}

function xxh32(bytes: Buffer): number {
  const [p1, p2, p3, p4, p5] = [2654435761, 2246822519, 3266489917, 668265263, 374761393];
  const turn = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));
  let hash = p5;
  let at = 0;
  if (bytes.length >= 16) {
    const lanes = [p1 + p2, p2, 0, -p1];
    for (; at + 16 <= bytes.length; at += 16) {
      for (const [index, lane] of lanes.entries()) {
        lanes[index] = Math.imul(turn(lane + Math.imul(bytes.readUInt32LE(at + index * 4), p2), 13), p1);
      }
    }
    hash = [1, 7, 12, 18].reduce((sum, bits, index) => sum + turn(lanes[index]!, bits), 0) | 0;
  }
  hash = (hash + bytes.length) | 0;
  for (; at + 4 <= bytes.length; at += 4) {
    hash = Math.imul(turn((hash + Math.imul(bytes.readUInt32LE(at), p3)) | 0, 17), p4);
  }
  for (; at < bytes.length; at += 1) hash = Math.imul(turn((hash + Math.imul(bytes[at]!, p5)) | 0, 11), p1);
  hash = Math.imul(hash ^ (hash >>> 15), p2);
  hash = Math.imul(hash ^ (hash >>> 13), p3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const isSkippable = (magic: number): boolean => magic >>> 4 === 0x184d2a5;

function unLz4(stored: Buffer): Buffer {
  const input = new Bytes(stored);
  const parts: Buffer[] = [];
  while (!input.isAtEnd) {
    const magic = input.u32();
    if (isSkippable(magic)) input.take(input.u32());
    else parts.push(lz4Frame(input, magic));
  }
  return join(parts);
}

function lz4Frame(input: Bytes, magic: number): Buffer {
  must(magic === 0x184d2204, 'no LZ4 frame');
  const from = input.at;
  const [flags, sizes] = [input.u8(), input.u8()];
  must(flags >>> 6 === 1 && (flags & 2) === 0, 'flags of an LZ4 frame');
  must((sizes & 0x8f) === 0 && sizes >>> 4 >= 4, 'block size of an LZ4 frame');
  const contentSize = (flags & 8) === 0 ? undefined : input.u64();
  if ((flags & 1) !== 0) {
    input.u32();
    throw new BadLayer('an LZ4 dictionary');
  }
  const descriptor = input.all.subarray(from, input.at);
  must(((xxh32(descriptor) >>> 8) & 0xff) === input.u8(), 'header checksum of an LZ4 frame');
  const isIndependent = (flags & 0x20) !== 0;
  const blockMax = 2 ** (8 + 2 * (sizes >>> 4));
  let out: Buffer = Buffer.alloc(0);
  for (let size = input.u32(); size !== 0; size = input.u32()) {
    const isStored = size >>> 31 === 1;
    const length = size & 0x7fffffff;
    const block = input.take(length);
    if ((flags & 0x10) !== 0) must(xxh32(block) === input.u32(), 'checksum of an LZ4 block');
    const bound = contentSize === undefined ? blockMax : Math.min(contentSize - out.length, 4 << 20);
    if (length > blockMax + Math.floor(blockMax / 255) + 16) throw new Unsure('a very long block');
    const content = isStored ? block : lz4Block(block, isIndependent ? Buffer.alloc(0) : out, bound);
    must(content.length <= bound, 'an LZ4 block is too long');
    out = join([out, content]);
  }
  if (contentSize !== undefined) must(out.length === contentSize, 'content size of an LZ4 frame');
  if ((flags & 4) !== 0) must(xxh32(out) === input.u32(), 'checksum of an LZ4 frame');
  return out;
}

/** @param before what matches may reach back into */
function lz4Block(block: Buffer, before: Buffer, bound: number): Buffer {
  const input = new Bytes(block);
  const out = [...before.subarray(-65536)];
  const base = out.length;
  const more = (nibble: number): number => {
    if (nibble < 15) return nibble;
    let [sum, byte] = [15, 255];
    while (byte === 255) sum += byte = input.u8();
    return sum;
  };
  must(block.length > 0, 'an empty block');
  for (;;) {
    const token = input.u8();
    for (const byte of input.take(more(token >>> 4))) out.push(byte);
    must(out.length - base <= bound, 'an LZ4 block is too long');
    if (input.isAtEnd) return Buffer.from(out.slice(base));
    const offset = input.take(2).readUInt16LE();
    const length = more(token & 15) + 4;
    must(offset > 0 && offset <= out.length, 'an LZ4 match');
    must(out.length - base + length <= bound, 'an LZ4 block is too long');
    for (let index = 0; index < length; index += 1) out.push(out[out.length - offset]!);
  }
}

async function unZstd(stored: Buffer): Promise<Buffer> {
  const input = new Bytes(stored);
  const parts: Buffer[] = [];
  while (!input.isAtEnd) {
    const from = input.at;
    const magic = input.u32();
    if (isSkippable(magic)) {
      input.take(input.u32());
      continue;
    }
    must(magic === 0xfd2fb528, 'no zstd frame');
    walkZstd(input);
    try {
      parts.push(await zstd.decompress(input.all.subarray(from, input.at)));
    } catch (error) {
      throw new BadLayer(`zstd: ${(error as Error).message}`);
    }
  }
  return join(parts);
}

/** Goes to the end of a frame, by its blocks. */
function walkZstd(input: Bytes): void {
  const flags = input.u8();
  must((flags & 8) === 0, 'a reserved bit of a zstd frame');
  const isSingle = (flags & 0x20) !== 0;
  const window = isSingle ? 0 : input.u8();
  if ((flags & 3) !== 0) throw new Unsure('a zstd dictionary');
  const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][flags >>> 6]!;
  const size = input.take(sizeBytes);
  const contentSize = sizeBytes === 0 ? undefined : numberOf(size) + (sizeBytes === 2 ? 256 : 0);
  const windowBytes = isSingle ? contentSize! : 2 ** (10 + (window >>> 3)) * (1 + (window & 7) / 8);
  if (windowBytes > 8 << 20 && !isSingle) throw new Unsure('a large window');
  const blockMax = Math.min(windowBytes, 128 << 10);
  let [most, isLast] = [0, false];
  while (!isLast) {
    const header = input.take(3).readUIntLE(0, 3);
    const length = header >>> 3;
    const type = (header >>> 1) & 3;
    isLast = (header & 1) === 1;
    must(type !== 3 && length <= Math.max(blockMax, 0), 'a zstd block');
    input.take(type === 1 ? 1 : length);
    most += type === 2 ? blockMax : length;
  }
  if ((flags & 4) !== 0) input.u32();
  if (contentSize !== undefined) must(contentSize <= most, 'content size of a zstd frame');
  if (most > CONTENT_MAX) throw new Unsure('large');
}

function numberOf(bytes: Buffer): number {
  return bytes.reduceRight((sum, byte) => sum * 256 + byte, 0);
}
