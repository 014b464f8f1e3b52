/** Files as xtrabackup leaves them: compressed, encrypted, both, neither. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { DecryptionKey } from '../../dist/codec/codec.js';
import { noise } from './archive-bytes.js';
import { FIXTURE_KEYS } from './decode.js';
import { qpressFile, xbcryptFile } from './layer-writers.js';

export const TREE_KEY: DecryptionKey = FIXTURE_KEYS['AES256']!;
export const TREE_KEY_WORDS = [`--encrypt-key=${Buffer.from(TREE_KEY.bytes).toString()}`] as const;

/** Compresses contents by a real program, all of them in one call. */
export function encode(program: 'zstd' | 'lz4', contents: readonly Buffer[]): Buffer[] {
  const directory = fs.mkdtempSync(join(tmpdir(), 'tsxbstream-encode-'));
  try {
    const names = contents.map((_, index) => `f${index}`);
    for (const [index, name] of names.entries()) fs.writeFileSync(join(directory, name), contents[index]!);
    execFileSync(program, ['-q', ...(program === 'lz4' ? ['-m'] : []), ...names], { cwd: directory, stdio: 'ignore' });
    const ending = program === 'lz4' ? '.lz4' : '.zst';
    return names.map((name) => fs.readFileSync(join(directory, name + ending)));
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}

/** What is done to files: nothing, too. */
const SUFFIXES = ['.zst', '.lz4', '.qp', '.xbcrypt', '.zst.xbcrypt', '.lz4.xbcrypt', '.qp.xbcrypt', ''];

/** A file of a tree. */
export interface TreeFile {
  /** Its name when it is decoded. */
  path: string;
  suffix: string;
  content: Buffer;
  encoded: Buffer;
}

/** Files with all kinds of encodings, of up to so many bytes. */
export function encodedFiles(count: number, bytesMax: number): TreeFile[] {
  const contents = Array.from({ length: count }, (_, index) => {
    const length = index % 23 === 0 ? 0 : Math.floor(((index * 7919) % 1000) * (bytesMax / 1000));
    // Half of it can be compressed.
    return Buffer.concat([noise(length >> 1, index + 1), Buffer.alloc(length >> 1, `${index}`)]);
  });
  const [zst, lz4] = [encode('zstd', contents), encode('lz4', contents)];
  return contents.map((content, index) => {
    const suffix = SUFFIXES[index % SUFFIXES.length]!;
    const inner: Readonly<Record<string, () => Buffer>> = {
      '.zst': () => zst[index]!,
      '.lz4': () => lz4[index]!,
      '.qp': () => qpressFile(content),
    };
    const compressed = inner[suffix.replace('.xbcrypt', '')]?.() ?? content;
    const encoded = suffix.endsWith('.xbcrypt') ? xbcryptFile(compressed, TREE_KEY) : compressed;
    return { path: `db${index % 7}/sub${index % 3}/t${index}.ibd`, suffix, content, encoded };
  });
}

/** Puts encoded files into a directory. */
export function writeEncoded(directory: string, files: readonly TreeFile[]): void {
  for (const { path, suffix, encoded } of files) {
    const place = join(directory, path + suffix);
    fs.mkdirSync(dirname(place), { recursive: true });
    fs.writeFileSync(place, encoded);
  }
}
