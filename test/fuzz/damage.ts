/** Bytes that changed on their way, and numbers at which readers stumble. */
import { noise } from '../helpers/archive-bytes.js';
import type { Dice } from '../helpers/damaged-archives.js';
import type { Corpus, Seed } from './corpus.js';
import { U64_MAX } from './pieces.js';

/** What a change is made with. */
export interface Tools {
  corpus: Corpus;
  dice: Dice;
  escape: string;
  seed: Seed;
  story: string[];
}

const NUMBERS: readonly bigint[] = [
  ...[0n, 1n, 2n, 7n, 8n, 9n, 255n, 256n, 510n, 511n, 512n, 4095n, 4096n, 65_535n, 65_536n],
  ...[0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 0x1_0000_0000n, (1n << 53n) - 1n, 1n << 53n, 1n << 63n, U64_MAX],
];

/** A number near another one, or one at which readers stumble. */
export function anyNumber(near: bigint, { dice }: Tools): bigint {
  const numbers = [near + 1n, near > 0n ? near - 1n : 1n, near * 2n, near ^ (1n << BigInt(dice.below(64))), ...NUMBERS];
  return dice.pick(numbers) & U64_MAX;
}

/** What has become of bytes, and where. */
export interface Damaged {
  bytes: Buffer;
  kind: 'bit' | 'byte' | 'number' | 'out' | 'in' | 'twice' | 'cut';
  at: number;
}

/** Bytes that changed on their way. */
export function damage(bytes: Buffer, tools: Tools): Buffer {
  return damaged(bytes, tools).bytes;
}

export function damaged(bytes: Buffer, tools: Tools): Damaged {
  if (bytes.length === 0) return { bytes, kind: 'cut', at: 0 };
  const { dice, story } = tools;
  // Headers stand at the beginning of things, and numbers in them.
  const at = dice.below(2) === 0 ? dice.below(bytes.length) : dice.below(Math.min(bytes.length, 80));
  const kind = dice.pick(['bit', 'bit', 'byte', 'number', 'out', 'in', 'twice', 'cut'] as const);
  story.push(`${kind} at byte ${at} of ${bytes.length}`);
  return { bytes: changed(bytes, kind, at, tools), kind, at };
}

function changed(bytes: Buffer, kind: Damaged['kind'], at: number, tools: Tools): Buffer {
  const { dice } = tools;
  const copy = Buffer.from(bytes);
  const length = dice.pick([1, 2, 4, 8, 34, 200]);
  switch (kind) {
    case 'bit':
      copy[at]! ^= 1 << dice.below(8);
      return copy;
    case 'byte':
      copy[at] = dice.pick([0, 1, 0x7f, 0x80, 0xff, dice.below(256)]);
      return copy;
    case 'number': {
      const number = Buffer.alloc(8);
      number.writeBigUInt64LE(anyNumber(0n, tools));
      number.copy(copy, at, 0, dice.pick([4, 8]));
      return copy;
    }
    case 'out':
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    case 'in':
      return Buffer.concat([bytes.subarray(0, at), noise(length, at + 1), bytes.subarray(at)]);
    case 'twice':
      return Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
    case 'cut':
      return bytes.subarray(0, at);
  }
}
