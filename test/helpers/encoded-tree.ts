/** Files as xtrabackup leaves them: compressed, encrypted, both, neither. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import type { DecryptionKey } from '../../dist/codec/codec.js';
import { noise } from './archive-bytes.js';
import { FIXTURE_KEYS } from './decode.js';
import { qpressFile, xbcryptFile } from './layer-writers.js';

export const TREE_KEY: DecryptionKey = FIXTURE_KEYS['AES256']!;
export const TREE_KEY_WORDS = [`--encrypt-key=${Buffer.from(TREE_KEY.bytes).toString()}`] as const;

function by(program: string): (content: Buffer) => Buffer {
  return (input) => execFileSync(program, ['-qc'], { input, maxBuffer: 2 ** 28, stdio: ['pipe', 'pipe', 'ignore'] });
}

/** Ways to encode a file, by suffix; the empty one does nothing. */
export const ENCODINGS: Readonly<Record<string, (content: Buffer) => Buffer>> = {
  '.zst': by('zstd'),
  '.lz4': by('lz4'),
  '.qp': (content) => qpressFile(content),
  '.xbcrypt': (content) => xbcryptFile(content, TREE_KEY),
  '.zst.xbcrypt': (content) => xbcryptFile(by('zstd')(content), TREE_KEY),
  '.lz4.xbcrypt': (content) => xbcryptFile(by('lz4')(content), TREE_KEY),
  '.qp.xbcrypt': (content) => xbcryptFile(qpressFile(content), TREE_KEY),
  '': (content) => content,
};

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
  const suffixes = Object.keys(ENCODINGS);
  return Array.from({ length: count }, (_, index) => {
    const suffix = suffixes[index % suffixes.length]!;
    const length = index % 23 === 0 ? 0 : Math.floor(((index * 7919) % 1000) * (bytesMax / 1000));
    // Half of it can be compressed.
    const content = Buffer.concat([noise(length >> 1, index + 1), Buffer.alloc(length >> 1, `${index}`)]);
    const path = `db${index % 7}/sub${index % 3}/t${index}.ibd`;
    return { path, suffix, content, encoded: ENCODINGS[suffix]!(content) };
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
