import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../helpers/fast-check.js';
import { lz4Output } from '../../dist/codec/lz4/lz4-kernel.js';

function decodeLz4Block(block: Buffer, outputBytesMax: number): Buffer | string {
  const bytes = lz4Output.decode(block, outputBytesMax);
  return typeof bytes === 'string' ? bytes : lz4Output.take();
}

interface Sequence {
  literals: Uint8Array;
  /** How far back the match lies, as a part of what is there. */
  back: number;
  matchBytes: number;
}

const sequence: fc.Arbitrary<Sequence> = fc.record({
  literals: fc.uint8Array({ maxLength: 40 }),
  // Small distances overlap, and take another way than large ones.
  back: fc.oneof(fc.integer({ min: 1, max: 33 }), fc.integer({ min: 1, max: 70_000 })),
  matchBytes: fc.oneof(fc.integer({ min: 4, max: 40 }), fc.integer({ min: 4, max: 3000 })),
});

/** The rest of a length of which `first` says up to 15. */
function lengthBytes(length: number): number[] {
  const bytes: number[] = [];
  for (let left = length - 15; left >= 0; left -= 255) bytes.push(Math.min(left, 255));
  return bytes;
}

/** A block of these sequences, byte by byte as lz4_Block_format.md has it, and what it decodes to. */
function encode(sequences: readonly Sequence[], last: Uint8Array): { block: Buffer; content: Buffer } {
  const block: number[] = [];
  const content: number[] = [];
  for (const { literals, back, matchBytes } of sequences) {
    if (content.length + literals.length === 0) continue;
    const offset = Math.min(back, content.length + literals.length, 65_535);
    block.push((Math.min(literals.length, 15) << 4) | Math.min(matchBytes - 4, 15));
    block.push(
      ...lengthBytes(literals.length),
      ...literals,
      offset & 255,
      offset >>> 8,
      ...lengthBytes(matchBytes - 4),
    );
    content.push(...literals);
    for (let i = 0; i < matchBytes; i++) content.push(content[content.length - offset]!);
  }
  block.push(Math.min(last.length, 15) << 4, ...lengthBytes(last.length), ...last);
  content.push(...last);
  return { block: Buffer.from(block), content: Buffer.from(content) };
}

const blocks = fc
  .tuple(fc.array(sequence, { maxLength: 30 }), fc.uint8Array({ maxLength: 300 }))
  .map(([sequences, last]) => encode(sequences, last));

test('blocks of any literals and matches decode to what they stand for', () => {
  fc.assert(
    fc.property(blocks, fc.nat(100), ({ block, content }, room) => {
      assert.deepEqual(decodeLz4Block(block, content.length + room), content);
    }),
    { numRuns: 2000 },
  );
});

test('no more comes out than may, and nothing is taken from the block before', () => {
  fc.assert(
    fc.property(blocks, fc.nat(), ({ block, content }, at) => {
      if (content.length > 0) assert.equal(typeof decodeLz4Block(block, at % content.length), 'string');
      // A match that reaches before the output's first byte would find this.
      decodeLz4Block(encode([], Buffer.alloc(400, 7)).block, 400);
      assert.deepEqual(decodeLz4Block(block, content.length), content);
    }),
  );
});

test('a block that ends early is damage, or ends behind literals', () => {
  fc.assert(
    fc.property(blocks, fc.nat(), ({ block, content }, at) => {
      const plain = decodeLz4Block(block.subarray(0, at % block.length), content.length);
      if (typeof plain !== 'string') assert.ok(content.subarray(0, plain.length).equals(plain));
    }),
  );
});

test('any bytes decode to something or are damage', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(5000), (bytes, room) => {
      const plain = decodeLz4Block(Buffer.from(bytes), room);
      assert.ok(typeof plain === 'string' || plain.length <= room);
    }),
    { numRuns: 3000 },
  );
});

test('what is wrong with a block is said', () => {
  const wrong: [string, number[]][] = [
    ['it ends before its last literals', []],
    ['it ends inside a length', [0xf0, 255]],
    ['it ends inside literals', [0x50, 1, 2]],
    ['it holds more than there may be', [0xf0, 255, 0, ...Buffer.alloc(270)]],
    ['it ends inside a match', [0x10, 1, 1]],
    ['a match with a source that does not exist', [0x10, 1, 2, 0, 0x00]],
    ['a match with a source that does not exist', [0x10, 1, 0, 0, 0x00]],
  ];
  for (const [message, bytes] of wrong) assert.equal(decodeLz4Block(Buffer.from(bytes), 200), message);
});
