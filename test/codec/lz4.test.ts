import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { frameAt } from '../../dist/codec/frame-walk.js';
import { xxHash32 } from '../../dist/codec/lz4/xxhash32.js';
import { checkEveryFlippedBit, checkEveryTruncation, outcome } from '../helpers/damage.js';
import { decode } from '../helpers/decode.js';
import { sampled } from '../helpers/programs.js';
import { u32, u64 } from '../helpers/layer-writers.js';

const { compressSync } = createRequire(import.meta.url)('lz4-napi') as { compressSync: (data: Buffer) => Buffer };

const DIRECTORY = mkdtempSync(join(tmpdir(), 'tsxbstream-lz4-'));
after(() => rmSync(DIRECTORY, { recursive: true }));

/** What the program makes; of a file, since it knows the content size of nothing else. */
function lz4(args: string[], input: Buffer): Buffer {
  const file = join(DIRECTORY, 'content');
  writeFileSync(file, input);
  const { status, stdout, stderr } = spawnSync('lz4', ['-c', '-q', ...args, file], { maxBuffer: 1 << 28 });
  assert.equal(status, 0, `the program lz4 failed: ${String(stderr)}`);
  return stdout;
}

/** Text with far and near repetitions, and bytes that do not compress. */
function mixed(length: number): Buffer {
  const noise = randomBytes(3000);
  const parts: Buffer[] = [];
  for (let bytes = 0, i = 0; bytes < length; i++) {
    const part =
      i % 5 === 4 ? noise.subarray(i % 1000) : Buffer.from(`row ${i * 7919} of table ${i % 13}, `.repeat(1 + (i % 40)));
    parts.push(part);
    bytes += part.length;
  }
  return Buffer.concat(parts).subarray(0, length);
}

const BLOCK = (content: Buffer) => {
  const block = compressSync(content).subarray(4);
  return Buffer.concat([u32(block.length), block]);
};

interface FrameWriting {
  flags?: number;
  blockSizeCode?: number;
  contentBytes?: number | bigint;
  content?: Buffer;
}

/** A frame around blocks made by hand. */
function frame(blocks: Buffer[], { flags = 0x60, blockSizeCode = 4, contentBytes, content }: FrameWriting): Buffer {
  const allFlags = flags | (contentBytes === undefined ? 0 : 8) | (content ? 4 : 0);
  const descriptor = Buffer.concat([
    Buffer.from([allFlags, blockSizeCode << 4]),
    contentBytes === undefined ? Buffer.alloc(0) : u64(contentBytes),
  ]);
  const check = Buffer.from([(xxHash32(descriptor) >>> 8) & 0xff]);
  return Buffer.concat([
    u32(0x184d2204),
    descriptor,
    check,
    ...blocks,
    u32(0),
    content ? u32(xxHash32(content)) : Buffer.alloc(0),
  ]);
}

test('what the lz4 program makes decodes: blocks of all sizes, linked or not, all checksums and sizes', () => {
  const content = mixed(5_300_000);
  const sizes = ['-B4', '-B5', '-B6', '-B7'].flatMap((size) => ['-BD', '-BI'].map((linked) => [size, linked]));
  const checks = [[], ['-BX'], ['--no-frame-crc']].flatMap((check) => [check, [...check, '--content-size']]);
  const all = sizes.flatMap((size) => checks.map((check) => [...size, ...check]));
  for (const [number, words] of sampled([...all.entries()], 5)) {
    const file = lz4(words, content);
    const options = number % 2 === 0 ? { pieceBytes: 262_144 } : { pieceBytes: 1 << 20, pauses: true };
    assert.ok(decode(['lz4'], file, options).equals(content), words.join(' '));
  }
});

test('large frames decode, with pauses and without', () => {
  const content = mixed(21_000_000);
  for (const args of [
    ['-B4', '-BD'],
    ['-B7', '-BI'],
    ['-B4', '-BI', '--content-size'],
  ]) {
    const file = lz4(args, content);
    for (const pauses of [false, true])
      assert.ok(decode(['lz4'], file, { pauses, pieceBytes: 1 << 20 }).equals(content), args.join(' '));
    const last = Buffer.from(file);
    last[last.length - 1]! ^= 1;
    for (const pauses of [false, true])
      assert.equal(outcome(['lz4'], last, { pauses, pieceBytes: 1 << 20 }), 'XB_BAD_LAYER');
  }
});

