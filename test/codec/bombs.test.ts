import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { LayerName } from '../../dist/codec/codec.js';
import { DecodedBudget, smallContent } from '../../dist/codec/small-content.js';
import { xxHash32 } from '../../dist/codec/lz4/xxhash32.js';
import { canStreamZstd } from '../../dist/codec/zstd/zstd-stream.js';
import { rawPath } from '../../dist/format/stored-path.js';
import { qpressBlock, qpressHeader, QPRESS_TRAILER, u32, u64 } from '../helpers/layer-writers.js';
import { SOAK } from '../helpers/programs.js';
import { withHeader } from '../helpers/quicklz-encoder.js';

const PEAK_BYTES_MAX = 250e6;
/** What there is several times comes to more than the most memory that may be used. */
const TIMES = SOAK ? 30 : 5;
const DIRECTORY = mkdtempSync(join(tmpdir(), 'tsxbstream-bomb-'));
after(() => rmSync(DIRECTORY, { recursive: true }));

/** Decodes in a process of its own. */
function decodeElsewhere(layer: LayerName, bytes: Buffer): { code: string; outputBytes: number; peakBytes: number } {
  const file = join(DIRECTORY, 'bomb');
  writeFileSync(file, bytes);
  const script = fileURLToPath(new URL('../helpers/peak-memory.js', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, layer, file], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as { code: string; outputBytes: number; peakBytes: number };
}

function repeat(part: Buffer, times: number): Buffer {
  return Buffer.concat(Array.from({ length: times }, () => part));
}

function zstdBlocks(count: number): Buffer {
  // A repeated byte, 128 KiB of it in four bytes.
  return Buffer.concat(Array.from({ length: count }, (_, i) => Buffer.from([2 | (i === count - 1 ? 1 : 0), 0, 16, 0])));
}
const ZSTD_HEADER = Buffer.concat([u32(0xfd2fb528), Buffer.from([0x00, 0x88])]);

function lz4Header(flags: number, blockSizeCode: number, contentBytes: bigint): Buffer {
  const descriptor = Buffer.concat([Buffer.from([flags | 8, blockSizeCode << 4]), u64(contentBytes)]);
  return Buffer.concat([u32(0x184d2204), descriptor, Buffer.from([(xxHash32(descriptor) >>> 8) & 0xff])]);
}

test('zstd: many frames of 64 MiB out of 10 KB', () => {
  const { code, outputBytes, peakBytes } = decodeElsewhere(
    'zstd',
    repeat(Buffer.concat([ZSTD_HEADER, zstdBlocks(512)]), TIMES),
  );
  assert.deepEqual([code, outputBytes], ['none', TIMES * (64 << 20)]);
  assert.ok(peakBytes < PEAK_BYTES_MAX, `${peakBytes} bytes`);
});

test('zstd: one frame that yields gigabytes', () => {
  const { code, outputBytes, peakBytes } = decodeElsewhere('zstd', Buffer.concat([ZSTD_HEADER, zstdBlocks(20_000)]));
  assert.deepEqual([code, outputBytes], canStreamZstd() ? ['none', 20_000 * 131_072] : ['XB_UNSUPPORTED_LAYER', 0]);
  assert.ok(peakBytes < PEAK_BYTES_MAX, `${peakBytes} bytes`);
});

test('zstd: a frame of blocks without content does not gather in memory', () => {
  // More than a frame may have that is decoded in one go.
  const bytes = (SOAK ? 90 : 66) << 20;
  const { code, peakBytes } = decodeElsewhere('zstd', Buffer.concat([ZSTD_HEADER, Buffer.alloc(bytes)]));
  assert.equal(code, canStreamZstd() ? 'XB_LAYER_TRUNCATED' : 'XB_UNSUPPORTED_LAYER');
  assert.ok(peakBytes < PEAK_BYTES_MAX, `${peakBytes} bytes`);
});

test('zstd: frames of ten MiB of zeros, as a sparse tablespace gives them', () => {
  const { code, outputBytes, peakBytes } = decodeElsewhere(
    'zstd',
    repeat(Buffer.concat([ZSTD_HEADER, zstdBlocks(80)]), 7 * TIMES),
  );
  assert.deepEqual([code, outputBytes], ['none', 7 * TIMES * (10 << 20)]);
  assert.ok(peakBytes < PEAK_BYTES_MAX, `${peakBytes} bytes`);
});

test('LZ4: frames of ten MiB of zeros, and blocks of four MiB', () => {
  const { compressSync } = createRequire(import.meta.url)('lz4-napi') as { compressSync: (data: Buffer) => Buffer };
  for (const [code, bytes] of [
    [4, 65536],
    [7, 4 << 20],
  ] as const) {
    const compressed = compressSync(Buffer.alloc(bytes)).subarray(4);
    const count = (40 << 20) / bytes;
    const frame = Buffer.concat([
      lz4Header(0x60, code, BigInt(count * bytes)),
      repeat(Buffer.concat([u32(compressed.length), compressed]), count),
      u32(0),
    ]);
    const found = decodeElsewhere('lz4', repeat(frame, 2 * TIMES));
    assert.deepEqual([found.code, found.outputBytes], ['none', 2 * TIMES * (40 << 20)]);
    assert.ok(found.peakBytes < PEAK_BYTES_MAX, `${found.peakBytes} bytes`);
  }
});

test('LZ4: blocks that claim far more than they hold', () => {
  // A match that goes on in ever more bytes of 255, then an offset.
  const long = Buffer.concat([Buffer.from([0x1f, 0x41, 1, 0]), Buffer.alloc(9000, 255), Buffer.from([0, 0x00])]);
  const frame = Buffer.concat([lz4Header(0x60, 7, 2n ** 50n), u32(long.length), long, u32(0)]);
  const found = decodeElsewhere('lz4', repeat(frame, 20));
  assert.equal(found.code, 'XB_BAD_LAYER');
  assert.ok(found.peakBytes < PEAK_BYTES_MAX, `${found.peakBytes} bytes`);
  // Blocks that decode to nothing, without end.
  const empty = decodeElsewhere(
    'lz4',
    Buffer.concat([lz4Header(0x60, 4, 1n), repeat(Buffer.from([1, 0, 0, 0, 0]), 1 << 20)]),
  );
  assert.equal(empty.code, 'XB_LAYER_TRUNCATED');
  assert.ok(empty.peakBytes < PEAK_BYTES_MAX, `${empty.peakBytes} bytes`);
});

test('qpress: blocks of 64 MiB, claimed and real', () => {
  const size = 64 << 20;
  const claimed = Buffer.concat([
    qpressHeader(size),
    qpressBlock(withHeader(Buffer.alloc(100), size, true, false)),
    QPRESS_TRAILER,
  ]);
  const refused = decodeElsewhere('qpress', claimed);
  assert.equal(refused.code, 'XB_BAD_LAYER');
  assert.ok(refused.peakBytes < 100e6, `${refused.peakBytes} bytes`);
  // A zero, literally, three times; then matches of it, the last one shorter; and the tail of 11 literals.
  const lastMatch = (size - 14) % 255;
  const items = 3 + Math.floor((size - 14) / 255) + 1;
  const words: Buffer[] = [];
  for (let done = 0; done < items; done += 31) {
    const count = Math.min(31, items - done);
    const literals = done === 0 ? 3 : 0;
    words.push(
      u32(2 ** 31 + 2 ** count - 2 ** literals),
      Buffer.alloc(literals),
      repeat(Buffer.from([0, 0, 255]), count - literals),
    );
  }
  words.at(-1)![words.at(-1)!.length - 1] = lastMatch;
  const body = Buffer.concat([...words, Buffer.alloc(11 + 4)]);
  const real = Buffer.concat([
    qpressHeader(size),
    repeat(qpressBlock(withHeader(body, size, true, false)), 4),
    QPRESS_TRAILER,
  ]);
  const found = decodeElsewhere('qpress', real);
  assert.deepEqual([found.code, found.outputBytes], ['none', 4 * size]);
  assert.ok(found.peakBytes < PEAK_BYTES_MAX, `${found.peakBytes} bytes`);
});

test('xbcrypt: a chunk that claims 64 MiB and brings little', () => {
  const header = Buffer.concat([
    Buffer.from('XBCRYP03'),
    u64(0),
    u64(64 << 20),
    u64(64 << 20),
    u32(0),
    u64(16),
    Buffer.alloc(16),
  ]);
  const found = decodeElsewhere('xbcrypt', Buffer.concat([header, Buffer.alloc(10_000)]));
  assert.equal(found.code, 'XB_LAYER_TRUNCATED');
  assert.ok(found.peakBytes < 100e6, `${found.peakBytes} bytes`);
});

test('any number of small files: no more than 64 MiB of them is decoded, and what comes then is not begun', () => {
  const mostBytes = 1024 * 1024;
  const stored = Buffer.concat([ZSTD_HEADER, zstdBlocks(mostBytes / 131_072)]);
  const budget = new DecodedBudget();
  const read = (): Buffer => smallContent(rawPath('f.zst'), stored, undefined, { mostBytes, budget });
  for (let count = 0; count < 64; count += 1) assert.equal(read().length, mostBytes);
  assert.throws(read, { code: 'XB_UNSUPPORTED_LAYER' });
  assert.ok(budget.isSpent);
  assert.throws(read, /there are too many such files/);
});
