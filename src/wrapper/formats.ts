/** What an archive can be wrapped in as a whole, and how that is recognised (format.md, section 8). */
import type { LayerName } from '../codec/codec.js';

/** A program of the system that undoes a wrapper. */
export interface WrapperProgram {
  command: string;
  args: readonly string[];
  /** Variables that it is given beside those that find it. */
  env?: Readonly<Record<string, string>>;
  /** The package that has it, in Debian and others. */
  packageName: string;
}

export type WrapperName = 'gzip' | 'zstd' | 'lz4' | 'bzip2' | 'xz' | 'qpress' | 'xbcrypt';

export interface WrapperFormat {
  name: WrapperName;
  /** With what messages call it: `it is gzip data`. */
  title: string;
  /** Whether the first bytes, one character a byte, are of this format. */
  begins: (head: string) => boolean;
  /** What decodes it here; missing where only a program does. */
  layer?: LayerName;
  program?: WrapperProgram;
}

/** How many of the first bytes are needed to tell. */
export const WRAPPER_HEAD_BYTES = 16;

const ZSTD_MAGIC = '\x28\xb5\x2f\xfd';
const LZ4_MAGIC = '\x04\x22\x4d\x18';
/** Of a block, and of the end, where there is no block. */
const BZIP2_MAGICS = ['1AY&SY', '\x17rE8P\x90'];
/** Of frames to be skipped, behind a byte from 0x50 to 0x5f. */
const SKIPPABLE_MAGIC = '\x2a\x4d\x18';
const SKIPPABLE_HEADER_BYTES = 8;

const FORMATS: readonly WrapperFormat[] = [
  { name: 'gzip', title: 'gzip data', begins: (head) => head.startsWith('\x1f\x8b\x08'), layer: 'gzip' },
  {
    name: 'zstd',
    title: 'zstd data',
    // Frames to be skipped look alike in both formats: what cannot be told is taken for zstd, of which writers make them.
    begins: (head) => isFrames(head, ZSTD_MAGIC) ?? true,
    layer: 'zstd',
    program: { command: 'zstd', args: ['-dcq'], packageName: 'zstd' },
  },
  { name: 'lz4', title: 'an LZ4 file', begins: (head) => isFrames(head, LZ4_MAGIC) ?? false, layer: 'lz4' },
  {
    name: 'xz',
    title: 'xz data',
    begins: (head) => head.startsWith('\xfd7zXZ\0'),
    program: {
      command: 'xz',
      args: ['-dc'],
      // Three times what `xz -9` needs: what is inside of it would have up to 4 GiB taken. As a variable, since the xz of
      // busybox, which has a limit of its own, knows no such option.
      env: { XZ_OPT: '--memlimit-decompress=256MiB' },
      packageName: 'xz-utils',
    },
  },
  {
    name: 'bzip2',
    title: 'bzip2 data',
    begins: (head) => /^BZh[1-9]/.test(head) && BZIP2_MAGICS.some((magic) => head.startsWith(magic, 4)),
    program: { command: 'bzip2', args: ['-dc'], packageName: 'bzip2' },
  },
  { name: 'qpress', title: 'a qpress archive (.qp)', begins: (head) => head.startsWith('qpress10'), layer: 'qpress' },
  {
    name: 'xbcrypt',
    title: 'data encrypted by xbcrypt',
    begins: (head) => /^XBCRYP0[123]/.test(head),
    layer: 'xbcrypt',
  },
];

/**
 * What an input is wrapped in, by its first bytes.
 *
 * @param head at least {@link WRAPPER_HEAD_BYTES} of them, unless there are fewer
 */
export function wrapperOf(head: Buffer): WrapperFormat | undefined {
  const text = head.toString('latin1');
  return FORMATS.find(({ begins }) => begins(text));
}

/** Whether frames of a format begin here, behind others that are to be skipped; undefined where that cannot be told. */
function isFrames(head: string, magic: string): boolean | undefined {
  let at = 0;
  while (/[P-_]/.test(head.charAt(at)) && head.startsWith(SKIPPABLE_MAGIC, at + 1)) {
    if (head.length < at + SKIPPABLE_HEADER_BYTES) return undefined;
    at += SKIPPABLE_HEADER_BYTES + Buffer.from(head, 'latin1').readUInt32LE(at + 4);
  }
  if (at > 0 && head.length < at + magic.length) return undefined;
  return head.startsWith(magic, at);
}