test('a stated content size that is wrong is damage, in small frames and large', () => {
  for (const [length, wrong] of [
    [1000, 999],
    [1000, 1001],
    [100_000, 99_999],
    [17 << 20, (17 << 20) + 1],
    [17 << 20, (17 << 20) - 1],
  ] as const) {
    const content = Buffer.alloc(length, 'content ');
    const blocks: Buffer[] = [];
    for (let at = 0; at < length; at += 65536) blocks.push(BLOCK(content.subarray(at, at + 65536)));
    for (const pauses of [false, true]) {
      assert.ok(decode(['lz4'], frame(blocks, { contentBytes: length, content }), { pauses }).equals(content));
      assert.equal(outcome(['lz4'], frame(blocks, { contentBytes: wrong, content }), { pauses }), 'XB_BAD_LAYER');
    }
  }
});

test('a stated content size of 0 says nothing, as for the lz4 program', () => {
  const content = mixed(100_000);
  const blocks = [BLOCK(content.subarray(0, 65536)), BLOCK(content.subarray(65536))];
  const file = frame(blocks, { contentBytes: 0, content });
  const { status, stdout } = spawnSync('lz4', ['-dc'], { input: file });
  assert.deepEqual([status, stdout.equals(content)], [0, true]);
  assert.ok(decode(['lz4'], file).equals(content));
  const spanOf = (bytes: Buffer): unknown => frameAt('lz4', (at, count) => bytes.subarray(at, at + count), 0);
  assert.deepEqual(spanOf(file), { end: file.length, contentBytes: undefined });
  const empty = frame([], { contentBytes: 0 });
  assert.deepEqual(spanOf(empty), { end: empty.length, contentBytes: 0 });
  assert.equal(decode(['lz4'], empty).length, 0);
});

test('linked blocks that hold a byte each take time for what they hold', { timeout: 60_000 }, () => {
  const letter = Buffer.concat([u32(2), Buffer.from([0x10, 0x61])]);
  const stored = Buffer.concat([u32(2 ** 31 + 1), Buffer.from('b')]);
  const blocks = Buffer.concat(Array.from({ length: 130_000 }, () => Buffer.concat([letter, stored])));
  const content = Buffer.alloc(260_000, 'ab');
  assert.ok(decode(['lz4'], frame([blocks], { flags: 0x40, blockSizeCode: 7 })).equals(content));
});

test('several frames, empty frames and skippable frames decode', () => {
  const [one, two] = [mixed(70_000), mixed(100)];
  const skippable = (nibble: number, bytes: number) =>
    Buffer.concat([u32(0x184d2a50 + nibble), u32(bytes), Buffer.alloc(bytes, 0x22)]);
  const file = Buffer.concat([
    skippable(0, 0),
    lz4([], one),
    lz4([], Buffer.alloc(0)),
    skippable(15, 100_000),
    lz4(['-BX'], two),
    skippable(7, 3),
  ]);
  for (const pieceBytes of [undefined, 1, 1000]) {
    for (const pauses of [false, true]) {
      assert.deepEqual(decode(['lz4'], file, { pieceBytes, pauses }), Buffer.concat([one, two]));
    }
  }
  assert.deepEqual(decode(['lz4'], Buffer.alloc(0)), Buffer.alloc(0));
  assert.equal(outcome(['lz4'], skippable(1, 10).subarray(0, 15)), 'XB_LAYER_TRUNCATED');
});

test('every flipped bit is an error or means nothing', () => {
  const content = Buffer.from('a text that repeats and a text that repeats, then goes on');
  for (const args of [[], ['-BX', '-BD'], ['--content-size']]) {
    const first = lz4(args, content);
    const file = Buffer.concat([first, u32(0x184d2a53), u32(2), Buffer.from('xy')]);
    // The block ends in literals; the low half of their token is the length of a match that does not follow.
    const lastTokenAt = first.indexOf(', then goes on') - 1;
    checkEveryFlippedBit(['lz4'], file, content, {
      isHarmless: (byte, bit) =>
        (byte === lastTokenAt && bit < 4 && args[0] !== '-BX') ||
        // Which of the sixteen magics a skippable frame has, and what it holds.
        (byte === first.length && bit < 4) ||
        byte >= first.length + 8,
    });
  }
});

