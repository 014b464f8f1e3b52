import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import * as zlib from 'node:zlib';
import { canStreamZstd, ZstdFailure, ZstdStream } from '../../dist/codec/zstd/zstd-stream.js';
import { DecodeChain } from '../../dist/codec/decode-chain.js';
import { checkEveryFlippedBit, checkEveryTruncation, outcome } from '../helpers/damage.js';
import { decode } from '../helpers/decode.js';
import { u32 } from '../helpers/layer-writers.js';
import { sampled, SOAK } from '../helpers/programs.js';

function zstd(args: string[], input: Buffer): Buffer {
  const { status, stdout, stderr } = spawnSync('zstd', ['-c', '-q', ...args], { input, maxBuffer: 1 << 28 });
  assert.equal(status, 0, `the program zstd failed: ${String(stderr)}`);
  return stdout;
}

const MAGIC = u32(0xfd2fb528);
const RAW = 0;
const RLE = 1;

function block(type: number, bytes: number, body: Buffer, last = false): Buffer {
  const header = Buffer.alloc(3);
  header.writeUIntLE((bytes << 3) | (type << 1) | (last ? 1 : 0), 0, 3);
  return Buffer.concat([header, body]);
}

/** A window of 8 MiB, no content size, no checksum. */
const OPEN_HEADER = Buffer.concat([MAGIC, Buffer.from([0x00, 13 << 3])]);

function mixed(length: number): Buffer {
  const parts: Buffer[] = [];
  for (let bytes = 0, i = 0; bytes < length; i++) {
    const part =
      i % 50 === 49 ? randomBytes(2000) : Buffer.from(`row ${i * 7919} of table ${i % 13}, `.repeat(1 + (i % 40)));
    parts.push(part);
    bytes += part.length;
  }
  return Buffer.concat(parts).subarray(0, length);
}

test('what the zstd program makes decodes: levels, windows, checksums, sizes, one frame or many', () => {
  for (const [length, levels] of [
    [3_000_000, ['-1', '-3', '-19']],
    [100_000, ['-3', '-19']],
    [1, ['-3']],
    [0, ['-3']],
  ] as const) {
    const content = mixed(length);
    const ways = [[], ['--no-check'], ['--long=27'], ['--no-content-size'], [`--stream-size=${length}`]];
    const all = levels.flatMap((level) => ways.map((args) => [level, ...args]));
    for (const words of sampled(all, 3)) {
      if (length === 0 && words.at(-1)!.startsWith('--stream-size')) continue;
      const file = zstd(words, content);
      for (const pauses of [false, true]) {
        assert.ok(
          decode(['zstd'], file, { pauses, pieceBytes: 100_000 }).equals(content),
          [length, ...words].join(' '),
        );
      }
    }
  }
});

test('many frames, empty ones and skippable ones decode', () => {
  const contents = Array.from({ length: SOAK ? 60 : 20 }, (_, i) => mixed(i * 2931));
  const skippable = (nibble: number, bytes: number) =>
    Buffer.concat([u32(0x184d2a50 + nibble), u32(bytes), Buffer.alloc(bytes, 0xfd)]);
  const frames = contents.flatMap((content, i) => [
    zstd(i % 2 === 0 ? [] : ['--no-check'], content),
    skippable(i % 16, i * 3),
  ]);
  const file = Buffer.concat([skippable(3, 200_000), ...frames]);
  for (const pieceBytes of [undefined, 1, 5000]) {
    assert.deepEqual(decode(['zstd'], file, { pieceBytes }), Buffer.concat(contents));
    assert.deepEqual(decode(['zstd'], file, { pieceBytes, pauses: true }), Buffer.concat(contents));
  }
  assert.deepEqual(decode(['zstd'], Buffer.alloc(0)), Buffer.alloc(0));
});

