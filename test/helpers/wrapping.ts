import { execFileSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { FIXTURE_KEYS } from './decode.js';
import { qpressFile, u32, xbcryptFile } from './layer-writers.js';
import { hasProgram } from './programs.js';

/** A way to compress or encrypt an archive as a whole. */
export interface Wrapping {
  /** How the test is called. */
  title: string;
  /** What `list` and `info` call it, outermost first. */
  names: readonly string[];
  wrap: (archive: Buffer) => Buffer;
  /** The program that does it, and Debian's package of it. */
  program?: readonly [string, string];
}

const KEY = FIXTURE_KEYS['AES256']!;

function by(program: string, ...args: string[]): (archive: Buffer) => Buffer {
  return (input) => execFileSync(program, args, { input, maxBuffer: 2 ** 30, stdio: ['pipe', 'pipe', 'ignore'] });
}

/** What does it to thirds of an archive, one after the other. */
function inThirds(wrap: (archive: Buffer) => Buffer, between = Buffer.alloc(0)): (archive: Buffer) => Buffer {
  return (archive) => {
    const third = Math.ceil(archive.length / 3);
    const parts = [0, 1, 2].map((index) => wrap(archive.subarray(index * third, (index + 1) * third)));
    return Buffer.concat(parts.flatMap((part) => [between, part]));
  };
}

/** A frame to be skipped, of zstd and LZ4 alike. */
const SKIPPABLE = Buffer.concat([u32(0x184d2a53), u32(20), Buffer.alloc(20, 'x')]);

const zstd = by('zstd', '-qc');
const lz4 = by('lz4', '-qc');
const ZSTD = ['zstd', 'zstd'] as const;
const LZ4 = ['lz4', 'lz4'] as const;

export const WRAPPINGS: readonly Wrapping[] = [
  { title: 'gzip', names: ['gzip'], wrap: by('gzip', '-c'), program: ['gzip', 'gzip'] },
  { title: 'gzip, many members', names: ['gzip'], wrap: inThirds((archive) => gzipSync(archive)) },
  { title: 'pigz', names: ['gzip'], wrap: by('pigz', '-c'), program: ['pigz', 'pigz'] },
  { title: 'zstd', names: ['zstd'], wrap: zstd, program: ZSTD },
  { title: 'zstd, many frames and others between', names: ['zstd'], wrap: inThirds(zstd, SKIPPABLE), program: ZSTD },
  { title: 'lz4', names: ['lz4'], wrap: lz4, program: LZ4 },
  { title: 'lz4, many frames', names: ['lz4'], wrap: inThirds(lz4), program: LZ4 },
  { title: 'bzip2', names: ['bzip2'], wrap: by('bzip2', '-c'), program: ['bzip2', 'bzip2'] },
  { title: 'bzip2, many streams', names: ['bzip2'], wrap: inThirds(by('bzip2', '-c')), program: ['bzip2', 'bzip2'] },
  { title: 'xz', names: ['xz'], wrap: by('xz', '-c'), program: ['xz', 'xz-utils'] },
  { title: 'qpress', names: ['qpress'], wrap: qpressFile },
  { title: 'xbcrypt', names: ['xbcrypt'], wrap: (archive) => xbcryptFile(archive, KEY) },
  {
    title: 'qpress, then xbcrypt',
    names: ['xbcrypt', 'qpress'],
    wrap: (archive) => xbcryptFile(qpressFile(archive), KEY),
  },
  {
    title: 'bzip2 in gzip in zstd',
    names: ['zstd', 'gzip', 'bzip2'],
    wrap: (archive) => zstd(gzipSync(by('bzip2', '-c')(archive))),
    program: ZSTD,
  },
];

/** What opens {@link WRAPPINGS} that are encrypted. */
export const WRAPPING_KEY = KEY.bytes;

/** See {@link hasProgram}. */
export function canWrap(context: TestContext, { program }: Wrapping): boolean {
  return program === undefined || hasProgram(context, ...program);
}
