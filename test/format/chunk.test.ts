import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from '../helpers/fast-check.js';
import { rawPath } from '../../dist/format/stored-path.js';
import { XbstreamError } from '../../dist/errors.js';
import {
  decodeChunkHeader,
  encodeChunkHeader,
  MAX_HEADER_BYTES,
  type NewChunkHeader,
} from '../../dist/format/chunk.js';
import { end, payload, payloadLike, remove, rename, seek, sparse } from '../helpers/archive-bytes.js';

/** Puts what follows a seek behind it: only that tells it from a sparse chunk. */
const NEXT = Buffer.from('XBSTCK01');

const path = fc
  .string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 511 })
  .map(rawPath);
const u32 = fc.nat({ max: 0xffff_ffff });
const u52 = fc.bigInt({ min: 0n, max: 2n ** 52n }).map(Number);
const flags = fc.nat({ max: 255 });

const headers: fc.Arbitrary<NewChunkHeader> = fc.oneof(
  fc.record({ type: fc.constant('payload' as const), flags, path, payloadBytes: u52, fileOffset: u52, crc32: u32 }),
  fc.record({
    type: fc.constant('sparse' as const),
    flags,
    path,
    mapEntries: fc.nat({ max: 2 ** 20 }),
    payloadBytes: u52,
    fileOffset: u52,
    crc32: u32,
  }),
  fc.record({ type: fc.constant('end' as const), flags, path }),
  fc.record({ type: fc.constant('remove' as const), flags, path }),
  fc.record({ type: fc.constant('seek' as const), flags, path, fileOffset: u52 }),
  fc.record({ type: fc.constant('rename' as const), flags, path, newPath: path }),
);

/** The same header by the tests' own writer. */
function written(header: NewChunkHeader): Buffer {
  let bytes: Buffer;
  switch (header.type) {
    case 'payload': {
      const { payloadBytes, crc32: crc } = header;
      bytes = payload(header.path, header.fileOffset, '', { payloadBytes, crc });
      break;
    }
    case 'sparse': {
      const { payloadBytes, mapEntries, crc32: crc } = header;
      bytes = sparse(header.path, header.fileOffset, [], '', { payloadBytes, mapEntries, crc });
      break;
    }
    case 'end':
      bytes = end(header.path);
      break;
    case 'remove':
      bytes = remove(header.path);
      break;
    case 'seek':
      bytes = seek(header.path, header.fileOffset);
      break;
    case 'rename':
      bytes = rename(header.path, header.newPath);
      break;
  }
  bytes[8] = header.flags;
  return bytes;
}

describe('chunk headers', () => {
  test('are written as the format says, and read again from any place', () => {
    fc.assert(
      fc.property(headers, fc.nat({ max: 20 }), (header, start) => {
        const bytes = encodeChunkHeader(header);
        assert.deepEqual(bytes, written(header));
        const around = Buffer.concat([Buffer.alloc(start, 'X'), bytes, NEXT, Buffer.alloc(30)]);
        const found = decodeChunkHeader(around, start, around.length, 1234);
        assert.deepEqual(found, { ...header, archiveOffset: 1234, headerBytes: bytes.length });
        assert.ok(bytes.length <= MAX_HEADER_BYTES);
      }),
      { seed: 7, numRuns: 500 },
    );
  });

  test('need all of their bytes, and no more', () => {
    fc.assert(
      fc.property(headers, (header) => {
        const bytes = Buffer.concat([written(header), ...(header.type === 'seek' ? [NEXT] : [])]);
        for (let length = 0; length < bytes.length; length += 1) {
          // Behind the end lies what would be read by a mistake.
          assert.equal(decodeChunkHeader(bytes, 0, length, 0), undefined);
        }
        assert.notEqual(decodeChunkHeader(bytes, 0, bytes.length, 0), undefined);
      }),
      { seed: 7, numRuns: 60 },
    );
  });

  test("a sparse chunk is none of MariaDB's seeks, whatever its numbers are", () => {
    fc.assert(
      fc.property(path, u32, u52, u52, u32, (name, mapEntries, payloadBytes, fileOffset, crc) => {
        fc.pre(mapEntries <= 2 ** 20);
        const bytes = sparse(name, fileOffset, [], '', { mapEntries, payloadBytes, crc });
        assert.equal(decodeChunkHeader(bytes, 0, bytes.length, 0)?.type, 'sparse');
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  for (const [name, bytes, code] of [
    ['another magic', Buffer.from('XBSTCK02P\0\0\0\0\0'), 'XB_BAD_MAGIC'],
    ['a path of 512 bytes', end('x'.repeat(512)), 'XB_PATH_TOO_LONG'],
    ['a new path of 512 bytes', rename('a', 'x'.repeat(512)), 'XB_PATH_TOO_LONG'],
    ['an unknown type', payloadLike('X', 'a', 0, ''), 'XB_UNKNOWN_CHUNK'],
    ['an unknown type with unknown flags', payloadLike('e', 'a', 0, '', { flags: 0xfe }), 'XB_UNKNOWN_CHUNK'],
    ['a length of 2^53', payload('a', 0, '', { payloadBytes: 2n ** 53n }), 'XB_BAD_HEADER'],
    ['an offset of 2^53', payload('a', 2n ** 53n, ''), 'XB_BAD_HEADER'],
    ['an end beyond 2^53', payload('a', 2n ** 52n, '', { payloadBytes: 2n ** 52n }), 'XB_BAD_HEADER'],
    ['2^20 + 1 map entries', sparse('a', 0, [], '', { mapEntries: 2 ** 20 + 1 }), 'XB_BAD_SPARSE_MAP'],
  ] as const) {
    test(`${name}: ${code}`, () => {
      assert.throws(
        () => decodeChunkHeader(bytes, 0, bytes.length, 77),
        (error) => error instanceof XbstreamError && error.code === code && error.archiveOffset === 77,
      );
    });
  }

  test('a path that is too long is not written', () => {
    for (const header of [
      { type: 'end', flags: 0, path: rawPath('x'.repeat(512)) },
      { type: 'rename', flags: 0, path: rawPath('a'), newPath: rawPath('x'.repeat(512)) },
    ] as const) {
      assert.throws(() => encodeChunkHeader(header), { code: 'XB_PATH_TOO_LONG' });
    }
  });
});
