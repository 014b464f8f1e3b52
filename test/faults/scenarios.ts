/** What the program is doing when a call goes wrong: small archives, each of which takes another way through it. */
import { gzipSync } from 'node:zlib';
import { compressFrameSync } from 'lz4-napi';
import * as bytes from '../helpers/archive-bytes.js';
import { archive, end, file, noise, payload, sparse } from '../helpers/archive-bytes.js';
import { FIXTURE_KEYS } from '../helpers/decode.js';
import { qpressFile, xbcryptFile } from '../helpers/layer-writers.js';

const KIB = 1024;
const MIB = 1024 * KIB;
export const KEY = FIXTURE_KEYS['AES256']!;

export type Files = Readonly<Record<string, Buffer | string>>;

/** Where a run finds what it needs: paths. */
export interface Places {
  archive: string;
  /** A file that holds {@link KEY}. */
  key: string;
  /** The only directory that may be written to. */
  target: string;
}

type Words = (places: Places) => readonly string[];

export interface Scenario {
  name: string;
  archive: Buffer;
  /** How the program gets it; `path`: the words name it. */
  stdin: 'file' | 'pipe' | 'path';
  words: Words;
  /** The command that goes on where that one stopped. */
  again: Words;
  /** What the target holds in the end, where that is not just what a sound run makes. */
  files?: Files;
  /** What a name may hold meanwhile, beside that. */
  meanwhile?: Files;
  /** What the target holds before. */
  before?: Files;
  /** Files that are made of others, which go away then: one of the two is there at any time. By what is made. */
  madeOf?: Readonly<Record<string, string>>;
  /** How it ends when nothing goes wrong; 0 unless something is said. */
  code?: number;
  wrapper?: readonly string[];
  /** Whom the target belongs to. */
  uid?: number;
}

function withWords(words: Words, ...more: readonly string[]): Words {
  return (places) => [...words(places), ...more];
}

/** A command, and the same that keeps what is there already. */
function resumed(words: Words): Pick<Scenario, 'words' | 'again'> {
  return { words, again: withWords(words, '--skip-existing') };
}

const unpack: Words = ({ target }) => ['-x', '-C', target];
const extract: Words = ({ archive: path, target }) => ['extract', '-q', path, '-C', target];

const PLAIN: Files = {
  'notes.txt': 'of nobody in particular\n',
  'db/t1.ibd': noise(700 * KIB, 1),
  'db/t2.ibd': noise(90 * KIB, 2),
  'db/empty.frm': '',
  'other/deep/er/t.MYD': noise(3000, 3),
};
const plain = archive(...Object.entries(PLAIN).map(([path, content]) => file(path, content, 300 * KIB)));

const LAYERED: Files = {
  'db/a.ibd': noise(200 * KIB, 4),
  'db/b.ibd': Buffer.alloc(300 * KIB, 'text of a table '),
  'db/c.ibd': noise(70 * KIB, 5),
  'plain.txt': 'as it is',
};
const [layerA, layerB, layerC] = ['db/a.ibd', 'db/b.ibd', 'db/c.ibd'].map((path) => LAYERED[path] as Buffer);
const layered = archive(
  file('db/a.ibd.qp', qpressFile(layerA!), 64 * KIB),
  file('db/b.ibd.lz4', compressFrameSync(layerB!), 10 * KIB),
  file('db/c.ibd.qp.xbcrypt', xbcryptFile(qpressFile(layerC!), KEY), 64 * KIB),
  file('plain.txt', 'as it is'),
);
const decoding: Words = ({ key }) => ['--decrypt=AES256', `--encrypt-key-file=${key}`, '--parallel=2'];

const [holesData, holesMore] = [noise(100 * KIB, 6), noise(40 * KIB, 7)];
const sparseFiles = archive(
  sparse(
    'db/s.ibd',
    0,
    [
      [64 * KIB, 60 * KIB],
      [32 * KIB, 40 * KIB],
      [16 * KIB, 0],
    ],
    holesData,
  ),
  sparse('db/s.ibd', 212 * KIB, [[300 * KIB, 40 * KIB]], holesMore),
  end('db/s.ibd'),
  sparse('db/hole', 0, [[2 * MIB, 0]], ''),
  end('db/hole'),
);
const SPARSE: Files = {
  'db/s.ibd': Buffer.concat([
    ...[Buffer.alloc(64 * KIB), holesData.subarray(0, 60 * KIB), Buffer.alloc(32 * KIB), holesData.subarray(60 * KIB)],
    ...[Buffer.alloc(316 * KIB), holesMore],
  ]),
  'db/hole': Buffer.alloc(2 * MIB),
};

