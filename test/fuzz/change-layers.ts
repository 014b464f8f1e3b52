/** Changes what was done to files, while all that the archive says of them holds. */
import { file, noise } from '../helpers/archive-bytes.js';
import type { Dice } from '../helpers/damaged-archives.js';
import { FIXTURE_KEYS } from '../helpers/decode.js';
import { xbcryptFile } from '../helpers/layer-writers.js';
import { packings } from './corpus.js';
import { damage, type Tools } from './damage.js';
import { piecesOf, type Piece } from './pieces.js';

/** Takes all content of a file that is sent in order. @returns undefined where there is none of it, or it has corrections */
function wholeFile(pieces: readonly Piece[], path: string): Buffer | undefined {
  const own = pieces.filter((piece) => piece.path === path && piece.raw === undefined);
  const isPlain = own.every(({ type }) => type === 'P' || type === 'E');
  return isPlain && own.length > 1 ? Buffer.concat(own.map((piece) => piece.payload)) : undefined;
}

/** The pieces with a file under another name, with other content. */
function withFile(pieces: readonly Piece[], path: string, newPath: string, bytes: Buffer, dice: Dice): Piece[] {
  const first = pieces.findIndex((piece) => piece.path === path);
  const chunkBytes = dice.pick([bytes.length + 1, 1 + dice.below(100), 1000, 4096]);
  const kept = pieces.filter((piece) => piece.path !== path);
  return [...kept.slice(0, first), ...piecesOf(file(newPath, bytes, chunkBytes)), ...kept.slice(first)];
}

/** Something is wrong inside of a file, and all checksums of the archive hold. */
export function changesLayer(pieces: Piece[], tools: Tools): Piece[] {
  const { dice, story, seed } = tools;
  const layered = pieces.map(({ path }) => path).filter((path) => /\.(qp|lz4|zst|xbcrypt)$/.test(path));
  if (layered.length === 0) return pieces;
  const path = dice.pick(layered);
  const found = wholeFile(pieces, path);
  if (found === undefined) return pieces;
  const key = FIXTURE_KEYS[seed.key]!;
  const change = dice.pick([
    () => damage(found, tools),
    () => damage(found, tools),
    () => Buffer.concat([found, found]),
    () => Buffer.concat([Buffer.from('502a4d1803000000616263', 'hex'), found]),
    () => Buffer.concat([found, Buffer.from('502a4d1803000000616263', 'hex')]),
    () => Buffer.concat([found, noise(1 + dice.below(20))]),
    () => found.subarray(0, dice.below(found.length + 1)),
    () => Buffer.alloc(0),
    () => (path.endsWith('.xbcrypt') ? xbcryptFile(damage(found, tools), key) : found),
  ]);
  story.push(`in ${path}`);
  return withFile(pieces, path, path, change(), dice);
}

/** A file gets a layer more, under its right name or another's. */
export async function packs(pieces: Piece[], tools: Tools): Promise<Piece[]> {
  const { dice, seed } = tools;
  if (pieces.length === 0) return pieces;
  const { path } = dice.pick(pieces);
  const found = wholeFile(pieces, path);
  if (found === undefined) return pieces;
  let [suffix, bytes] = dice.pick(await packings(found));
  if (dice.below(2) === 0) {
    suffix += '.xbcrypt';
    bytes = xbcryptFile(bytes, FIXTURE_KEYS[seed.key]!, {
      version: dice.pick([1, 2, 3]),
      chunkBytes: dice.pick([10, 4096]),
    });
  }
  if (dice.below(4) === 0) bytes = damage(bytes, tools);
  if (dice.below(8) === 0) suffix = dice.pick(['.qp', '.zst', '.lz4', '.qp.xbcrypt', '.xbcrypt.qp', '']);
  return withFile(pieces, path, path + suffix, bytes, dice);
}