test('every flipped bit is an error or means nothing', () => {
  const content = Buffer.from('some text that repeats, some text that repeats, and some that does not');
  // Made by zstd 1.5.4, with and without a content size; kept so that the bits named below stay where they are.
  const first = Buffer.from(
    '28b52ffd24467d01003402736f6d652074657874207468617420726570656174732c20616e64646f6573206e6f7403005205f0331b2c38c7e05a6197',
    'hex',
  );
  const second = Buffer.from(
    '28b52ffd04588d01007402736f6d652074657874207468617420726570656174732c20616e6468617420646f6573206e6f7402003fb3c182730ce05a6197',
    'hex',
  );
  const file = Buffer.concat([first, u32(0x184d2a51), u32(2), Buffer.from('xy'), second]);
  const skippableAt = first.length;
  const secondAt = file.length - second.length;
  checkEveryFlippedBit(['zstd'], file, Buffer.concat([content, content]), {
    isHarmless: (byte, bit) =>
      // Which of the sixteen magics a skippable frame has, and what it holds.
      (byte === skippableAt && bit < 4) ||
      (byte >= skippableAt + 8 && byte < secondAt) ||
      // The unused bit of the flags.
      ((byte === 4 || byte === secondAt + 4) && bit === 4) ||
      // A content size of one byte is taken for a window, which is large enough.
      (byte === 4 && bit === 5) ||
      // A window other than the writer's: any that holds the content and is no more than 128 MiB.
      (byte === secondAt + 5 && isWindowEnough(second[5]! ^ (1 << bit))) ||
      // In the block: one of two ways to write the same sequences; the content's checksum holds.
      (byte === 49 && bit === 7),
  });
});

function isWindowEnough(descriptor: number): boolean {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7) <= 2 ** 27;
}

test('a file that is cut anywhere but between frames is truncated', () => {
  const first = zstd([], Buffer.from('the first frame'));
  const file = Buffer.concat([first, zstd(['--no-check'], mixed(500))]);
  checkEveryTruncation(['zstd'], file, [0, first.length]);
  checkEveryTruncation(['zstd'], file, [0, first.length], { pieceBytes: 5, pauses: true });
});

test('trailing garbage is damage', () => {
  const file = zstd([], Buffer.from('content'));
  assert.equal(outcome(['zstd'], Buffer.concat([file, Buffer.alloc(4)])), 'XB_BAD_LAYER');
  assert.equal(outcome(['zstd'], Buffer.concat([file, Buffer.alloc(3)])), 'XB_LAYER_TRUNCATED');
});

test('impossible and unsupported frames are named before their content is there', () => {
  const cases: [string, Buffer, string][] = [
    ['a reserved block type', Buffer.concat([OPEN_HEADER, block(3, 1, Buffer.alloc(1))]), 'XB_BAD_LAYER'],
    ['a block above 128 KiB', Buffer.concat([OPEN_HEADER, block(RAW, 131_073, Buffer.alloc(0))]), 'XB_BAD_LAYER'],
    [
      'a repeated byte above 128 KiB',
      Buffer.concat([OPEN_HEADER, block(RLE, 2 ** 21 - 1, Buffer.alloc(1))]),
      'XB_BAD_LAYER',
    ],
    ['a reserved flag', Buffer.concat([MAGIC, Buffer.from([0x08, 0x68])]), 'XB_UNSUPPORTED_LAYER'],
    ['a dictionary', Buffer.concat([MAGIC, Buffer.from([0x01, 0x68, 1])]), 'XB_UNSUPPORTED_LAYER'],
    ['a window above 128 MiB', Buffer.concat([MAGIC, Buffer.from([0x00, (17 << 3) | 1])]), 'XB_UNSUPPORTED_LAYER'],
    [
      'more content than its blocks',
      Buffer.concat([MAGIC, Buffer.from([0xa0]), u32(1000), block(RAW, 1, Buffer.alloc(1), true)]),
      'XB_BAD_LAYER',
    ],
    [
      'less content than its blocks',
      Buffer.concat([
        MAGIC,
        Buffer.from([0x20, 4]),
        block(RAW, 4, Buffer.alloc(4)),
        block(RAW, 1, Buffer.alloc(1), true),
      ]),
      'XB_BAD_LAYER',
    ],
  ];
  for (const [what, bytes, code] of cases) assert.equal(outcome(['zstd'], bytes), code, what);
});

