/** No length, count or offset that an archive claims makes it allocate what it claims, or run on. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { describe, test } from 'node:test';
import { archive, end, file, payload, payloadLike, remove, rename, seek, sparse } from '../helpers/archive-bytes.js';
import { piecesOf, runInDirectory, runInMemory, treeInMemory } from '../helpers/lane.js';
import { SOAK } from '../helpers/programs.js';
import { tempDir } from '../helpers/temp.js';
import { readTree, treeOf } from '../helpers/tree.js';

const MAX_U64 = 2n ** 64n - 1n;
const MAX_SAFE = 2n ** 53n - 1n;

describe('absurd numbers in a header', () => {
  for (const [name, bytes, code] of [
    ['payload length 2^64-1', payload('a', 0, 'x', { payloadBytes: MAX_U64 }), 'XB_BAD_HEADER'],
    ['payload length 2^63', payload('a', 0, 'x', { payloadBytes: 2n ** 63n }), 'XB_BAD_HEADER'],
    ['payload length 2^53', payload('a', 0, 'x', { payloadBytes: 2n ** 53n }), 'XB_BAD_HEADER'],
    ['payload length 2^53-1', payload('a', 0, 'x', { payloadBytes: MAX_SAFE }), 'XB_TRUNCATED'],
    [
      'payload length and offset that add up to more',
      payload('a', 2, 'x', { payloadBytes: MAX_SAFE }),
      'XB_BAD_HEADER',
    ],
    ['offset 2^64-1', payload('a', MAX_U64, 'x'), 'XB_BAD_HEADER'],
    ['offset 2^53-1', payload('a', MAX_SAFE, 'x'), 'XB_BAD_HEADER'],
    ['seek to 2^64-1', archive(seek('a', MAX_U64), end('a')), 'XB_BAD_HEADER'],
    ['sparse payload length 2^64-1', sparse('a', 0, [[0, 1]], 'x', { payloadBytes: MAX_U64 }), 'XB_BAD_HEADER'],
    ['sparse offset 2^64-1', sparse('a', MAX_U64, [[0, 1]], 'x'), 'XB_BAD_HEADER'],
    ['sparse offset 2^53-1 and holes', sparse('a', MAX_SAFE - 1n, [[9, 1]], 'x'), 'XB_BAD_SPARSE_MAP'],
    ['ignorable chunk of 2^64-1', payloadLike('Z', 'a', 0, '', { flags: 1, payloadBytes: MAX_U64 }), 'XB_BAD_HEADER'],
    ['ignorable chunk of 2^53-1', payloadLike('Z', 'a', 0, '', { flags: 1, payloadBytes: MAX_SAFE }), 'XB_TRUNCATED'],
  ] as const) {
    test(name, async () => {
      for (const pieceBytes of [1, 1_000_000]) {
        const { codes, output } = await runInMemory(piecesOf(archive(bytes, file('b', 'x')), pieceBytes));
        assert.deepEqual([codes, output.files.size], [[code], 0]);
      }
    });
  }

  test('path length 2^32-1 is seen before the path has come', async () => {
    const bytes = Buffer.concat([Buffer.from('XBSTCK01\0P'), Buffer.alloc(4, 0xff)]);
    assert.deepEqual((await runInMemory(bytes)).codes, ['XB_PATH_TOO_LONG']);
    const renaming = rename('a', 'b');
    renaming.writeUInt32LE(512, renaming.length - 5);
    assert.deepEqual((await runInMemory(renaming)).codes, ['XB_PATH_TOO_LONG']);
  });

  test('an offset that the file system does not take is an error of the file', async (context) => {
    const target = tempDir(context);
    const { codes, errors } = await runInDirectory(archive(payload('a', MAX_SAFE - 1n, 'x'), end('a')), target);
    assert.deepEqual(codes, errors[0]?.systemCode === 'EFBIG' ? ['XB_IO'] : ['XB_GAP']);
    assert.deepEqual(fs.readdirSync(target), ['.a.partial']);
  });

  test('2^20 map entries are taken, more are not', async () => {
    const map = Array.from({ length: 2 ** 20 }, (_, index) => [1, index % 2] as const);
    const data = Buffer.alloc(2 ** 19, 'x');
    const good = await runInMemory(piecesOf(archive(sparse('a', 0, map, data), end('a')), 500_000));
    assert.deepEqual(good.codes, []);
    assert.equal(good.output.files.get('a')?.length, 2 ** 20 + 2 ** 19);
    const bad = await runInMemory(sparse('a', 0, [...map, [0, 0]], data));
    assert.deepEqual(bad.codes, ['XB_BAD_SPARSE_MAP']);
  });
});

describe('a great number of something', () => {
  /** Bytes at every second place, from the end on, or from the beginning: each is a range by itself. */
  function scattered(path: string, ranges: number, isBackwards: boolean): Buffer {
    const place = (index: number): number => 2 * (isBackwards ? ranges - 1 - index : index);
    return Buffer.concat(Array.from({ length: ranges }, (_, index) => payload(path, place(index), 'x')));
  }

  test('65,536 separate ranges are taken, 65,537 are damage', async () => {
    const bytes = archive(scattered('a', 60_000, SOAK), scattered('b', 5536, true));
    const { codes } = await runInMemory(bytes);
    // They never got their ends.
    assert.deepEqual(codes, ['XB_MISSING_EOF', 'XB_MISSING_EOF']);
    assert.deepEqual((await runInMemory(archive(bytes, payload('c', 5, 'x')))).codes, ['XB_BAD_HEADER']);
  });

  test('what joins ranges makes room for others', async () => {
    const ranges = 60_000;
    const between = Array.from({ length: ranges - 1 }, (_, index) => payload('a', 2 * index + 1, 'y'));
    const bytes = archive(scattered('a', ranges, true), ...between, end('a'), scattered('b', ranges, SOAK), end('c'));
    const { codes, output } = await runInMemory(bytes);
    assert.deepEqual(codes, ['XB_MISSING_EOF']);
    assert.equal(output.files.get('a')?.toString('latin1'), `${'xy'.repeat(ranges - 1)}x`);
  });

  test('100,000 chunks D', async (context) => {
    const target = tempDir(context);
    const bytes = archive(
      file('a', 'x'),
      ...Array.from({ length: 100_000 }, (_, index) => remove(`d${index % 100}/${index}`)),
    );
    const began = process.cpuUsage();
    assert.deepEqual((await runInDirectory(bytes, target)).codes, []);
    assert.deepEqual(readTree(target), treeOf({ a: 'x' }));
    assert.ok(process.cpuUsage(began).user < 10e6);
  });

  test('20,000 chunks R, to and fro', async (context) => {
    const target = tempDir(context);
    const toAndFro = archive(rename('a', 'd/b'), rename('d/b', 'a'));
    const bytes = archive(file('a', 'x'), ...Array.from({ length: 10_000 }, () => toAndFro));
    assert.deepEqual((await runInDirectory(bytes, target)).codes, []);
    assert.deepEqual(readTree(target), { ...treeOf({ a: 'x' }), 'd/': 'empty directory' });
  });

  test('100,000 payloads of no bytes, at any place', async () => {
    const nothing = archive(payload('a', 2n ** 40n, ''), sparse('a', 2n ** 50n, [], ''));
    const bytes = archive(...Array.from({ length: 50_000 }, () => nothing), payload('a', 0, 'x'), end('a'));
    const { codes, output } = await runInMemory(bytes);
    assert.deepEqual(codes, []);
    assert.deepEqual(treeInMemory(output), treeOf({ a: 'x' }));
  });

  test('20,000 open files', async () => {
    const names = Array.from({ length: 20_000 }, (_, index) => `f${index}`);
    const bytes = archive(...names.map((name) => payload(name, 0, 'x')), ...names.map((name) => end(name)));
    const { codes, completed } = await runInMemory(bytes);
    assert.deepEqual([codes, completed.length], [[], 20_000]);
  });

  test('a path as deep as the format allows', async (context) => {
    const target = tempDir(context);
    const path = `${'d/'.repeat(255)}f`;
    const { codes } = await runInDirectory(archive(file(path, 'x'), rename(path, `${'e/'.repeat(255)}g`)), target);
    assert.deepEqual(codes, []);
    assert.equal(Object.keys(readTree(target)).filter((name) => name.endsWith('/g')).length, 1);
  });
});
