/** One file that is larger than all others is made by several pipelines together, in segments: nobody can tell from the result. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { before, describe, test, type TestContext } from 'node:test';
import { archive, end, file, payload } from '../helpers/archive-bytes.js';
import { run, type RunResult } from '../helpers/cli.js';
import { assertEnded, EXIT } from '../helpers/outcome.js';
import { sampled } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { describeContent, namesIn, readTree } from '../helpers/tree.js';

const MIB = 2 ** 20;
const CHUNK_BYTES = 10 * MIB;
const PAGE_BYTES = 16384;

/** Does not compress, and is made faster than noise. */
function random(bytes: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(bytes));
}

function filtered(program: string, words: readonly string[], input: Buffer): Buffer {
  const { stdout, status } = spawnSync(program, [...words, '-c'], { input, maxBuffer: 2 ** 30 });
  assert.equal(status, 0);
  return stdout;
}

/** As xtrabackup does: so much of the input in each frame. */
function framed(program: string, words: readonly string[], content: Buffer, ...frameBytes: readonly number[]): Buffer {
  const frames: Buffer[] = [];
  for (let at = 0; at < content.length;) {
    const bytes = frameBytes[frames.length % frameBytes.length]!;
    frames.push(filtered(program, words, content.subarray(at, at + bytes)));
    at += bytes;
  }
  return Buffer.concat(frames);
}

/** A table of MySQL's whose pages are compressed: half of each is a hole. */
function pageCompressed(pages: number): Buffer {
  const content = random(pages * PAGE_BYTES);
  content.fill(0, 0, PAGE_BYTES);
  content.writeUInt16BE(8, 24);
  for (let page = 1; page < pages; page += 1) {
    const at = page * PAGE_BYTES;
    content.fill(0, at + PAGE_BYTES / 2, at + PAGE_BYTES);
    content.fill(0, at, at + 38);
    content.writeUInt32BE(page, at + 4);
    content.writeUInt16BE(14, at + 24);
    content.writeUInt16BE(PAGE_BYTES / 2 - 38, at + 32);
  }
  return content;
}

describe('a file that is larger than all others', { concurrency: 2 }, () => {
  let content: Buffer;
  let zstd: Buffer;
  before(() => {
    content = random(75 * MIB + 12345);
    zstd = framed('zstd', ['-1'], content, CHUNK_BYTES);
  });

  async function unpack(
    context: TestContext,
    name: string,
    stored: Buffer,
    wrongAt?: number,
  ): Promise<{ result: RunResult; target: string; path: string }> {
    const directory = tempDir(context);
    const path = join(directory, 'archive.xbs');
    const bytes = archive(file(name, stored, CHUNK_BYTES), file('small', 'content'));
    if (wrongAt !== undefined) bytes[wrongAt]! ^= 1;
    fs.writeFileSync(path, bytes);
    const target = join(directory, 'target');
    const result = await run(['extract', '-q', '--decompress', '--parallel=3', '--backup=never', path, '-C', target]);
    return { result, target, path };
  }

  async function assertMade(
    context: TestContext,
    name: string,
    stored: Buffer,
    made: Buffer,
  ): Promise<{ target: string; path: string }> {
    const { result, target, path } = await unpack(context, name, stored);
    assertEnded(result, EXIT.ok);
    assert.equal(readTree(target)['t.ibd'], describeContent(made));
    assert.deepEqual(namesIn(target).sort(), ['small', 't.ibd']);
    return { target, path };
  }

  /** Each by its title. */
  const cases: Readonly<Record<string, (context: TestContext) => Promise<void>>> = {
    plain: async (context) => {
      await assertMade(context, 't.ibd', content, content);
    },
    'compressed with zstd': async (context) => {
      const { path } = await assertMade(context, 't.ibd.zst', zstd, content);
      assertEnded(await run(['verify', '-q', '--deep', '--parallel=3', '--backup=never', path]), EXIT.ok);
    },
    'compressed with LZ4': async (context) => {
      await assertMade(context, 't.ibd.lz4', framed('lz4', ['-1', '-q'], content, CHUNK_BYTES), content);
    },
    'in frames of unequal sizes, so that they do not lie where the first one foretells': async (context) => {
      const stored = framed('zstd', ['-1'], content, CHUNK_BYTES, CHUNK_BYTES, MIB);
      await assertMade(context, 't.ibd.zst', stored, content);
    },
    'with pages that have holes: they are holes, and the content is the same': async (context) => {
      const pages = pageCompressed(8800);
      // Pages lie across frames.
      const { target } = await assertMade(
        context,
        't.ibd.zst',
        framed('zstd', ['-1'], pages, CHUNK_BYTES - 5000),
        pages,
      );
      const { blocks } = fs.statSync(join(target, 't.ibd'));
      assert.ok(blocks * 512 < pages.length * 0.52, `${blocks} blocks`);
    },
    'damaged where another pipeline may decode: it has no final name, and the place is told': async (context) => {
      const damaged = Buffer.from(zstd);
      const at = 60 * MIB;
      damaged[at]! ^= 1;
      const { result, target } = await unpack(context, 't.ibd.zst', damaged);
      assertEnded(result, EXIT.damaged, /t\.ibd\.zst: a zstd frame cannot be decoded/);
      const place = Number(/at byte (\d+) of the zstd data/.exec(result.stderr)?.[1]);
      assert.ok(place > at - CHUNK_BYTES - MIB && place <= at, result.stderr);
      assert.ok(!namesIn(target).includes('t.ibd'));
      assert.match(result.stderr, /left as \.t\.ibd\.partial/);
    },
    'with a wrong checksum of a chunk that has no content': async (context) => {
      for (const at of [0, 40 * MIB, content.length]) {
        const empty = payload('t.ibd', at, '', { crc: 1 });
        const chunks = [content.subarray(0, at), content.subarray(at)].map((part, index) => {
          const offset = index === 0 ? 0 : at;
          return Array.from({ length: Math.ceil(part.length / CHUNK_BYTES) }, (_, chunk) => {
            const from = chunk * CHUNK_BYTES;
            return payload('t.ibd', offset + from, part.subarray(from, from + CHUNK_BYTES));
          });
        });
        const path = join(tempDir(context), 'archive.xbs');
        fs.writeFileSync(path, archive(...chunks[0]!, empty, ...chunks[1]!, end('t.ibd'), file('small', 'content')));
        const target = tempDir(context);
        const words = ['-q', '--parallel=3', '--backup=never', path];
        assertEnded(await run(['extract', ...words, '-C', target]), EXIT.damaged, /checksum mismatch in t\.ibd/);
        assert.ok(!namesIn(target).includes('t.ibd'));
        assert.equal((await run(['verify', '--deep', ...words])).code, EXIT.damaged);
      }
    },
    'with a wrong checksum where another pipeline may read': async (context) => {
      const { result, target } = await unpack(context, 't.ibd', content, 60 * MIB);
      assertEnded(result, EXIT.damaged, /checksum mismatch in t\.ibd/);
      assert.ok(!namesIn(target).includes('t.ibd'));
    },
  };
  for (const [title, work] of sampled(Object.entries(cases), 3, 1)) test(title, work);
});
