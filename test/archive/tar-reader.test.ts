/** The reader of tars against bytes that the tests write by themselves. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TarReader } from '../../dist/tar/reader.js';
import { XbstreamError } from '../../dist/errors.js';
import { noise } from '../helpers/archive-bytes.js';
import { member, oldSparseMember, pax, sparseMember, TAR_END } from '../helpers/tar-bytes.js';

type Files = Record<string, Buffer>;

/** Reads a tar in pieces of a size; the memory of each is used again, as the inputs do. */
async function read(tar: Buffer, pieceBytes = tar.length): Promise<Files> {
  const files: Files = {};
  let path = '';
  let parts: Buffer[] = [];
  const reader = new TarReader({
    member: (name) => {
      path = name;
      parts = [];
    },
    data: (bytes) => parts.push(Buffer.from(bytes)),
    memberEnd: () => (files[path] = Buffer.concat(parts)),
  });
  const room = Buffer.alloc(Math.max(1, pieceBytes));
  for (let at = 0; at < tar.length; at += pieceBytes) {
    const piece = room.subarray(0, tar.copy(room, 0, at, at + pieceBytes));
    await reader.push(piece);
    room.fill(0xee);
  }
  reader.end();
  return files;
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'none';
  } catch (error) {
    assert.ok(error instanceof XbstreamError, String(error));
    return error.code;
  }
}

const MAP = '2\n512\n1024\n4096\n100\n';
const PARTS = noise(1124, 7);
/** So many parts that their map goes on in two blocks behind the header. */
const MANY = Array.from({ length: 40 }, (_, part) => [part * 1024 + 512, 512] as const);
const GOOD = Buffer.concat([
  member('d/', '', { type: '5' }),
  member('a', noise(1300)),
  member('empty'),
  pax({ path: 'h\xc3\xa9' }),
  member('x', noise(512, 2)),
  pax({ path: `raw\xff${'n'.repeat(600)}` }),
  member('y', 'y'),
  member('././@LongLink', `${'l'.repeat(700)}\xfe\0`, { type: 'L' }),
  member('z', noise(3, 4)),
  sparseMember('holes', 5000, MAP, PARTS),
  ...[
    oldSparseMember(
      'old holes',
      5000,
      [
        [512, 1024],
        [4096, 100],
        [5000, 0],
      ],
      PARTS,
    ),
    member('././@LongLink', `${'o'.repeat(300)}\0`, { type: 'L' }),
    oldSparseMember('o', 40 * 1024, MANY, noise(40 * 512, 9)),
    oldSparseMember('nothing but a hole', 700, [[700, 0]], ''),
  ],
  member('old', 'v7', { type: '\0' }),
  TAR_END,
]);
const SPARSE = Buffer.alloc(5000);
PARTS.copy(SPARSE, 512, 0, 1024);
PARTS.copy(SPARSE, 4096, 1024);
const MANY_HOLES = Buffer.alloc(40 * 1024);
for (const [at, [start]] of MANY.entries()) noise(40 * 512, 9).copy(MANY_HOLES, start, at * 512, at * 512 + 512);
const EXPECTED: Files = {
  a: noise(1300),
  empty: Buffer.alloc(0),
  'h\xc3\xa9': noise(512, 2),
  [`raw\xff${'n'.repeat(600)}`]: Buffer.from('y'),
  [`${'l'.repeat(700)}\xfe`]: noise(3, 4),
  holes: SPARSE,
  'old holes': SPARSE,
  ['o'.repeat(300)]: MANY_HOLES,
  'nothing but a hole': Buffer.alloc(700),
  old: Buffer.from('v7'),
};

for (const pieceBytes of [1, 7, 511, 512, 513, 4096, GOOD.length]) {
  test(`in pieces of ${pieceBytes}`, async () => {
    assert.deepEqual(await read(GOOD, pieceBytes), EXPECTED);
  });
}

test('cut anywhere it is cut short', async () => {
  const end = GOOD.length - TAR_END.length;
  for (let bytes = 0; bytes < end + 512; bytes += bytes % 512 === 511 ? 1 : bytes % 512 === 0 ? 1 : 510) {
    assert.equal(await codeOf(read(GOOD.subarray(0, bytes), 1000)), 'XB_TRUNCATED', `${bytes} bytes`);
  }
  // A single block of zeros is an end, though a poor one.
  assert.deepEqual(await read(GOOD.subarray(0, end + 512)), EXPECTED);
  assert.equal(await codeOf(read(GOOD.subarray(0, end + 700))), 'XB_TRUNCATED');
  assert.deepEqual(await read(Buffer.concat([GOOD, Buffer.alloc(9000)])), EXPECTED);
});

test('records for the next file alone, and what of their block is left, are no fault', async () => {
  const records = member('pax', `14 path=other\n${'\0'.repeat(20)}`, { type: 'x' });
  const [one, two] = [Buffer.concat([records, member('a', 'x')]), member('b', 'y')];
  assert.deepEqual(await read(Buffer.concat([one, two, TAR_END])), { other: Buffer.from('x'), b: Buffer.from('y') });
});

