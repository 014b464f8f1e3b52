/** However an archive is cut into pieces, and however slowly it is taken: the same comes out, and little is under way. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from '../helpers/fast-check.js';
import { cat, decodeChunkHeader, readChunks, readEntries, verify } from 'tsxbstream';
import { openSource } from '../../dist/input/open-source.js';
import { PIECE_ROOM_BYTES } from '../../dist/input/source.js';
import { StreamFeed } from '../../dist/input/stream/stream-feed.js';
import { archive, end, file, noise, payload } from '../helpers/archive-bytes.js';
import { plannedArchive } from '../helpers/arbitraries.js';
import { cutAt } from '../helpers/lane.js';
import { sampled, SOAK } from '../helpers/programs.js';
import { drain, STREAM_KINDS, watchedStream } from '../helpers/streams.js';

const MIB = 2 ** 20;
/** "A few MB". */
const MOST_UNDER_WAY = 4 * MIB;

const cuts = fc.array(fc.nat({ max: 20_000 }), { maxLength: 20 });

test('a stream reaches the other thread as it is, however it is cut and taken', async (context) => {
  // A ring keeps no thread alive, and here both its ends are in this one.
  const alive = setInterval(() => undefined, 1000);
  context.after(() => clearInterval(alive));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...STREAM_KINDS),
      fc.integer({ min: 0, max: 3 * MIB }),
      fc.array(fc.nat({ max: 3 * MIB }), { maxLength: 8 }),
      fc.boolean(),
      async (kind, length, places, isSlow) => {
        const content = noise(length, length + 1);
        const { input } = watchedStream(kind, cutAt(content, places));
        const stream = new StreamFeed(input);
        stream.start();
        const room = Buffer.alloc(PIECE_ROOM_BYTES);
        const hash = createHash('sha1');
        let taken = 0;
        const source = await openSource(stream.input, () => false);
        await source.run({
          room: () => room,
          push: (piece) => {
            hash.update(piece);
            taken += piece.length;
            return isSlow ? sleep(1) : undefined;
          },
          skippableBytes: 0,
          skip: () => undefined,
        });
        stream.stop();
        source.close();
        assert.equal(taken, length);
        assert.equal(hash.digest('hex'), createHash('sha1').update(content).digest('hex'));
      },
    ),
    { numRuns: SOAK ? 60 : 8 },
  );
});

test('chunks and their payloads do not depend on how the stream is cut', async () => {
  await fc.assert(
    fc.asyncProperty(plannedArchive, cuts, fc.boolean(), async ({ files, bytes }, places, readsAll) => {
      const contents = new Map(files.map(({ path, content }) => [path, Buffer.alloc(content.length)]));
      let chunks = 0;
      for await (const { header, payload } of readChunks(cutAt(bytes, places))) {
        chunks += 1;
        if (!readsAll && chunks % 2 === 0) continue;
        for await (const { bytes: part, fileOffset } of payload()) part.copy(contents.get(header.path)!, fileOffset);
      }
      assert.equal(
        chunks,
        files.reduce((sum, planned) => sum + planned.chunks.length, 0),
      );
      if (!readsAll) return;
      for (const { path, content } of files) assert.ok(contents.get(path)!.equals(content), path);
    }),
  );
});

test('the content of entries is that of the files, one after the other and at the same time', async () => {
  await fc.assert(
    fc.asyncProperty(plannedArchive, cuts, fc.boolean(), async ({ files, bytes }, places, inTurn) => {
      const found = new Map<string, Buffer | 'out of order'>();
      const readings: Promise<void>[] = [];
      for await (const entry of readEntries(cutAt(bytes, places))) {
        assert.equal(entry.kind, 'file');
        const reading = (async (): Promise<void> => {
          const parts: Buffer[] = [];
          try {
            for await (const part of entry.content()) parts.push(part);
            assert.ok(entry.complete);
            found.set(entry.path, Buffer.concat(parts));
          } catch (error) {
            assert.equal((error as { code?: unknown }).code, 'XB_UNSUPPORTED_ORDER');
            found.set(entry.path, 'out of order');
          }
        })();
        if (inTurn) await reading;
        else readings.push(reading);
      }
      await Promise.all(readings);
      for (const { path, content, chunks } of files) {
        const got = found.get(path);
        if (got === 'out of order') assert.ok(!isRising(chunks), path);
        else assert.ok(got?.equals(content), path);
      }
      assert.equal(found.size, files.length);
    }),
  );
});

