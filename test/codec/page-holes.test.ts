import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../helpers/fast-check.js';
import { PageHoles, spaceLayoutOf, storesZerosOfHoles } from '../../dist/codec/page-holes.js';
import { readFixture, splitArchive } from '../helpers/mini-xbstream.js';

const BLOCK_BYTES = 4096;

function spaceHeader(pageBytes: number, flags: number): Buffer {
  const page = Buffer.alloc(pageBytes);
  page.fill(0x11, 58, pageBytes);
  page.writeUInt16BE(8, 24);
  page.writeUInt32BE(7, 34);
  page.writeUInt32BE(7, 38);
  page.writeUInt32BE(flags, 54);
  return page;
}

/** A page as page compression leaves it: `usedBytes` behind the header, zeros behind that. */
function compressedPage(pageBytes: number, usedBytes: number): Buffer {
  const page = Buffer.alloc(pageBytes);
  page.fill(0x22, 0, Math.min(pageBytes, 38 + usedBytes));
  page.writeUInt16BE(14, 24);
  page.writeUInt16BE(usedBytes, 32);
  return page;
}

/** Passes a file through and puts together what is written, over bytes that show what was not. */
function pass(file: Buffer, pieceBytes: number) {
  const disk = Buffer.alloc(file.length);
  const written = new Uint8Array(file.length);
  let end = 0;
  const holes = new PageHoles(BLOCK_BYTES, (fileOffset, bytes) => {
    assert.ok(fileOffset >= end && bytes.length > 0, 'in rising order');
    end = fileOffset + bytes.length;
    bytes.copy(disk, fileOffset);
    written.fill(1, fileOffset, end);
  });
  for (let at = 0; at < file.length; at += pieceBytes) holes.push(Buffer.from(file.subarray(at, at + pieceBytes)));
  assert.equal(holes.fileBytes, file.length);
  assert.ok(disk.equals(file), 'the content is the same');
  return written;
}

function blocksWritten(written: Uint8Array, start: number, end: number): number {
  let blocks = 0;
  for (let at = start; at < end; at += BLOCK_BYTES) if (written.subarray(at, at + BLOCK_BYTES).includes(1)) blocks++;
  return blocks;
}

test('page size and kind of page compression are read from the flags of MySQL and MariaDB', () => {
  const cases: [string, number, number | undefined, 'mysql' | 'mariadb'][] = [
    ['MySQL 16 KiB, as 5.6 and later write it', 0x21, 16384, 'mysql'],
    ['MySQL 8.0 with its SDI flag', 0x4021, 16384, 'mysql'],
    ['MySQL, all zero (redundant and compact)', 0, 16384, 'mysql'],
    ['MySQL 4 KiB', 3 << 6, 4096, 'mysql'],
    ['MySQL 8 KiB', 4 << 6, 8192, 'mysql'],
    ['MySQL 32 KiB', 6 << 6, 32768, 'mysql'],
    ['MySQL 64 KiB', 7 << 6, 65536, 'mysql'],
    ['MariaDB 16 KiB, page-compressed', 0x10021, 16384, 'mariadb'],
    ['MariaDB 64 KiB, page-compressed', 0x101e1, 65536, 'mariadb'],
    ['MariaDB full_crc32 16 KiB, page-compressed with zlib', 0x35, 16384, 'mariadb'],
    ['MariaDB full_crc32 4 KiB, page-compressed with zlib', 0x33, 4096, 'mariadb'],
    ['MariaDB full_crc32 64 KiB, page-compressed with snappy', 0xd7, 65536, 'mariadb'],
    ['MariaDB full_crc32 without page compression', 0x15, undefined, 'mariadb'],
    ['ROW_FORMAT=COMPRESSED with 8 KiB pages', 0x21 | (4 << 1), undefined, 'mysql'],
    ['no such page size', 9 << 6, undefined, 'mysql'],
    ['no such page size either', 2 << 6, undefined, 'mysql'],
    ['full_crc32 without a size', 0x30, undefined, 'mariadb'],
  ];
  for (const [what, flags, pageBytes, compression] of cases) {
    const header = spaceHeader(16384, flags);
    assert.deepEqual(spaceLayoutOf(header), pageBytes === undefined ? undefined : { pageBytes, compression }, what);
    assert.equal(storesZerosOfHoles(header), pageBytes !== undefined && compression === 'mariadb', what);
  }
});

test('what is no first page of a tablespace has no page size', () => {
  const header = spaceHeader(16384, 0x21);
  for (const at of [5, 25, 36]) {
    const other = Buffer.from(header);
    other[at]! ^= 1;
    assert.equal(spaceLayoutOf(other), undefined);
  }
  assert.equal(spaceLayoutOf(header.subarray(0, 57)), undefined);
  assert.equal(storesZerosOfHoles(header.subarray(0, 57)), undefined, 'not known yet');
});