const CORRECTED: Files = { 'db/new': noise(20 * KIB, 8), 'db/again': 'new content', 'other/kept': 'kept' };
const UNCORRECTED: Files = { 'db/old': CORRECTED['db/new']!, 'db/gone': noise(9000, 9), 'db/again': 'old content' };
const corrections = archive(
  ...Object.entries(UNCORRECTED).map(([path, content]) => file(path, content)),
  file('other/kept', 'kept'),
  bytes.remove('db/gone'),
  bytes.rename('db/old', 'db/new'),
  bytes.rewriting('db/again', 'new content'),
  end('db/again'),
);

/** From this size on a thread helps to write. */
const LEAD_IN: Files = { 'lead-in': noise(8 * MIB, 10) };
const leadIn = file('lead-in', LEAD_IN['lead-in']!, 4 * MIB);
const SMALL: Files = Object.fromEntries(
  Array.from({ length: 40 }, (_, index) => [`d${index % 3}/f${index}`, noise(1 + index * 70, 20 + index)]),
);
const smallFiles = archive(leadIn, ...Object.entries(SMALL).map(([path, content]) => file(path, content)));

/** Many files that grow at the same time. */
const INTERLEAVED: Record<string, Buffer> = Object.fromEntries(
  Array.from({ length: 40 }, (_, index) => [`t${index}.ibd`, noise(3000 + index, 100 + index)]),
);
const interleaved = archive(
  ...Object.entries(INTERLEAVED).map(([path, content]) => payload(path, 0, content.subarray(0, 1500))),
  ...Object.entries(INTERLEAVED).map(([path, content]) =>
    archive(payload(path, 1500, content.subarray(1500)), end(path)),
  ),
);
const FEW_DESCRIPTORS = ['sh', '-c', 'ulimit -n 48; exec "$@"', 'sh'];

/** From 64 MiB on pipelines share the files; what fills the archive is jumped over. */
const SHARED: Files = {
  'db/x.ibd': noise(1300 * KIB, 11),
  'db/y.ibd': noise(1100 * KIB, 12),
  'db/z.ibd': noise(600 * KIB, 13),
};
const shared = archive(
  bytes.payloadLike('X', 'filler', 0, Buffer.alloc(64 * MIB), { flags: 1 }),
  ...Object.entries(SHARED).map(([path, content]) => file(path, content, 512 * KIB)),
);

/** From 64 MiB on pipelines make a file together, in segments: it is larger than all others. */
const LARGE: Files = { 'db/large.ibd': Buffer.alloc(65 * MIB, noise(MIB + 7, 21)), 'db/small.ibd': noise(3000, 22) };
const large = archive(...Object.entries(LARGE).map(([path, content]) => file(path, content, 8 * MIB)));

/** Files that are decoded where they lie. */
const ENCODED: Files = {
  'db/a.ibd.qp': qpressFile(layerA!),
  'db/b.ibd.lz4': compressFrameSync(layerB!),
  'db/c.ibd.qp.xbcrypt': xbcryptFile(qpressFile(layerC!), KEY),
  'plain.txt': 'as it is',
};
const MADE_OF = {
  'db/a.ibd': 'db/a.ibd.qp',
  'db/b.ibd': 'db/b.ibd.lz4',
  'db/c.ibd': 'db/c.ibd.qp.xbcrypt',
};

/** A checksum that does not hold, text between the chunks, and an end that is missing. */
const damaged = archive(
  file('a', noise(5000, 14)),
  archive(payload('bad', 0, 'some bytes', { crc: 9 }), end('bad')),
  Buffer.from('log scanned up to (123)\n'),
  file('d/b', noise(200 * KIB, 15), 50 * KIB),
  payload('d/cut', 0, noise(5000, 16)),
);
const UNDAMAGED: Files = { a: noise(5000, 14), 'd/b': noise(200 * KIB, 15) };
const DAMAGED = 3;

/** A file that the target holds already, one that is to be replaced, and what an earlier run has left. */
const BEFORE: Files = { 'db/t2.ibd': PLAIN['db/t2.ibd']!, 'db/.t1.ibd.partial': 'of an earlier run' };
const OLD: Files = { 'db/t2.ibd': 'old', 'db/t1.ibd': 'old, too' };