test('nothing but records for all that follows is an empty tar', async () => {
  const records = (type: string, size?: number): Buffer =>
    member('pax', '16 comment=abcd\n', { type, ...(size === undefined ? {} : { size }) });
  assert.deepEqual(await read(Buffer.concat([records('g'), TAR_END])), {});
  assert.deepEqual(await read(Buffer.concat([records('g'), records('g'), TAR_END]), 300), {});
  // What is for the next file alone needs one; and blocks of zeros in the middle of records are no end.
  assert.equal(await codeOf(read(Buffer.concat([records('x'), TAR_END]))), 'XB_BAD_HEADER');
  assert.equal(await codeOf(read(Buffer.concat([records('g', 1536), TAR_END]))), 'XB_TRUNCATED');
});

describe('what is no tar, or not all of it', () => {
  const numbers = (count: number): string => `${count}\n${'0\n0\n'.repeat(count)}`;
  const sparse = (map: string, parts: Buffer | string = '', realSize = 5000): Buffer =>
    sparseMember('s', realSize, map, parts);
  const lines = (text: string, type = 'x'): Buffer => member('pax', text, { type });
  for (const [name, tar, code] of [
    ['text', Buffer.from('something else, for sure. '.repeat(40)), 'XB_BAD_MAGIC'],
    ['noise', noise(5000), 'XB_BAD_MAGIC'],
    ['noise behind a file', Buffer.concat([member('a', 'x'), noise(5000)]), 'XB_BAD_HEADER'],
    ['noise behind the end', Buffer.concat([GOOD, noise(10)]), 'XB_BAD_HEADER'],
    [
      'a byte in the second block of zeros',
      Buffer.concat([member('a'), Buffer.alloc(600), noise(424)]),
      'XB_BAD_HEADER',
    ],
    ['a second tar', Buffer.concat([GOOD, GOOD]), 'XB_BAD_HEADER'],
    [
      'records of 3 GiB',
      Buffer.concat([member('p', '', { type: 'x', size: 3 * 2 ** 30 }), noise(512)]),
      'XB_BAD_HEADER',
    ],
    ['records of 2 MiB', member('p', Buffer.alloc(2 ** 21), { type: 'x' }), 'XB_BAD_HEADER'],
    ['a name of 2 MiB', member('p', Buffer.alloc(2 ** 21, 'n'), { type: 'L' }), 'XB_BAD_HEADER'],
    ['headers about headers for ever', Buffer.concat(Array(3000).fill(pax({ a: 'b' })) as Buffer[]), 'XB_BAD_HEADER'],
    ['a size that is no number', Buffer.concat([pax({ size: 'soon' }), member('a')]), 'XB_BAD_HEADER'],
    ['a size below 0', Buffer.concat([pax({ size: '-512' }), member('a')]), 'XB_BAD_HEADER'],
    ['a size that no number holds', Buffer.concat([pax({ size: '9'.repeat(30) }), member('a')]), 'XB_BAD_HEADER'],
    ['a size field below 0', member('a', '', { sizeField: `\xff${'\xff'.repeat(10)}\0` }), 'XB_BAD_HEADER'],
    ['a size in words and octal digits', member('a', 'hello', { sizeField: '0000000005x\0' }), 'XB_BAD_HEADER'],
    ['a size with more behind it', Buffer.concat([pax({ size: '5x' }), member('a', 'hello')]), 'XB_BAD_HEADER'],
    [
      'records with a wrong length',
      Buffer.concat([lines('20 comment=abc\n14 path=other\n'), member('a')]),
      'XB_BAD_HEADER',
    ],
    ['records without a length', Buffer.concat([lines('11 a=bcdef\nxx path=y\n'), member('a')]), 'XB_BAD_HEADER'],
    ['records without an equals sign', Buffer.concat([lines('6 abc\n14 path=other\n'), member('a')]), 'XB_BAD_HEADER'],
    ['records beyond their end', Buffer.concat([lines('99 path=other\n'), member('a')]), 'XB_BAD_HEADER'],
    ['a name for all files', Buffer.concat([lines('14 path=other\n', 'g'), member('a')]), 'XB_BAD_HEADER'],
    [
      'a sparse file without its version',
      Buffer.concat([pax({ 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '5' }), member('a', 'x')]),
      'XB_UNSUPPORTED_LAYER',
    ],
    [
      'records, the end, and a file',
      Buffer.concat([pax({ path: 'b' }), Buffer.alloc(512), member('a', 'x')]),
      'XB_BAD_HEADER',
    ],
    ['a directory with content', member('d', 'x', { type: '5' }), 'XB_BAD_HEADER'],
    ['a hard link', member('a', '', { type: '1' }), 'XB_UNSUPPORTED_LAYER'],
    ['a symbolic link', member('a', '', { type: '2' }), 'XB_UNSUPPORTED_LAYER'],
    ['a device', member('a', '', { type: '3' }), 'XB_UNSUPPORTED_LAYER'],
    ['a named pipe', member('a', '', { type: '6' }), 'XB_UNSUPPORTED_LAYER'],
    ["another program's sparse file", member('a', '', { type: 'S' }), 'XB_UNSUPPORTED_LAYER'],
    [
      "Solaris' sparse file",
      Buffer.concat([pax({ 'SUN.holesdata': ' 0 512 1024' }), member('a', noise(512))]),
      'XB_UNSUPPORTED_LAYER',
    ],
    ['a continued file', member('a', '', { type: 'M' }), 'XB_UNSUPPORTED_LAYER'],
    [
      'a continued file, by records for all files',
      Buffer.concat([
        member('g', '29 GNU.volume.filename=d/big\n21 GNU.volume.size=5\n24 GNU.volume.offset=99\n', { type: 'g' }),
        member('GNUFileParts/big.2', 'x'),
      ]),
      'XB_UNSUPPORTED_LAYER',
    ],
    [
      'an old map that goes back',
      oldSparseMember(
        's',
        5000,
        [
          [1024, 512],
          [0, 512],
        ],
        noise(1024),
      ),
      'XB_BAD_HEADER',
    ],
    ['an old map beyond the file', oldSparseMember('s', 5000, [[4999, 2]], 'xy'), 'XB_BAD_HEADER'],
    ['an old map of more than comes', oldSparseMember('s', 5000, [[0, 700]], noise(600)), 'XB_BAD_HEADER'],
    ['an old map of less than comes', oldSparseMember('s', 5000, [[0, 500]], noise(600)), 'XB_BAD_HEADER'],
    ['an old map of words', oldSparseMember('s', 5000, [[0, 5]], 'hello', { 386: 'two' }), 'XB_BAD_HEADER'],
    ['an old map without a size', oldSparseMember('s', 5000, [[0, 5]], 'hello', { 483: 'soon' }), 'XB_BAD_HEADER'],
    [
      'an old map that goes on where it has ended',
      Buffer.concat([
        oldSparseMember('s', 5000, [[0, 5]], 'hello', { 482: '\x01' }).subarray(0, 512),
        Buffer.alloc(512),
      ]),
      'XB_BAD_HEADER',
    ],
    ['an old map whose end is missing', oldSparseMember('s', 40 * 1024, MANY, '').subarray(0, 1024), 'XB_BAD_HEADER'],
    [
      'GNU sparse 0.1',
      Buffer.concat([pax({ 'GNU.sparse.map': '0,1', 'GNU.sparse.size': '5' }), member('a', 'x')]),
      'XB_UNSUPPORTED_LAYER',
    ],
    ['a map of words', sparse('two\n0\n1\n', 'x'), 'XB_BAD_HEADER'],
    ['a map with an empty line', sparse('1\n\n1\n', 'x'), 'XB_BAD_HEADER'],
    ['a map of too many parts', sparse('99999999\n'), 'XB_BAD_HEADER'],
    ['a map that does not end', sparse(numbers(100).slice(0, -2).repeat(3)), 'XB_BAD_HEADER'],
    ['a map that goes back', sparse('2\n1024\n512\n0\n512\n', noise(1024)), 'XB_BAD_HEADER'],
    ['a map beyond the file', sparse('1\n4999\n2\n', 'xy'), 'XB_BAD_HEADER'],
    ['a map of more than comes', sparse('1\n0\n700\n', noise(600)), 'XB_BAD_HEADER'],
    ['a map of less than comes', sparse('1\n0\n500\n', noise(600)), 'XB_BAD_HEADER'],
    ['a number without an end', sparse('1'.repeat(600)), 'XB_BAD_HEADER'],
    ['a sparse file without a map', Buffer.concat([sparse('').subarray(0, 1024), member('s')]), 'XB_BAD_HEADER'],
  ] as const) {
    test(name, async () => {
      for (const pieceBytes of [tar.length, 300]) {
        assert.equal(await codeOf(read(Buffer.concat([tar, TAR_END]), pieceBytes)), code);
      }
    });
  }
});

test('a sparse file of more than octal digits tell is as long as it says', async () => {
  let sizeBytes = 0;
  const reader = new TarReader({
    member: (_name, bytes) => {
      sizeBytes = bytes;
      throw new XbstreamError('XB_IO', 'enough');
    },
    data: () => undefined,
    memberEnd: () => undefined,
  });
  assert.equal(await codeOf(reader.push(oldSparseMember('s', 2 ** 40, [[2 ** 40 - 1, 1]], 'x'))), 'XB_IO');
  assert.equal(sizeBytes, 2 ** 40);
});

test('a hole as large as a file can be takes no memory', async () => {
  let bytes = 0;
  let isEnough = false;
  const reader = new TarReader({
    member: () => undefined,
    data: (part) => {
      bytes += part.length;
      if (bytes > 2 ** 28) {
        isEnough = true;
        throw new XbstreamError('XB_IO', 'enough');
      }
    },
    memberEnd: () => undefined,
  });
  assert.equal(await codeOf(reader.push(sparseMember('s', 2 ** 52, '1\n4503599627370000\n1\n', 'x'))), 'XB_IO');
  assert.ok(isEnough);
  assert.ok(process.memoryUsage().rss < 500e6);
});