describe('a stream that ends within the bytes that are looked at first', () => {
  const archive = end('a');
  for (let cut = 0; cut <= archive.length; cut += 1) {
    const bytes = archive.subarray(0, cut);
    const expected = cut === 0 ? 'XB_EMPTY_ARCHIVE' : 'XB_TRUNCATED';
    test(
      cut === archive.length ? 'is read' : `is told to be ${cut === 0 ? 'empty' : 'cut'}, after ${cut} bytes`,
      async () => {
        const paths: string[] = [];
        const reading = (async () => {
          for await (const { path } of readEntries(cutAt(bytes, [3, 9]))) paths.push(path);
        })();
        if (cut === archive.length) await reading;
        else await assert.rejects(reading, { code: expected });
        assert.deepEqual(paths, cut === archive.length ? ['a'] : []);
      },
    );
  }
});

test('a first piece of a few bytes, and then many at once', async () => {
  const bytes = archive(file('a', noise(700_000)), file('b', noise(900_000, 2)), end('c'));
  for (const cut of [1, 10, 15]) {
    const pieces = async function* (): AsyncGenerator<Buffer> {
      yield bytes.subarray(0, cut);
      await sleep(300);
      yield bytes.subarray(cut);
    };
    const { ok, entries, archiveBytes } = await verify(pieces());
    assert.deepEqual([ok, entries, archiveBytes], [true, 3, bytes.length], `cut after ${cut}`);
  }
});

describe('who reads on the event loop', () => {
  const few = Buffer.from('XBSTCK01');
  async function* silent(...pieces: Buffer[]): AsyncGenerator<Buffer> {
    yield* pieces;
    await new Promise(() => undefined);
  }
  for (const [what, pieces] of [
    ['at all', []],
    ['behind its first bytes', [few]],
    ['in the middle', [payload('a', 0, 'x')]],
  ] as const) {
    const read = async (options: Parameters<typeof readChunks>[1]): Promise<void> => {
      for await (const { path } of readEntries(silent(...pieces), options)) assert.equal(path, 'a');
    };

    test(`is told when nothing comes ${what}`, { timeout: 60_000 }, async () => {
      await assert.rejects(read({ timeout: 1 }), { code: 'XB_IO', message: /nothing has come/ });
    });

    test(`can end the wait when nothing comes ${what}`, { timeout: 60_000 }, async () => {
      const aborting = new AbortController();
      setTimeout(() => aborting.abort(new Error('that is enough')), 200);
      await assert.rejects(read({ signal: aborting.signal }), { message: 'that is enough' });
    });
  }
});

/** Whether the chunks of a file are in the order of its content; empty ones may be anywhere. */
function isRising(chunks: readonly Buffer[]): boolean {
  let position = 0;
  for (const chunk of chunks) {
    const header = decodeChunkHeader(chunk, 0, chunk.length, 0);
    if (header?.type !== 'payload' || header.payloadBytes === 0) continue;
    if (header.fileOffset < position) return false;
    position = header.fileOffset + header.payloadBytes;
  }
  return true;
}

const longPiece = noise(64 * 1024);

/** Pieces of an archive of one long file. */
function* longArchive(): Iterable<Buffer> {
  const bytes = (SOAK ? 1024 : 100) * MIB;
  let crc = 0;
  for (let at = 0; at < bytes; at += longPiece.length) crc = crc32(longPiece, crc);
  yield payload('a', 0, '', { payloadBytes: bytes, crc });
  for (let at = 0; at < bytes; at += longPiece.length) yield longPiece;
  yield end('a');
}

