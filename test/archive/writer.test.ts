/** The writer against the bytes that the tests write by themselves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { rawPath } from '../../dist/format/stored-path.js';
import { ArchiveWriter } from '../../dist/archive/writer.js';
import { ChunkMaker } from '../../dist/engine/packing/chunk-maker.js';
import { archive, end, noise, payload, sparse } from '../helpers/archive-bytes.js';

function written(work: (writer: ArchiveWriter) => void): Buffer {
  const parts: Buffer[] = [];
  const writer = new ArchiveWriter({
    write: (bytes) => parts.push(Buffer.from(bytes)),
    writeAll: (buffers) => parts.push(Buffer.concat(buffers)),
  });
  work(writer);
  writer.flush();
  return Buffer.concat(parts);
}

test('small and large chunks keep their order', () => {
  const large = noise(700_000);
  const found = written((writer) => {
    writer.payload(rawPath('a'), 0, Buffer.from('x'), crc32('x'));
    writer.payload(rawPath('b'), 5, large, crc32(large));
    writer.end(rawPath('a'));
    writer.payload(rawPath('caf\xe9'), 1, Buffer.from('y'), crc32('y'));
  });
  assert.ok(found.equals(archive(payload('a', 0, 'x'), payload('b', 5, large), end('a'), payload('caf\xe9', 1, 'y'))));
});

test('more small chunks than are gathered at a time', () => {
  const content = noise(60_000);
  const crc = crc32(content);
  const found = written((writer) => {
    for (let index = 0; index < 20; index += 1) writer.payload(rawPath(`${index}`), 0, content, crc);
  });
  assert.ok(found.equals(archive(...Array.from({ length: 20 }, (_, index) => payload(`${index}`, 0, content)))));
});

test('an archive that is broken off ends inside a chunk', () => {
  const found = written((writer) => {
    writer.end(rawPath('a'));
    writer.breakOff();
  });
  assert.deepEqual(found, archive(end('a'), Buffer.from('XBSTCK01')));
});

const BLOCK = 4096;
const data = noise(3 * BLOCK);
const zeros = Buffer.alloc(2 * BLOCK);

for (const [name, fileOffset, content, pairs, kept] of [
  ['a hole at the start', 0, Buffer.concat([zeros, data]), [[2 * BLOCK, 3 * BLOCK]], data],
  [
    'a hole at the end',
    0,
    Buffer.concat([data, zeros]),
    [
      [0, 3 * BLOCK],
      [2 * BLOCK, 0],
    ],
    data,
  ],
  [
    'a hole between',
    0,
    Buffer.concat([data, zeros, data]),
    [
      [0, 3 * BLOCK],
      [2 * BLOCK, 3 * BLOCK],
    ],
    Buffer.concat([data, data]),
  ],
  ['nothing but a hole', 0, zeros, [[2 * BLOCK, 0]], Buffer.alloc(0)],
  ['half a block at the end', BLOCK, Buffer.alloc(BLOCK + 10), [[BLOCK + 10, 0]], Buffer.alloc(0)],
  [
    'zeros that are not aligned',
    100,
    Buffer.concat([data.subarray(0, 3996), zeros]),
    [
      [0, 3996],
      [2 * BLOCK, 0],
    ],
    data.subarray(0, 3996),
  ],
] as const) {
  test(`sparse: ${name}`, () => {
    const found = written((writer) => new ChunkMaker(writer).sparse(rawPath('a'), fileOffset, content));
    assert.ok(found.equals(sparse('a', fileOffset, pairs, kept)));
  });
}

test('sparse: no zeros, no sparse chunk', () => {
  const content = Buffer.concat([data.subarray(0, 10), Buffer.alloc(BLOCK), data]);
  const found = written((writer) => new ChunkMaker(writer).sparse(rawPath('a'), 0, content));
  assert.ok(found.equals(payload('a', 0, content)));
});
