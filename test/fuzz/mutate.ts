/** Changes archives by their grammar: their chunks, what stands in headers, maps, paths, corrections, and the layers of files. */
import * as zlib from 'node:zlib';
import { end, file, noise, payload, remove, rename, rewriting, seek, type MapPair } from '../helpers/archive-bytes.js';
import type { Dice } from '../helpers/damaged-archives.js';
import { qpressFile } from '../helpers/layer-writers.js';
import { changesLayer, packs } from './change-layers.js';
import type { Corpus, KeyName } from './corpus.js';
import { anyNumber, damaged, type Damaged, type Tools } from './damage.js';
import { wrap, type Wrapped } from './wrap.js';
import { bytesOf, pieceOf, piecesOf, rawPiece, type Piece } from './pieces.js';

/** An archive before it was damaged. */
export interface Original {
  bytes: Buffer;
  /** What was done to it, and at which of its bytes. */
  kind: Damaged['kind'];
  at: number;
}

export interface Case {
  bytes: Buffer;
  /** What it is wrapped in as a whole. */
  wrapped: Wrapped | undefined;
  key: KeyName;
  /** The archive before it was damaged, where it was sound and nothing else was done to it. */
  original: Original | undefined;
  /** What it was made of, and what was done to it. */
  story: readonly string[];
}

/** Where a command line or a target could be left by. @param escape an absolute directory that must not come to be */
const PATHS = (escape: string): readonly string[] => [
  '../escaped',
  'd/../../escaped',
  `${escape}/file`,
  '/',
  '',
  '.',
  '..',
  './a',
  'a//b',
  'd/./e',
  'a/',
  'a/.',
  'a',
  'a/b',
  'a/b/c',
  'nul\0byte',
  '.a.partial',
  '.a.1.partial',
  '.qp',
  'd/.zst',
  'caf\xe9',
  '\xff\xfe',
  'new\nline',
  '\x1b[31mred',
  '-rf',
  'x'.repeat(255),
  'x'.repeat(256),
  `${'y'.repeat(200)}/${'z'.repeat(200)}`,
  'x'.repeat(511),
  'x'.repeat(512),
  'xtrabackup_info',
  'mariadb_backup_info.zst',
  'db/t.ibd.qp.zst',
  'db/t.ibd.xbcrypt.xbcrypt',
];

/** To undo a wrapper takes a thread, and that time. */
const WRAPPED_EVERY = 12;

/** A case: a sound archive with some changes. */
export async function makeCase(corpus: Corpus, dice: Dice, escape: string): Promise<Case> {
  const seed = corpus.pick(dice);
  const story = [`${seed.name} (${seed.bytes.length} bytes)`];
  const tools: Tools = { corpus, dice, escape, seed, story };
  let pieces = piecesOf(seed.bytes);
  // Some stay as they are.
  for (let count = dice.pick([0, 1, 1, 1, 1, 2, 2, 3, 5]); count > 0; count -= 1) {
    const change = dice.pick(CHANGES);
    story.push(change.name);
    pieces = await change(pieces, tools);
  }
  const sound = Buffer.concat(pieces.map(bytesOf));
  const isDamaged = dice.below(4) === 0;
  const isAll = isDamaged && story.length === 1;
  const { bytes, ...what } = isDamaged
    ? damaged(sound, tools)
    : { bytes: sound, kind: 'cut' as const, at: sound.length };
  const wrapped = dice.below(WRAPPED_EVERY) === 0 ? wrap(bytes, tools) : undefined;
  return { bytes, wrapped, key: seed.key, original: isAll ? { bytes: sound, ...what } : undefined, story };
}

type Change = (pieces: Piece[], tools: Tools) => Piece[] | Promise<Piece[]>;

/** The same pieces with one of them, chosen by the dice, replaced. */
function replaced(pieces: Piece[], { dice }: Tools, by: (piece: Piece) => readonly Piece[]): Piece[] {
  if (pieces.length === 0) return pieces;
  const at = dice.below(pieces.length);
  return [...pieces.slice(0, at), ...by(pieces[at]!), ...pieces.slice(at + 1)];
}

