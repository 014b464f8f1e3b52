/** What cases are made of: parts of all samples and fixtures, random archives, and files packed by the tests' own writers. */
import * as fs from 'node:fs';
import { gunzipSync } from 'node:zlib';
import * as zstd from '@mongodb-js/zstd';
import fc from '../helpers/fast-check.js';
import { compressFrameSync } from 'lz4-napi';
import { archiveOf, endedSteps, plannedArchive } from '../helpers/arbitraries.js';
import { file, noise } from '../helpers/archive-bytes.js';
import { walkChunks, type WalkedChunk } from '../helpers/chunk-walk.js';
import type { Dice } from '../helpers/damaged-archives.js';
import { FIXTURE_KEYS } from '../helpers/decode.js';
import { FIXTURE_NAMES, fixture } from '../helpers/fixtures.js';
import { qpressFile, xbcryptFile } from '../helpers/layer-writers.js';

export type KeyName = 'AES128' | 'AES192' | 'AES256';

/** A sound archive. */
export interface Seed {
  name: string;
  bytes: Buffer;
  key: KeyName;
}

const SAMPLES = new URL('../../samples/', import.meta.url);
const REPORTS = new URL('../fixtures/reports/', import.meta.url);
/** Small enough for a pipe to hold it. */
const PART_BYTES = 48 * 1024;
const GENERATED = 400;

export class Corpus {
  readonly #seeds: readonly Seed[];
  readonly #parts = new Map<string, Map<string, WalkedChunk[]>>();

  private constructor(seeds: readonly Seed[]) {
    this.#seeds = seeds;
  }

  static async load(seed: number): Promise<Corpus> {
    const packed = await packedFiles();
    return new Corpus([...fixtures(), ...reports(), ...generated(seed), ...packed]);
  }

  /** A sound archive, or some files of one. */
  pick(dice: Dice): Seed {
    const seed = dice.pick(this.#seeds);
    return seed.bytes.length <= PART_BYTES ? seed : this.#part(seed, dice);
  }

  #part(seed: Seed, dice: Dice): Seed {
    const byPath = this.#chunksOf(seed);
    const names = [...byPath.keys()];
    const wanted = new Set<WalkedChunk>();
    let left = PART_BYTES;
    for (let tries = 1 + dice.below(12); tries > 0; tries -= 1) {
      const chunks = byPath.get(dice.pick(names))!;
      const size = chunks.reduce((sum, { start, end }) => sum + end - start, 0);
      if (size > left || wanted.has(chunks[0]!)) continue;
      left -= size;
      for (const chunk of chunks) wanted.add(chunk);
    }
    const inOrder = [...wanted].sort((a, b) => a.start - b.start);
    const bytes = Buffer.concat(inOrder.map(({ start, end }) => seed.bytes.subarray(start, end)));
    return { ...seed, bytes };
  }

  /** Chunks of each file of a fixture; a rename belongs to both names. */
  #chunksOf({ name, bytes }: Seed): Map<string, WalkedChunk[]> {
    const known = this.#parts.get(name);
    if (known !== undefined) return known;
    const byPath = new Map<string, WalkedChunk[]>();
    for (const chunk of walkChunks(bytes)) {
      const list = byPath.get(chunk.path) ?? [];
      list.push(chunk);
      byPath.set(chunk.path, list);
    }
    this.#parts.set(name, byPath);
    return byPath;
  }
}

function fixtures(): Seed[] {
  const samples = fs.readdirSync(SAMPLES).filter((name) => name.includes('.xbstream'));
  return [
    ...FIXTURE_NAMES.map((name) => ({ name, bytes: fixture(name).bytes })),
    ...samples.map((name) => ({ name, bytes: unzipped(new URL(name, SAMPLES)) })),
  ].map((seed) => ({ ...seed, key: keyOf(seed.name) }));
}

function unzipped(url: URL): Buffer {
  const bytes = fs.readFileSync(url);
  return url.pathname.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}

function keyOf(name: string): KeyName {
  return (['AES128', 'AES192'] as const).find((key) => name.includes(key)) ?? 'AES256';
}

/** What people sent; some of them are damaged, and go as they are. */
function reports(): Seed[] {
  return fs
    .readdirSync(REPORTS)
    .map((name) => ({ name, bytes: fs.readFileSync(new URL(name, REPORTS)), key: 'AES256' as const }))
    .filter(({ bytes }) => bytes.length <= PART_BYTES);
}

function generated(seed: number): Seed[] {
  const plans = fc.sample(plannedArchive, { seed, numRuns: GENERATED }).map(({ bytes }) => bytes);
  const corrected = fc.sample(endedSteps, { seed, numRuns: GENERATED / 4 }).map(archiveOf);
  return [...plans, ...corrected]
    .filter(({ length }) => length > 0)
    .map((bytes, index) => ({ name: `random ${index}`, bytes, key: 'AES256' as const }));
}

/** Files of each kind of layer, in several frames. */
async function packedFiles(): Promise<Seed[]> {
  const key = FIXTURE_KEYS['AES256']!;
  const seeds: Seed[] = [];
  for (let index = 0; index < 60; index += 1) {
    const content = contentOf(index);
    for (const [suffix, bytes] of await packings(content)) {
      const version = ([1, 2, 3] as const)[index % 3]!;
      const locked = xbcryptFile(bytes, key, { version, chunkBytes: [100, 1000, 65536][index % 3]! });
      const chunkBytes = [50, 700, 10_000][index % 3]!;
      seeds.push(
        { name: `packed ${index}`, bytes: file(`db/t${index}.ibd${suffix}`, bytes, chunkBytes), key: 'AES256' },
        {
          name: `locked ${index}`,
          bytes: file(`db/t${index}.ibd${suffix}.xbcrypt`, locked, chunkBytes),
          key: 'AES256',
        },
      );
    }
  }
  return seeds;
}

/** Something that can be compressed, and something that cannot. */
function contentOf(index: number): Buffer {
  const random = noise((index * 37) % 900, index + 1);
  const text = Buffer.from(`row ${index} of the table, `.repeat((index * 7) % 60));
  return Buffer.concat([text, random, Buffer.alloc((index * 131) % 2000), text]);
}

export async function packings(content: Buffer): Promise<(readonly [suffix: string, bytes: Buffer])[]> {
  const half = content.length >> 1;
  const halves = [content.subarray(0, half), content.subarray(half)];
  const frames = await Promise.all(halves.map((part) => zstd.compress(part, 1)));
  return [
    ['', content],
    ['.qp', qpressFile(content, 300)],
    ['.lz4', Buffer.concat(halves.map((part) => compressFrameSync(part)))],
    ['.zst', Buffer.concat(frames)],
  ];
}