const UNPACKING: readonly Scenario[] = [
  { name: 'plain, from a file', archive: plain, stdin: 'file', ...resumed(unpack), files: PLAIN },
  { name: 'plain, from a pipe', archive: plain, stdin: 'pipe', ...resumed(unpack), files: PLAIN },
  {
    ...{ name: 'layered', archive: layered, stdin: 'pipe', files: LAYERED },
    ...resumed((places) => [...unpack(places), '--decompress', ...decoding(places)]),
  },
  { name: 'sparse', archive: sparseFiles, stdin: 'file', ...resumed(unpack), files: SPARSE },
  {
    ...{ name: 'corrections', archive: corrections, stdin: 'file', files: CORRECTED, meanwhile: UNCORRECTED },
    ...resumed(unpack),
  },
  {
    ...{ name: 'small files', archive: smallFiles, stdin: 'file', files: { ...LEAD_IN, ...SMALL } },
    ...resumed(withWords(unpack, '--parallel=2')),
  },
  {
    ...{ name: 'a thread that writes, too', archive: archive(smallFiles, file('more', noise(3 * MIB, 17))) },
    ...{ stdin: 'pipe', files: { ...LEAD_IN, ...SMALL, more: noise(3 * MIB, 17) } },
    ...resumed(withWords(unpack, '--parallel=3')),
  },
  {
    ...{ name: 'descriptor pressure', archive: interleaved, stdin: 'pipe', files: INTERLEAVED },
    ...{ ...resumed(unpack), wrapper: FEW_DESCRIPTORS },
  },
  {
    ...{ name: 'two pipelines', archive: shared, stdin: 'file', files: SHARED },
    ...resumed(withWords(unpack, '--parallel=2')),
  },
  {
    ...{ name: 'two pipelines, one large file', archive: large, stdin: 'file', files: LARGE },
    ...resumed(withWords(unpack, '--parallel=2')),
  },
  {
    ...{ name: 'wrapped', archive: gzipSync(plain), stdin: 'pipe', files: PLAIN },
    ...resumed(unpack),
  },
  {
    ...{ name: 'keep-going, from a file', archive: damaged, stdin: 'path', files: UNDAMAGED, code: DAMAGED },
    ...resumed(withWords(extract, '--keep-going')),
  },
  {
    ...{ name: 'keep-going, from a pipe', archive: damaged, stdin: 'pipe', files: UNDAMAGED, code: DAMAGED },
    ...resumed(({ target }) => ['extract', '-q', '-', '-C', target, '--keep-going']),
  },
  {
    ...{ name: 'skip-existing', archive: plain, stdin: 'path', files: PLAIN, before: BEFORE },
    words: withWords(extract, '--skip-existing=verify'),
    again: withWords(extract, '--skip-existing'),
  },
  {
    ...{ name: 'overwrite, fsync and a manifest', archive: plain, stdin: 'path', before: OLD, meanwhile: OLD },
    ...same(({ target, archive: path }) => [
      ...['extract', '-q', path, '-C', target, '--overwrite', '--fsync', `--manifest=${target}/SUMS`],
    ]),
  },
];

/** A command that makes everything anew. */
function same(words: Words): Pick<Scenario, 'words' | 'again'> {
  return { words, again: words };
}

const deep: Words = (places) => ['verify', '-q', places.archive, '--deep', ...decoding(places)];

const LOOKING: readonly Scenario[] = [
  { name: 'verify, a file', archive: plain, stdin: 'path', ...same(({ archive: path }) => ['verify', '-q', path]) },
  { name: 'verify, a pipe', archive: plain, stdin: 'pipe', ...same(() => ['verify', '-q', '-']) },
  { name: 'verify --deep', archive: layered, stdin: 'path', ...same(deep) },
  {
    ...{ name: 'verify, two pipelines', archive: shared, stdin: 'path' },
    ...same(({ archive: path }) => ['verify', '-q', path, '--parallel=2']),
  },
];

const SOURCES: Files = { 'src/a': noise(400 * KIB, 18), 'src/d/b': noise(5000, 19), 'src/empty': '' };

const MAKING: readonly Scenario[] = [
  {
    ...{ name: 'create', archive: Buffer.alloc(0), stdin: 'path', before: SOURCES },
    ...same(({ target }) => ['create', '-q', '-C', target, 'src', '-o', `${target}/made`, '--overwrite']),
  },
  {
    ...{ name: 'tar, from a file', archive: sparseFiles, stdin: 'path' },
    ...same(({ archive: path, target }) => ['tar', '-q', path, '-o', `${target}/made`, '--overwrite']),
  },
  {
    ...{ name: 'tar, from a pipe', archive: layered, stdin: 'pipe' },
    ...same((places) => [
      ...['tar', '-q', '-', '-o', `${places.target}/made`, '--overwrite', '--decompress', ...decoding(places)],
      `--tmp-dir=${places.target}`,
    ]),
  },
];

/** In two threads, each of which takes one file after the other. */
const DECODING: readonly Scenario[] = [
  {
    ...{ name: 'decode', archive: Buffer.alloc(0), stdin: 'path', before: ENCODED, madeOf: MADE_OF, files: LAYERED },
    ...same((places) => ['decode', '-q', ...decoding(places), places.target]),
  },
  {
    ...{ name: 'decode, synced', archive: Buffer.alloc(0), stdin: 'path', before: ENCODED, madeOf: MADE_OF },
    ...{ files: LAYERED, ...same((places) => ['decode', '-q', '--fsync', ...decoding(places), places.target]) },
  },
];

export const SCENARIOS: readonly Scenario[] = [...UNPACKING, ...LOOKING, ...MAKING, ...DECODING];
