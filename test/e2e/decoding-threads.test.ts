/** Parts of one file are decoded and written by two threads at once: what must come out is what one thread makes. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { archive, file, noise } from '../helpers/archive-bytes.js';
import { run, type RunResult } from '../helpers/cli.js';
import { qpressFile, xbcryptFile } from '../helpers/layer-writers.js';
import { EXIT } from '../helpers/outcome.js';
import { hasProgram, isRoot, sampled, SOAK } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { readTree } from '../helpers/tree.js';

const MIB = 1024 * 1024;
const PAGE_BYTES = 16_384;
const BLOCK_BYTES = 4096;
const KEY = Buffer.from('0123456789abcdef0123456789ABCDEF');
const DECODE = ['--decompress', '--decrypt=AES256', `--encrypt-key=${KEY.toString()}`];

/** A tablespace of which every other page is page-compressed: its first bytes are used, the rest is zeros. */
function tablespace(pages: number): Buffer {
  const bytes = noise(pages * PAGE_BYTES, 5);
  bytes.fill(0, 0, 58);
  bytes.writeUInt16BE(8, 24);
  bytes.writeUInt32BE(7, 34);
  bytes.writeUInt32BE(7, 38);
  bytes.writeUInt32BE(0x21, 54);
  for (let page = 1; page < pages; page += 2) {
    const at = page * PAGE_BYTES;
    const usedBytes = (page * 977) % 12_000;
    bytes.fill(0, at + 38 + usedBytes, at + PAGE_BYTES);
    bytes.writeUInt16BE(14, at + 24);
    bytes.writeUInt16BE(usedBytes, at + 32);
  }
  return bytes;
}

/** The most disk that it may take, in bytes. */
function diskBytesMax(content: Buffer): number {
  let bytes = 0;
  for (let at = 0; at < content.length; at += PAGE_BYTES) {
    const isCompressed = at > 0 && content.readUInt16BE(at + 24) === 14;
    const usedBytes = isCompressed ? 38 + content.readUInt16BE(at + 32) : PAGE_BYTES;
    bytes += Math.ceil(usedBytes / BLOCK_BYTES) * BLOCK_BYTES;
  }
  return bytes;
}

