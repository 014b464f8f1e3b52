/** What a file that is made can be compressed with as a whole. */
export type Compression = 'gzip' | 'zstd' | 'lz4';

/** By the endings of names. */
const ENDINGS: Readonly<Record<string, Compression>> = {
  gz: 'gzip',
  tgz: 'gzip',
  zst: 'zstd',
  tzst: 'zstd',
  lz4: 'lz4',
};

/** Endings that say of a file what is not made here, with the program that makes it of a stream, if there is one. */
const OF_OTHERS: Readonly<Record<string, string | undefined>> = {
  xz: 'xz',
  txz: 'xz',
  bz2: 'bzip2',
  tbz2: 'bzip2',
  tbz: 'bzip2',
  lzma: 'lzma',
  lz: 'lzip',
  br: 'brotli',
  qp: undefined,
  zip: undefined,
  '7z': undefined,
  xbcrypt: 'xbcrypt -a AES256 -f KEYFILE',
  gpg: 'gpg -e -r RECIPIENT',
  age: 'age -r RECIPIENT',
};

function endingOf(path: string): string {
  return /\.(\w+)$/.exec(path)?.[1]?.toLowerCase() ?? '';
}

/** What a file of this name is compressed with. */
export function compressionOf(path: string): Compression | undefined {
  return ENDINGS[endingOf(path)];
}

/** Whether a name says what nothing here makes of a file, and by which program that can be had. */
export function madeByOthers(path: string): { ending: string; program: string | undefined } | undefined {
  const ending = endingOf(path);
  return Object.hasOwn(OF_OTHERS, ending) ? { ending, program: OF_OTHERS[ending] } : undefined;
}