describe('of a long stream no more than a few MB are under way', () => {
  for (const kind of sampled(STREAM_KINDS, 2)) {
    test(`while a slower verification takes it from a ${kind}`, { timeout: 300_000 }, async () => {
      const stream = watchedStream(kind, longArchive());
      let most = 0;
      let looks = 0;
      const result = await verify(stream.input, {
        digests: ['sha512'],
        onProgress: ({ bytes: taken }) => {
          looks += 1;
          most = Math.max(most, stream.givenBytes - taken);
        },
      });
      assert.ok(result.ok);
      assert.equal(result.archiveBytes, stream.givenBytes);
      assert.ok(looks >= 2, `${looks} looks`);
      assert.ok(most <= MOST_UNDER_WAY, `${most} bytes were under way`);
    });
  }

  for (const kind of sampled(STREAM_KINDS, 2, 1)) {
    test(`while nobody reads on, from a ${kind}`, { timeout: 60_000 }, async () => {
      const stream = watchedStream(kind, longArchive());
      const content = cat(stream.input, 'a')[Symbol.asyncIterator]();
      await content.next();
      const chunks = watchedStream(kind, longArchive());
      const iterator = readChunks(chunks.input);
      const first = await iterator.next();
      const payloads = first.value!.payload()[Symbol.asyncIterator]();
      await payloads.next();
      await sleep(300);
      assert.ok(stream.givenBytes <= MOST_UNDER_WAY, `${stream.givenBytes} bytes were given to cat`);
      assert.ok(chunks.givenBytes <= MOST_UNDER_WAY, `${chunks.givenBytes} bytes were given to readChunks`);
      await content.return?.();
      await iterator.return();
    });
  }

  test('while one of two files is read slowly', { timeout: 60_000 }, async () => {
    const part = noise(64 * 1024);
    function* interleaved(): Iterable<Buffer> {
      for (let at = 0; at < 16 * MIB; at += part.length) {
        yield payload('a', at, part);
        yield payload('b', at, part);
      }
      yield Buffer.concat([end('a'), end('b')]);
    }
    const stream = watchedStream('Readable', interleaved());
    const taken = { a: 0, b: 0 };
    let most = 0;
    const readings: Promise<void>[] = [];
    for await (const entry of readEntries(stream.input)) {
      assert.ok(entry.kind === 'file');
      const name = entry.path as 'a' | 'b';
      readings.push(
        (async () => {
          for await (const bytes of entry.content()) {
            taken[name] += bytes.length;
            most = Math.max(most, stream.givenBytes - taken.a - taken.b);
            if (name === 'b') await sleep(1);
          }
        })(),
      );
    }
    await Promise.all(readings);
    assert.deepEqual(taken, { a: 16 * MIB, b: 16 * MIB });
    assert.ok(most <= MOST_UNDER_WAY, `${most} bytes were under way`);
  });
});

test('files that interleave too much are not read in turn', { timeout: 60_000 }, async () => {
  const part = noise(MIB);
  function* hostile(): Iterable<Buffer> {
    yield payload('a', 0, 'x');
    for (let at = 0; at < 100 * MIB; at += part.length) yield payload('b', at, part);
    yield Buffer.concat([end('a'), end('b')]);
  }
  const read = async (): Promise<void> => {
    for await (const entry of readEntries(hostile())) {
      if (entry.kind === 'file') await drain(entry.content());
    }
  };
  await assert.rejects(read, { code: 'XB_UNSUPPORTED_ORDER', message: /interleave/ });
});

test('many small files do not take more than they have', { timeout: 60_000 }, async () => {
  const whole = Buffer.concat(Array.from({ length: 50_000 }, (_, index) => file(`d/${index}`, 'x')));
  let bytes = 0;
  for await (const entry of readEntries([whole])) {
    if (entry.kind === 'file') for await (const part of entry.content()) bytes += part.length;
  }
  assert.equal(bytes, 50_000);
});
