/** By an index little is read of a large archive, and what a hostile one can do is bounded. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { crc32, deflateSync } from 'node:zlib';
import { readIndex, type ArchiveIndex } from '../../dist/archive/index.js';
import { ExtentReader } from '../../dist/archive/extents.js';
import { XbstreamError } from '../../dist/errors.js';
import { IndexedSource } from '../../dist/input/indexed/indexed-source.js';
import { IndexMaker } from '../../dist/input/indexed/index-maker.js';
import type { Source } from '../../dist/input/source.js';
import { archive, end, file, noise, payload, sparse } from '../helpers/archive-bytes.js';
import { tempDir } from '../helpers/temp.js';

/** Bytes of an archive at a place. */
type BytesAt = (archiveOffset: number, bytes: number) => Buffer;

/** An archive that is read by position, and how often and how much. */
class CountingSource implements Source {
  readonly seekable = true;
  reads = 0;
  bytes = 0;
  readonly #read: BytesAt;

  constructor(read: BytesAt) {
    this.#read = read;
  }

  bytesAt(archiveOffset: number, bytes: number): Buffer {
    const found = this.#read(archiveOffset, bytes);
    this.reads += 1;
    this.bytes += found.length;
    return found;
  }

  run(): Promise<void> {
    throw new Error('it is read by position');
  }

  stop(): void {
    // It waits for nothing.
  }

  close(): void {
    // Nothing is open.
  }
}

const never = (): boolean => false;
const RULES = { absoluteNames: false, allowEmpty: false };

function overBytes(bytes: Buffer): BytesAt {
  return (at, count) => Buffer.from(bytes.subarray(at, at + count));
}

function indexOf(bytes: Buffer, pieceBytes = 10_000): Buffer {
  const maker = new IndexMaker();
  for (let at = 0; at < bytes.length; at += pieceBytes) maker.update(bytes.subarray(at, at + pieceBytes), at);
  return Buffer.concat(maker.finish(undefined, bytes.length, true));
}

function opened(context: TestContext, read: BytesAt, index: Buffer): { raw: CountingSource; source: IndexedSource } {
  const path = join(tempDir(context), 'index');
  fs.writeFileSync(path, index);
  const raw = new CountingSource(read);
  return { raw, source: new IndexedSource(raw, path, never) };
}