test('a file that is cut anywhere but between frames is truncated', () => {
  const first = lz4(['-BX'], Buffer.from('the first frame'));
  const file = Buffer.concat([first, lz4(['--content-size'], Buffer.from('the second frame'))]);
  checkEveryTruncation(['lz4'], file, [0, first.length]);
  checkEveryTruncation(['lz4'], file, [0, first.length], { pieceBytes: 5, pauses: true });
});

test('trailing garbage is damage', () => {
  const file = lz4([], Buffer.from('content'));
  assert.equal(outcome(['lz4'], Buffer.concat([file, Buffer.alloc(4)])), 'XB_BAD_LAYER');
  assert.equal(outcome(['lz4'], Buffer.concat([file, Buffer.alloc(3)])), 'XB_LAYER_TRUNCATED');
});

test('compressed blocks a little larger than the block maximum are read, as older xtrabackup wrote them', () => {
  const content = randomBytes(65536);
  const block = BLOCK(content);
  assert.ok(block.length > 65536 + 200);
  assert.deepEqual(decode(['lz4'], frame([block], { content })), content);
  assert.equal(
    outcome(['lz4'], frame([Buffer.concat([u32(65536 + 257 + 17), Buffer.alloc(65536 + 257 + 17)])], { content })),
    'XB_BAD_LAYER',
  );
});

test('blocks that decode to more than the block maximum are read where the content size is known', () => {
  const content = mixed(1_180_000 * 2);
  const blocks = [BLOCK(content.subarray(0, 1_180_000)), BLOCK(content.subarray(1_180_000))];
  for (const pauses of [false, true]) {
    assert.ok(
      decode(['lz4'], frame(blocks, { blockSizeCode: 6, contentBytes: content.length, content }), { pauses }).equals(
        content,
      ),
    );
    assert.equal(outcome(['lz4'], frame(blocks, { blockSizeCode: 6, content }), { pauses }), 'XB_BAD_LAYER');
  }
  const five = Buffer.alloc(5 << 20);
  assert.equal(outcome(['lz4'], frame([BLOCK(five)], { blockSizeCode: 6, contentBytes: five.length })), 'XB_BAD_LAYER');
});

test('features that backups do not use are named, not guessed at', () => {
  const cases: [string, Buffer, string][] = [
    ['a dictionary', frame([], { flags: 0x61 }), 'XB_BAD_LAYER'],
    ['another version', frame([], { flags: 0xa0 }), 'XB_UNSUPPORTED_LAYER'],
    ['a reserved flag', frame([], { flags: 0x62 }), 'XB_UNSUPPORTED_LAYER'],
    ['a small block size', frame([], { blockSizeCode: 3 }), 'XB_UNSUPPORTED_LAYER'],
    ['a reserved bit', frame([], { blockSizeCode: 12 }), 'XB_UNSUPPORTED_LAYER'],
    ['the legacy format', Buffer.concat([u32(0x184c2102), Buffer.alloc(8)]), 'XB_BAD_LAYER'],
  ];
  for (const [what, bytes, code] of cases) assert.equal(outcome(['lz4'], bytes), code, what);
  const descriptor = Buffer.from([0x61, 0x40, 1, 0, 0, 0]);
  const dictionary = Buffer.concat([
    u32(0x184d2204),
    descriptor,
    Buffer.from([(xxHash32(descriptor) >>> 8) & 0xff]),
    u32(0),
  ]);
  assert.equal(outcome(['lz4'], dictionary), 'XB_UNSUPPORTED_LAYER');
});

test('decoding leaves what was pushed as it was', async () => {
  const { DecodeChain } = await import('../../dist/codec/decode-chain.js');
  const content = mixed(200_000);
  const file = lz4(['-B4', '-BI'], content);
  const before = Buffer.from(file);
  const chain = new DecodeChain({ layers: ['lz4'], output: () => undefined });
  chain.push(file);
  chain.end();
  assert.deepEqual(file, before);
});