/** More than 64 MiB in one frame, made of few bytes. */
function largeFrame(blocks: number): Buffer {
  return Buffer.concat([
    OPEN_HEADER,
    ...Array.from({ length: blocks }, (_, i) => block(RLE, 131_072, Buffer.from([i & 0xff]), i === blocks - 1)),
  ]);
}

test('a sound frame of a single segment of more than 128 MiB is not supported, and no damage', () => {
  const file = Buffer.concat([MAGIC, Buffer.from([0xa0]), u32(1600 * 131_072), largeFrame(1600).subarray(6)]);
  const decoded = spawnSync('zstd', ['-dcq', '--long=28'], { input: file, stdio: ['pipe', 'ignore', 'pipe'] });
  assert.equal(decoded.status, 0, String(decoded.stderr));
  assert.equal(outcome(['zstd'], file), 'XB_UNSUPPORTED_LAYER');
});

test('a frame of 64 MiB decodes in one go', () => {
  assert.equal(decode(['zstd'], largeFrame(512)).length, 64 << 20);
});

test('a larger frame is decoded as it comes where Node can, else the error names the version it takes', () => {
  const file = Buffer.concat([zstd([], Buffer.from('before')), largeFrame(700), zstd([], Buffer.from('after'))]);
  if (!canStreamZstd()) {
    assert.throws(() => decode(['zstd'], file), {
      code: 'XB_UNSUPPORTED_LAYER',
      message: /needs Node 22\.15 or later/,
    });
    return;
  }
  const expected = createHash('sha256').update('before');
  for (let i = 0; i < 700; i++) expected.update(Buffer.alloc(131_072, i & 0xff));
  const hash = expected.update('after').digest('hex');
  for (const pieceBytes of [undefined, 1000]) {
    for (const pauses of [false, true]) {
      const found = createHash('sha256');
      const chain = new DecodeChain({
        layers: ['zstd'],
        output: (piece) => found.update(piece),
        isFull: () => pauses,
      });
      for (let at = 0; at < file.length; at += pieceBytes ?? file.length) {
        chain.push(file.subarray(at, at + (pieceBytes ?? file.length)));
        while (chain.isPaused) chain.resume();
      }
      chain.end();
      assert.equal(found.digest('hex'), hash);
    }
  }
});

test('a large frame that is damaged is an error, whether it is decoded as it comes or not supported', () => {
  const content = mixed(80_000_000);
  const file = zstd(['-1'], content);
  const good = outcome(['zstd'], file, { pieceBytes: 1 << 20 });
  if (canStreamZstd()) assert.ok(good instanceof Buffer && good.equals(content));
  else assert.equal(good, 'XB_UNSUPPORTED_LAYER');
  for (const at of [1000, file.length >> 1, file.length - 1]) {
    const damaged = Buffer.from(file);
    damaged[at]! ^= 0x10;
    assert.equal(typeof outcome(['zstd'], damaged, { pieceBytes: 1 << 20 }), 'string', `byte ${at}`);
  }
  assert.equal(typeof outcome(['zstd'], file.subarray(0, file.length - 1), { pieceBytes: 1 << 20 }), 'string');
});

test('a stream that lost the end of a frame says so, whatever this Node does with short input', () => {
  assert.equal(canStreamZstd(), 'createZstdDecompress' in zlib);
  if (!canStreamZstd()) return;
  const frame = zstd([], mixed(500_000));
  const ignore = () => undefined;
  for (const missing of [0, 1, 4, 5, 100]) {
    const stream = new ZstdStream();
    stream.decode(frame.subarray(0, frame.length - missing), ignore);
    if (missing === 0) stream.assertEnded();
    else assert.throws(() => stream.assertEnded(), ZstdFailure, `${missing} bytes missing`);
    stream.close();
  }
});