function inserted(pieces: Piece[], { dice }: Tools, ...more: readonly Piece[]): Piece[] {
  const at = dice.below(pieces.length + 1);
  return [...pieces.slice(0, at), ...more, ...pieces.slice(at)];
}

function anyPath(pieces: readonly Piece[], { dice, escape }: Tools): string {
  const known = pieces.map(({ path }) => path);
  return known.length > 0 && dice.below(3) > 0 ? dice.pick(known) : dice.pick(PATHS(escape));
}

const content = (dice: Dice): Buffer => noise(dice.pick([0, 1, 10, 300, 5000]), 1 + dice.below(1000));

const CHANGES: readonly Change[] = [
  function leavesOut(pieces, tools) {
    return replaced(pieces, tools, () => []);
  },
  function doubles(pieces, tools) {
    return replaced(pieces, tools, (piece) => [piece, piece]);
  },
  function moves(pieces, tools) {
    if (pieces.length === 0) return pieces;
    const at = tools.dice.below(pieces.length);
    return inserted([...pieces.slice(0, at), ...pieces.slice(at + 1)], tools, pieces[at]!);
  },
  function splits(pieces, tools) {
    return replaced(pieces, tools, (piece) => {
      if (piece.type !== 'P' || piece.payload.length === 0) return [piece];
      const at = tools.dice.below(piece.payload.length + 1);
      const rest = { ...piece, fileOffset: piece.fileOffset + BigInt(at), payload: piece.payload.subarray(at) };
      const halves = [{ ...piece, payload: piece.payload.subarray(0, at) }, rest];
      return tools.dice.below(4) === 0 ? halves.reverse() : halves;
    });
  },
  function makesSparse(pieces, tools) {
    return replaced(pieces, tools, (piece) => {
      if (piece.type !== 'P') return [piece];
      const map: MapPair[] = [];
      let left = piece.payload.length;
      while (left > 0 && map.length < 20) {
        const length = map.length === 19 ? left : tools.dice.below(left + 1);
        map.push([tools.dice.pick([0, 0, 1, 511, 4096, 16_384, 100_000]), length]);
        left -= length;
      }
      if (tools.dice.below(3) === 0) map.push([tools.dice.pick([0, 1, 4096, 70_000, 0xffff_ffff]), 0]);
      return [{ ...piece, type: 'S', map }];
    });
  },
  function changesMap(pieces, tools) {
    return replaced(pieces, tools, (piece) => {
      const map = piece.map.map(([skip, length]) => [skip, length] as const);
      if (map.length === 0) return [{ ...piece, map: [[Number(anyNumber(0n, tools) & 0xffff_ffffn), 0]] }];
      const at = tools.dice.below(map.length);
      const [skip, length] = map[at]!;
      const other = (number: number): number => Number(anyNumber(BigInt(number), tools) & 0xffff_ffffn);
      map[at] = tools.dice.below(2) === 0 ? [other(skip), length] : [skip, other(length)];
      return [{ ...piece, map }];
    });
  },
  function liesAboutSizes(pieces, tools) {
    return replaced(pieces, tools, (piece) => {
      const twist = { ...piece.twist };
      if (tools.dice.below(2) === 0) twist.payloadBytes = anyNumber(BigInt(piece.payload.length), tools);
      else twist.mapEntries = Number(anyNumber(BigInt(piece.map.length), tools) & 0xffff_ffffn);
      return [{ ...piece, twist }];
    });
  },
  function changesOffset(pieces, tools) {
    return replaced(pieces, tools, (piece) => [{ ...piece, fileOffset: anyNumber(piece.fileOffset, tools) }]);
  },
  function changesFlags(pieces, tools) {
    return replaced(pieces, tools, (piece) => [
      { ...piece, twist: { ...piece.twist, flags: tools.dice.pick([0, 1, 2, 3, 4, 128, 255]) } },
    ]);
  },
  function changesType(pieces, tools) {
    return replaced(pieces, tools, (piece) => [
      {
        ...piece,
        newPath: anyPath(pieces, tools),
        type: tools.dice.pick(['P', 'S', 'E', 'D', 'R', 'seek', 'X', 'p', '\0']),
      },
    ]);
  },
  function changesPath(pieces, tools) {
    return replaced(pieces, tools, (piece) => [{ ...piece, path: anyPath(pieces, tools) }]);
  },
  function renamesFile(pieces, tools) {
    if (pieces.length === 0) return pieces;
    const { path } = tools.dice.pick(pieces);
    const other = tools.dice.pick([anyPath(pieces, tools), `${path}.qp`, `${path}/x`, path.replace(/\.\w+$/, '')]);
    return pieces.map((piece) => (piece.path === path ? { ...piece, path: other } : piece));
  },
  function breaksChecksum(pieces, tools) {
    return replaced(pieces, tools, (piece) => [
      { ...piece, twist: { ...piece.twist, crc: tools.dice.below(2 ** 32) } },
    ]);
  },
  function changesContent(pieces, tools) {
    return replaced(pieces, tools, (piece) => {
      const bytes = Buffer.from(piece.payload);
      if (bytes.length > 0) bytes[tools.dice.below(bytes.length)]! ^= 1 << tools.dice.below(8);
      return [{ ...piece, payload: bytes }];
    });
  },
  function corrects(pieces, tools) {
    const { dice } = tools;
    const path = anyPath(pieces, tools);
    const chosen = dice.pick([
      () => [remove(path)],
      () => [rename(path, anyPath(pieces, tools))],
      () => [rewriting(path, content(dice)), end(path)],
      () => [rewriting(path, content(dice))],
      () => [end(path)],
      () => [seek(path, anyNumber(0n, tools))],
      () => [payload(path, 0, content(dice))],
      () => [payload(path, anyNumber(0n, tools), Buffer.alloc(0))],
      () => [file(path, content(dice), 100)],
    ]);
    return inserted(pieces, tools, ...chosen().flatMap((bytes) => piecesOf(bytes)));
  },
  function insertsForeignChunks(pieces, tools) {
    const { dice } = tools;
    const flags = dice.pick([0, 1, 1, 3]);
    return inserted(
      pieces,
      tools,
      pieceOf({ type: dice.pick(['X', 'Z', 'p']), payload: content(dice), twist: { flags } }),
    );
  },
  function insertsText(pieces, tools) {
    const text = dicePick(tools.dice, [
      '[00] 2026-11-29 07:25:10 >> log scanned up to (123)\n',
      '\n',
      'XBSTCK01',
      '\0'.repeat(600),
    ]);
    return inserted(pieces, tools, rawPiece(Buffer.from(text, 'latin1')));
  },
  function joins(pieces, tools) {
    const other = tools.dice.below(3) === 0 ? tools.seed : tools.corpus.pick(tools.dice);
    return [...pieces, ...piecesOf(other.bytes)];
  },
  function interleaves(pieces, tools) {
    const queues = [[...pieces], piecesOf(tools.corpus.pick(tools.dice).bytes)];
    const mixed: Piece[] = [];
    while (queues.some(({ length }) => length > 0)) {
      const queue = queues[tools.dice.below(2)]!;
      if (queue.length > 0) mixed.push(queue.shift()!);
    }
    return mixed;
  },
  changesLayer,
  changesLayer,
  packs,
  function wraps(pieces, { dice }) {
    const bytes = Buffer.concat(pieces.map(bytesOf));
    return [
      rawPiece(
        dice.pick([() => zlib.gzipSync(bytes), () => qpressFile(bytes), () => zlib.brotliCompressSync(bytes)])(),
      ),
    ];
  },
];

function dicePick<Item>(dice: Dice, items: readonly Item[]): Item {
  return dice.pick(items);
}