/** LZ4 frames that say their size, as xtrabackup's do. */
function lz4Frames(content: Buffer, frameBytes: number, directory: string): Buffer {
  const path = join(directory, 'frame');
  const frames: Buffer[] = [];
  for (let at = 0; at < content.length; at += frameBytes) {
    fs.writeFileSync(path, content.subarray(at, at + frameBytes));
    const { status, stdout } = spawnSync('lz4', ['-1', '-B4', '--content-size', '-qc', path], { maxBuffer: 1 << 26 });
    assert.equal(status, 0);
    frames.push(stdout);
  }
  fs.rmSync(path);
  return Buffer.concat(frames);
}

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('decoding in several threads', () => {
  const content = tablespace(700);

  test('content and holes are the same, wherever parts begin and end', async (context) => {
    if (!hasProgram(context, 'lz4', 'lz4')) return;
    const directory = tempDir(context);
    const stored = archive(
      // Parts of these begin and end inside of pages.
      file('odd.ibd.xbcrypt', xbcryptFile(content, { cipher: 'AES256', bytes: KEY }, { chunkBytes: 30_011 }), 10 * MIB),
      file('odd-blocks.ibd.qp', qpressFile(content.subarray(0, 3 * MIB), 50_021), 3 * MIB),
      file('even.ibd.qp', qpressFile(content.subarray(0, 3 * MIB)), 3 * MIB),
      file('odd-frames.ibd.lz4', lz4Frames(content, 1_100_003, directory), 5 * MIB),
      file('frames.ibd.lz4', lz4Frames(content, 2 * MIB, directory), 5 * MIB),
      file('plain.txt.lz4', lz4Frames(noise(5_000_007), MIB, directory), MIB),
    );
    const path = join(directory, 'archive');
    fs.writeFileSync(path, stored);
    for (const parallel of sampled(['1', '2', '4'], 3, 1)) {
      const target = join(directory, `target-${parallel}`);
      const { code, stderr } = await run(['extract', path, '-C', target, ...DECODE, `--parallel=${parallel}`]);
      assert.equal(code, 0, stderr);
      const files = fs.readdirSync(target).sort();
      assert.deepEqual(files, ['even.ibd', 'frames.ibd', 'odd-blocks.ibd', 'odd-frames.ibd', 'odd.ibd', 'plain.txt']);
      for (const name of files) {
        const bytes = fs.readFileSync(join(target, name));
        const right = name === 'plain.txt' ? noise(5_000_007) : content.subarray(0, bytes.length);
        assert.equal(digest(bytes), digest(right), name);
        const stat = fs.statSync(join(target, name));
        if (name.endsWith('.ibd'))
          assert.ok(stat.blocks * 512 <= diskBytesMax(right), `${name}: ${stat.blocks} blocks`);
      }
    }
  });

  test('verify --deep sees into all of it', async (context) => {
    const path = join(tempDir(context), 'archive');
    const encrypted = xbcryptFile(noise(9 * MIB), { cipher: 'AES256', bytes: KEY });
    const damaged = Buffer.from(encrypted);
    damaged[damaged.length - 100]! ^= 1;
    const cases = [
      [encrypted, EXIT.ok],
      [damaged, EXIT.damaged],
    ] as const;
    for (const [bytes, exit] of sampled(cases, 2, 1)) {
      fs.writeFileSync(path, archive(file('f.xbcrypt', bytes, 10 * MIB)));
      const { code } = await run(['verify', '--deep', path, ...DECODE.slice(1), '--parallel=2']);
      assert.equal(code, exit);
    }
  });

  test('damage in any part keeps the file from its name, and others are told apart', async (context) => {
    const directory = tempDir(context);
    const good = file('good.qp', qpressFile(noise(5 * MIB, 2)), MIB);
    const encoded = qpressFile(noise(5 * MIB, 3));
    const path = join(directory, 'archive');
    const ways = [
      [[], ['.bad.partial', 'good']],
      [['--keep-going'], ['.bad.partial', 'good', 'later']],
    ] as const;
    const all = [0.02, 0.5, 0.98].flatMap((part) => ways.map(([words, left]) => ({ part, words, left })));
    for (const { part, words, left } of sampled(all, 3)) {
      const damaged = Buffer.from(encoded);
      damaged[Math.floor(damaged.length * part)]! ^= 0x10;
      fs.writeFileSync(path, archive(good, file('bad.qp', damaged, MIB), file('later', 'x')));
      const target = fs.mkdtempSync(join(directory, 'target-'));
      const { code, stderr } = await run(['extract', path, '-C', target, '--decompress', '--parallel=2', ...words]);
      assert.equal(code, EXIT.damaged, stderr);
      assert.match(stderr, /bad\.qp: .*\n *at byte \d+ of the qpress data/);
      // A small file behind it may have been whole before the damage was found.
      const found = fs.readdirSync(target).filter((name) => words.length > 0 || name !== 'later');
      assert.deepEqual(found.sort(), left, words.join());
      fs.rmSync(target, { recursive: true });
    }
  });

  test('many files that fail one after the other do not write into each other', async (context) => {
    const directory = tempDir(context);
    const count = SOAK ? 12 : 4;
    const files = Array.from({ length: count }, (_, number) => {
      const encoded = qpressFile(noise(3 * MIB, number));
      if (number % 2 === 1) encoded[Math.floor(encoded.length * 0.7)]! ^= 1;
      return file(`f${number}.qp`, encoded, MIB);
    });
    const path = join(directory, 'archive');
    fs.writeFileSync(path, archive(...files));
    const target = join(directory, 'target');
    const { code } = await run(['extract', path, '-C', target, '--decompress', '--keep-going', '--parallel=2']);
    assert.equal(code, EXIT.damaged);
    for (let number = 0; number < count; number += 2) {
      assert.equal(digest(fs.readFileSync(join(target, `f${number}`))), digest(noise(3 * MIB, number)));
    }
    assert.equal(fs.readdirSync(target).filter((name) => name.endsWith('.partial')).length, count / 2);
  });

  test('no space left: the error is that of the file', async (context) => {
    if (!isRoot(context)) return;
    await onSmallDisk(context, async (target) => {
      const path = join(tempDir(context), 'archive');
      fs.writeFileSync(path, archive(file('lead-in', 'x'), file('large.qp', qpressFile(noise(12 * MIB)), MIB)));
      const { code, stderr } = await run(['extract', path, '-C', target, '--decompress', '--parallel=2']);
      assert.equal(code, EXIT.refused);
      assert.match(stderr, /cannot write large: no space left/);
      assert.match(stderr, /make room/);
      assert.deepEqual(Object.keys(readTree(target)).sort(), ['.large.partial', 'lead-in']);
    });
  });

  test('a manifest is of what was written', async (context) => {
    const directory = tempDir(context);
    const path = join(directory, 'archive');
    fs.writeFileSync(path, archive(file('large.qp', qpressFile(noise(9 * MIB)), MIB)));
    const manifest = join(directory, 'manifest');
    const target = join(directory, 'target');
    const result: RunResult = await run([
      ...['extract', path, '-C', target, '--decompress', '--parallel=2', '--manifest', manifest],
    ]);
    assert.equal(result.code, 0, result.stderr);
    assert.equal(fs.readFileSync(manifest, 'utf8'), `${digest(noise(9 * MIB))}  large\n`);
  });
});

async function onSmallDisk(context: TestContext, work: (directory: string) => Promise<void>): Promise<void> {
  const mountPoint = tempDir(context);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'none', mountPoint]);
  try {
    await work(mountPoint);
  } finally {
    execFileSync('umount', [mountPoint]);
  }
}
