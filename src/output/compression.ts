/** What a file that is made can be compressed with as a whole. */
export type Compression = 'gzip' | 'zstd' | 'lz4';

/** By the endings of names. */
const ENDINGS: Readonly<Record<string, Compression>> = { gz: 'gzip', zst: 'zstd', lz4: 'lz4' };

/** What a file of this name is compressed with. */
export function compressionOf(path: string): Compression | undefined {
  return ENDINGS[/\.(\w+)$/.exec(path)?.[1] ?? ''];
}