describe('an archive of a TiB in chunks of 10 MiB', () => {
  const CHUNK = 10 * 2 ** 20;
  const CHUNKS_PER_FILE = 64;
  const FILES = 1640;
  const crc = crc32(Buffer.alloc(CHUNK));
  const heads: { at: number; bytes: Buffer }[] = [];
  let size = 0;
  const add = (bytes: Buffer, payloadBytes: number): void => {
    heads.push({ at: size, bytes });
    size += bytes.length + payloadBytes;
  };
  const maker = new IndexMaker();
  const addFile = (path: string, chunks: number): void => {
    for (let chunk = 0; chunk < chunks; chunk += 1) {
      add(payload(path, chunk * CHUNK, '', { payloadBytes: CHUNK, crc }), CHUNK);
    }
    add(end(path), 0);
  };
  for (let index = 0; index < FILES; index += 1) addFile(`shop/orders_${index}.ibd`, CHUNKS_PER_FILE);
  add(payload('xtrabackup_checkpoints', 0, 'backup_type = full-backuped\n'), 0);
  add(end('xtrabackup_checkpoints'), 0);
  add(payload('xtrabackup_info', 0, 'tool_name = xtrabackup\n'), 0);
  add(end('xtrabackup_info'), 0);
  for (const { at, bytes } of heads) maker.update(bytes, at);

  /** The first head that ends behind a place. */
  const firstAt = (archiveOffset: number): number => {
    let [low, high] = [0, heads.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (heads[middle]!.at + heads[middle]!.bytes.length <= archiveOffset) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const read: BytesAt = (archiveOffset, count) => {
    const end = Math.min(size, archiveOffset + count);
    const found = Buffer.alloc(Math.max(0, end - archiveOffset));
    for (let index = firstAt(archiveOffset); index < heads.length && heads[index]!.at < end; index += 1) {
      const { at, bytes } = heads[index]!;
      const from = Math.max(0, archiveOffset - at);
      bytes.copy(found, at + from - archiveOffset, from);
    }
    return found;
  };
  const index = Buffer.concat(maker.finish(new CountingSource(read), size, false));

  test('is as large, and its index is not', () => {
    assert.ok(size > 2 ** 40);
    assert.ok(index.length < 3 * 2 ** 20, `${index.length} bytes`);
  });

  test('is listed by two reads', async (context) => {
    const { raw, source } = opened(context, read, index);
    const found = await readIndex(source, RULES);
    assert.deepEqual([found.problems, found.entries.length, found.archiveBytes], [[], FILES + 2, size]);
    assert.equal(raw.reads, 2);
    assert.ok(raw.bytes < 2 ** 20);
  });

  test('is described by two reads', async (context) => {
    const { raw, source } = opened(context, read, index);
    const { entries } = await readIndex(source, { ...RULES, wantsContent: (path) => path.startsWith('xtrabackup_') });
    assert.equal(entries.at(-1)?.content?.toString(), 'tool_name = xtrabackup\n');
    assert.equal(raw.reads, 2);
  });

  test('gives a small file by two reads', async (context) => {
    const { raw, source } = opened(context, read, index);
    const found = await readIndex(source, { ...RULES, wantsExtents: (_, path) => path === 'xtrabackup_info' });
    assert.equal(await contentOf(source, found, 'xtrabackup_info'), 'tool_name = xtrabackup\n');
    assert.equal(raw.reads, 2);
  });
});

async function contentOf(source: Source, { entries }: ArchiveIndex, path: string): Promise<string> {
  const parts: Buffer[] = [];
  const consumer = {
    take: (bytes: Buffer) => void parts.push(Buffer.from(bytes)),
    afterPiece: () => Promise.resolve(),
  };
  const entry = entries.find((each) => each.path === path)!;
  await new ExtentReader(source).read(entry.extents!, consumer, 2 ** 20);
  return Buffer.concat(parts).toString('latin1');
}

describe('a maker', () => {
  test('makes the same index of pieces of any size', () => {
    const pairs = Array.from({ length: 3000 }, () => [10, 1] as const);
    const bytes = archive(
      file('a/b.ibd', noise(3000), 1000),
      sparse('c', 0, pairs, noise(3000)),
      end('c'),
      end('empty'),
      Buffer.from('XBSTCK01\0S\x01\0\0\0d\x10\0\0\0\0\0\0\0', 'latin1'),
      end('d'),
    );
    const whole = indexOf(bytes, bytes.length);
    for (const pieceBytes of [1, 2, 7, 13, 100, 1001])
      assert.ok(indexOf(bytes, pieceBytes).equals(whole), `${pieceBytes}`);
  });

  test('makes none of an archive that is cut, or not read as a whole', () => {
    const bytes = archive(file('a', noise(3000)), file('b', noise(3000)));
    for (const cut of [1, 20, 2000, bytes.length - 1]) {
      assert.throws(() => indexOf(bytes.subarray(0, cut)), { code: 'XB_BAD_INDEX' });
    }
    const maker = new IndexMaker();
    maker.update(bytes.subarray(0, 10), 0);
    maker.update(bytes.subarray(500), 500);
    assert.throws(() => maker.finish(undefined, bytes.length, true), { code: 'XB_BAD_INDEX' });
  });

  test('makes none that nobody would read, and keeps nothing of it: maps may be as large as an archive', () => {
    const bytes = archive(...Array.from({ length: 400 }, (_, index) => file(`${index}`, noise(10, index))));
    const { length } = indexOf(bytes);
    for (const [most, isMade] of [
      [length, true],
      [length - 1, false],
    ] as const) {
      const maker = new IndexMaker(most);
      maker.update(bytes, 0);
      const finish = (): Buffer[] => maker.finish(undefined, bytes.length, true);
      if (isMade) assert.equal(Buffer.concat(finish()).length, length);
      else assert.throws(finish, { code: 'XB_BAD_INDEX', message: /would be larger than/ });
    }
  });
});

describe('a hostile index', () => {
  const bytes = archive(file('a/b.ibd', noise(3000), 1000), file('c', noise(100_000)), end('empty'));
  const good = indexOf(bytes);

  /** With a checksum that holds. */
  function sealed(index: Buffer): Buffer {
    const body = Buffer.from(index.subarray(0, -4));
    const sum = Buffer.alloc(4);
    sum.writeUInt32LE(crc32(body));
    return Buffer.concat([body, sum]);
  }

  async function readAll(context: TestContext, index: Buffer): Promise<void> {
    const { source } = opened(context, overBytes(bytes), index);
    await readIndex(source, { ...RULES, wantsContent: () => true });
  }

  test('with any byte changed, and a checksum that holds, gives an error or what is true', async (context) => {
    for (let at = 0; at < good.length - 4; at += 1) {
      const index = Buffer.from(good);
      index[at]! ^= 0x41;
      try {
        await readAll(context, sealed(index));
      } catch (error) {
        assert.ok(error instanceof XbstreamError, String(error));
      }
    }
  });

  test('cut anywhere is refused', async (context) => {
    for (let length = 0; length < good.length; length += 7) {
      const index = good.subarray(0, length);
      await assert.rejects(readAll(context, index), { code: 'XB_BAD_INDEX' });
      if (length > 110) await assert.rejects(readAll(context, sealed(index)), { code: 'XB_BAD_INDEX' });
    }
  });

  /** An index whose heads are others; all it counts is right. */
  function withHeads(heads: Buffer, chunks: number): Buffer {
    const fields = Buffer.from(good.subarray(0, 104));
    fields.writeBigUInt64LE(BigInt(chunks), 24);
    fields.writeBigUInt64LE(BigInt(heads.length), 32);
    const stored = deflateSync(heads);
    const block = Buffer.alloc(8);
    block.writeUInt32LE(heads.length, 0);
    block.writeUInt32LE(stored.length, 4);
    return sealed(Buffer.concat([fields, block, stored, Buffer.alloc(12)]));
  }

  test('that says what is not so is found out where it is read', async (context) => {
    const heads = Buffer.concat([payload('other', 0, '', { payloadBytes: bytes.length - 39 - 19 }), end('other')]);
    assert.equal(heads.length, 39 + 19);
    await assert.rejects(readAll(context, withHeads(heads, 2)), { code: 'XB_BAD_INDEX' });
  });

  test('of chunks that do not fit into the archive is refused', async (context) => {
    const heads = payload('other', 0, '', { payloadBytes: Number.MAX_SAFE_INTEGER - 100 });
    await assert.rejects(readAll(context, withHeads(heads, 1)), { code: 'XB_BAD_INDEX' });
    await assert.rejects(readAll(context, withHeads(end('other'), 1)), { code: 'XB_BAD_INDEX' });
  });

  test('that unpacks to more than it says is refused', async (context) => {
    const index = withHeads(Buffer.alloc(2 ** 20), 1);
    index.writeUInt32LE(100, 104);
    await assert.rejects(readAll(context, sealed(index)), { code: 'XB_BAD_INDEX' });
  });
});