test('what the samples hold, of real servers, is page-compressed only where the server had it so', () => {
  const table = splitArchive(readFixture('reports/03-mariadb-page-compressed.xbstream')).get('pcs/t.ibd')!;
  assert.deepEqual(spaceLayoutOf(table), { pageBytes: 16384, compression: 'mariadb' });
  for (const [name, bytes] of splitArchive(readFixture('mariadb/tiny-full.xbs.gz'))) {
    assert.equal(spaceLayoutOf(bytes), undefined, name);
  }
});

test('a compressed page takes no more blocks than its header says, however it comes', () => {
  for (const [pageBytes, flags] of [
    [16384, 0x21],
    [65536, 7 << 6],
    [8192, 4 << 6],
    [4096, 3 << 6],
  ] as const) {
    const usedSizes = [0, 1, 4058, 4059, 5000, 12_000, Math.min(65535, pageBytes - 38)].filter(
      (used) => used + 38 <= pageBytes,
    );
    const file = Buffer.concat([
      spaceHeader(pageBytes, flags),
      ...usedSizes.map((used) => compressedPage(pageBytes, used)),
    ]);
    for (const pieceBytes of [file.length, 65536, 4096, 1000, 37, 1]) {
      const written = pass(file, pieceBytes);
      usedSizes.forEach((used, i) => {
        const start = (i + 1) * pageBytes;
        assert.equal(
          blocksWritten(written, start, start + pageBytes),
          Math.ceil((used + 38) / BLOCK_BYTES),
          `${used} of ${pageBytes} by ${pieceBytes}`,
        );
      });
    }
  }
});

test('only zeros are left out, whatever a header says', () => {
  const liar = compressedPage(16384, 100);
  liar[16383] = 1;
  const plain = Buffer.alloc(16384);
  const file = Buffer.concat([spaceHeader(16384, 0x21), liar, plain, compressedPage(16384, 100)]);
  const written = pass(file, file.length);
  assert.equal(blocksWritten(written, 16384, 32768), 4);
  // A page of zeros that is not compressed was whole on the server too.
  assert.equal(blocksWritten(written, 32768, 49152), 4);
  assert.equal(blocksWritten(written, 49152, 65536), 1);
});

test('of a page-compressed table of MariaDB no block is written that is all zeros, however it comes', () => {
  for (const [pageBytes, flags] of [
    [16384, 0x10021],
    [65536, 0x37],
    [4096, 0x33],
  ] as const) {
    const usedSizes = [256, 3840, 4352].filter((used) => used < pageBytes);
    const pages = usedSizes.map((used) => Buffer.alloc(pageBytes).fill(0x22, 0, used));
    const unused = Buffer.alloc(pageBytes);
    const uncompressed = Buffer.alloc(pageBytes, 0x33);
    const file = Buffer.concat([spaceHeader(pageBytes, flags), ...pages, unused, uncompressed, unused]);
    for (const pieceBytes of [file.length, 65536, 4096, 1000, 37, 1]) {
      const written = pass(file, pieceBytes);
      [...usedSizes, 0, pageBytes, 0].forEach((used, i) => {
        const start = (i + 1) * pageBytes;
        const blocks = blocksWritten(written, start, start + pageBytes);
        assert.equal(blocks, Math.ceil(used / BLOCK_BYTES), `${used} of ${pageBytes} by ${pieceBytes}`);
      });
    }
  }
});

test('where nobody wants holes there are none', () => {
  const file = Buffer.concat([spaceHeader(16384, 0x35), Buffer.alloc(16384), Buffer.alloc(16384, 1)]);
  const writes: number[] = [];
  new PageHoles(2 ** 30, (_, bytes) => writes.push(bytes.length)).push(file);
  assert.deepEqual(writes, [file.length]);
});

test('a file that is no tablespace is written as it is', () => {
  for (const file of [Buffer.alloc(100_000), Buffer.alloc(57), Buffer.alloc(0), compressedPage(65536, 10)]) {
    assert.ok(pass(file, 777).every((byte) => byte === 1));
  }
});

test('whatever the pages and the pieces, the content is the same', () => {
  const page = fc.oneof(
    fc.nat(16346).map((used) => compressedPage(16384, used)),
    fc.tuple(fc.nat(16346), fc.nat(16383)).map(([used, at]) => {
      const bytes = compressedPage(16384, used);
      bytes[at] = 0x33;
      return bytes;
    }),
    fc.constant(Buffer.alloc(16384)),
    fc.nat(16384).map((length) => Buffer.alloc(length, 5)),
  );
  fc.assert(
    fc.property(
      fc.array(page, { maxLength: 6 }),
      fc.integer({ min: 1, max: 70_000 }),
      fc.constantFrom(undefined, 0x21, 0x35),
      (pages, pieceBytes, flags) => {
        pass(Buffer.concat([...(flags === undefined ? [] : [spaceHeader(16384, flags)]), ...pages]), pieceBytes);
      },
    ),
    { numRuns: 200 },
  );
});
