/** Archives with damages of which it is known what they cost. */
import { crc32 } from 'node:zlib';
import { end, noise, payload } from './archive-bytes.js';
import { walkChunks, type WalkedChunk } from './chunk-walk.js';

/** Numbers that look random, the same for the same seed. */
export class Dice {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(seed: number) {
    this.#bytes = noise(64 * 1024, seed);
  }

  below(limit: number): number {
    this.#at = (this.#at + 4) % (this.#bytes.length - 4);
    return this.#bytes.readUInt32LE(this.#at) % limit;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }
}

export interface DamagedArchive {
  bytes: Buffer;
  /** The files it held before it was damaged. */
  files: Map<string, Buffer>;
  /** Files that lost something. None of them may get its final name. */
  damaged: Set<string>;
  /** Files of which a damaged header tells, though it was another's; or whose damage changes nothing. Whole, or nothing. */
  doubtful: Set<string>;
  /** What was done, for messages. */
  story: string[];
}

/** What may befall an archive. */
type DamageKind =
  /** A bit of a header, of the length of its path, of its path. */
  | 'header'
  | 'path length'
  | 'path'
  /** A bit of what a file holds. */
  | 'payload'
  /** Lines of a log between two chunks: some, or megabytes. */
  | 'text'
  | 'long text'
  /** Bytes anywhere: more of them, others, fewer. */
  | 'inserted'
  | 'overwritten'
  | 'left out'
  /** It ends too early, or another follows it. */
  | 'cut'
  | 'join';

/** How large a damaged archive is, and what befalls it. */
export interface DamageShape {
  files: number;
  /** What occurs more than once is likelier. */
  kinds: readonly DamageKind[];
  damagesMax: number;
}

export const FEW_FILES: DamageShape = {
  files: 40,
  kinds: ['header', 'header', 'path length', 'path', 'text', 'cut', 'join'],
  damagesMax: 3,
};
export const MANY_FILES: DamageShape = {
  files: 200,
  kinds: [
    ...(['header', 'header', 'path length', 'path length', 'path', 'payload', 'text', 'long text'] as const),
    ...(['inserted', 'overwritten', 'left out', 'cut', 'join'] as const),
  ],
  damagesMax: 5,
};
const INFO = 'xtrabackup_info';
const MAGIC = 'XBSTCK01';

/** Many files, some of them empty, whose chunks interleave. */
function soundArchive(dice: Dice, salt: number, count: number): { bytes: Buffer; files: Map<string, Buffer> } {
  const files = new Map<string, Buffer>();
  const waiting: Buffer[][] = [];
  for (let index = 0; index < count; index += 1) {
    const path = dice.pick([`d/f${10 + index}.ibd`, `mysql/t${index}.frm`, `db${index % 3}/table_${index}.MYD`]);
    const content = noise(dice.below(4) === 0 ? 0 : 1 + dice.below(dice.pick([30, 300, 3000])), salt + index);
    const chunkBytes = dice.pick([10, 64, 256, 5000]);
    const chunks: Buffer[] = [];
    for (let at = 0; at < content.length; at += chunkBytes) {
      chunks.push(payload(path, at, content.subarray(at, at + chunkBytes)));
    }
    files.set(path, content);
    waiting.push([...chunks, end(path)]);
  }
  const parts: Buffer[] = [];
  const open: Buffer[][] = [];
  while (waiting.length + open.length > 0) {
    if (open.length < 5 && waiting.length > 0) open.push(waiting.shift()!);
    const from = dice.below(open.length);
    parts.push(open[from]!.shift()!);
    if (open[from]!.length === 0) open.splice(from, 1);
  }
  const info = Buffer.from(`tool_name = xtrabackup\nuuid = ${salt}\n`);
  files.set(INFO, info);
  return { bytes: Buffer.concat([...parts, payload(INFO, 0, info), end(INFO)]), files };
}

const LOG = '[00] 2026-11-29 07:25:10 >> log scanned up to (123)\n';

/** Bytes of the sound archive that become others. */
interface Edit {
  at: number;
  removed: number;
  added: Buffer;
}

/** An archive that was damaged at some places. */
export function damagedArchive(seed: number, shape = FEW_FILES): DamagedArchive {
  const dice = new Dice(seed + 1);
  const { bytes: sound, files } = soundArchive(dice, seed * 1000, shape.files);
  const bytes = Buffer.from(sound);
  const story: string[] = [];
  const found: DamagedArchive = { bytes, files, damaged: new Set(), doubtful: new Set(), story };
  const chunks = walkChunks(sound);
  const kinds = Array.from({ length: 1 + dice.below(shape.damagesMax) }, () => dice.pick(shape.kinds));
  const edits: Edit[] = [];
  let at = dice.below(8);
  for (const kind of kinds) {
    // Not side by side: what one header cannot tell, the next one does.
    at += 4 + dice.below(Math.floor(chunks.length / (shape.damagesMax + 1)));
    const chunk = chunks[at];
    if (chunk === undefined) break;
    if (kind === 'cut' || kind === 'join') continue;
    if (kind === 'header' || kind === 'path length' || kind === 'path') flip(found, chunk, dice, kind);
    else if (kind === 'payload') flipPayload(found, chunk, dice);
    else if (kind === 'text' || kind === 'long text') edits.push(insertText(found, chunk, dice, kind));
    else {
      const edit = changeBytes(found, chunk, dice, kind);
      // Nobody can tell that it ever was another.
      if (isSound(edited(bytes, [edit]).subarray(chunk.start), chunk.path)) {
        story.pop();
        continue;
      }
      edits.push(edit);
      noteCost(found, chunks, edit);
      // All that was in the content is there still, as its checksum shows.
      if (kind !== 'inserted' || edit.at < chunk.payloadStart) noteDoubt(found, chunks, edit);
      // The chunks that it reaches into.
      while (chunks[at + 1] !== undefined && chunks[at + 1]!.start < edit.at + edit.removed) at += 1;
    }
  }
  if (!kinds.includes('join') && kinds.includes('cut')) {
    const last = edits.at(-1);
    const from = Math.max(1, last === undefined ? 1 : last.at + last.removed);
    const length = from + dice.below(sound.length - from);
    for (const { path, end: chunkEnd } of chunks) if (chunkEnd > length) found.damaged.add(path);
    edits.push({ at: length, removed: sound.length - length, added: Buffer.alloc(0) });
    found.story.push(`cut at ${length}`);
  }
  found.bytes = edited(bytes, edits);
  if (kinds.includes('join')) {
    const second = soundArchive(new Dice(seed + 1), seed * 1000 + 500, shape.files);
    found.bytes = Buffer.concat([found.bytes, second.bytes]);
    found.story.push('a second archive');
  }
  noteLikeNames(found, chunks);
  return found;
}

function edited(bytes: Buffer, edits: readonly Edit[]): Buffer {
  const parts: Buffer[] = [];
  let from = 0;
  for (const { at, removed, added } of edits) {
    parts.push(bytes.subarray(from, at), added);
    from = at + removed;
  }
  return Buffer.concat([...parts, bytes.subarray(from)]);
}

function insertText({ story }: DamagedArchive, { start }: WalkedChunk, dice: Dice, kind: 'text' | 'long text'): Edit {
  const lines = kind === 'text' ? 1 + dice.below(3) : 20_000 + dice.below(40_000);
  story.push(`${lines} lines of text at ${start}`);
  return { at: start, removed: 0, added: Buffer.from(LOG.repeat(lines)) };
}

type ByteKind = 'inserted' | 'overwritten' | 'left out';

/** Bytes within a chunk, or from there into others: as a disk, or a network, loses them. */
function changeBytes({ bytes, story }: DamagedArchive, chunk: WalkedChunk, dice: Dice, kind: ByteKind): Edit {
  let at = dice.below(3) === 0 ? chunk.start : chunk.start + dice.below(chunk.end - chunk.start);
  // Its flags say nothing of what it holds.
  if (at === chunk.start + 8) at += 1;
  const length = 1 + dice.below(dice.pick([4, 100, 2000]));
  story.push(`${length} bytes ${kind} at ${at}, in a chunk of ${chunk.path}`);
  const added = dice.below(2) === 0 ? Buffer.alloc(length) : noise(length, at);
  if (kind === 'inserted') return { at, removed: 0, added };
  if (bytes.subarray(at, at + length).equals(added)) added[0]! ^= 1;
  return { at, removed: length, added: kind === 'overwritten' ? added : Buffer.alloc(0) };
}

/** Whether bytes begin with a sound chunk that is not the one that stood there, and the next one follows. */
function isSound(bytes: Buffer, path: string): boolean {
  const isMagic = (at: number): boolean => bytes.toString('latin1', at, at + MAGIC.length) === MAGIC;
  const pathEnd = 14 + bytes.readUInt32LE(10);
  const start = pathEnd + 20;
  if (!isMagic(0) || start > bytes.length) return false;
  const type = String.fromCharCode(bytes[9]!);
  if (type === 'E') return isMagic(pathEnd) && bytes.toString('latin1', 14, pathEnd) !== path;
  const next = start + Number(bytes.readBigUInt64LE(pathEnd));
  return type === 'P' && isMagic(next) && crc32(bytes.subarray(start, next)) === bytes.readUInt32LE(start - 4);
}

/** The files whose bytes are others. */
function noteCost({ bytes, damaged, doubtful }: DamagedArchive, chunks: readonly WalkedChunk[], edit: Edit): void {
  const { at, removed, added } = edit;
  // What is left out may as well have been some bytes further on, if these are the same.
  let same = 0;
  while (removed > 0 && added.length === 0 && bytes[at + same] === bytes[at + removed + same]) same += 1;
  for (const { path, start, end: chunkEnd } of chunks) {
    const isHit = (from: number): boolean =>
      removed === 0 ? start < from && from < chunkEnd : start < from + removed && from < chunkEnd;
    const isSurely = isHit(at) && isHit(at + same);
    if (isSurely) damaged.add(path);
    else if (isHit(at) || isHit(at + same)) doubtful.add(path);
  }
}

/** Which files may have lost something where bytes cannot be read. */
function noteDoubt({ files, doubtful }: DamagedArchive, chunks: readonly WalkedChunk[], { at }: Edit): void {
  // The last part of a file that ends right behind it may have stood there, whatever it was: nothing tells. And what stands behind
  // an end chunk, and does not begin as a chunk does, may be the rest of its name.
  const open = new Set<string>();
  const seen = new Set<string>();
  for (const { path, type, start, end: chunkEnd } of chunks) {
    if (chunkEnd <= at && at < chunkEnd + 4 && type === 'E') doubtful.add(path);
    if (start < at) open.add(path);
    else if (!seen.has(path)) {
      seen.add(path);
      if (type === 'E' && (open.has(path) || files.get(path)!.length === 0)) doubtful.add(path);
    }
  }
}

function flipPayload({ bytes, damaged, story }: DamagedArchive, chunk: WalkedChunk, dice: Dice): void {
  const { path, payloadStart, end: chunkEnd } = chunk;
  if (payloadStart === chunkEnd) return;
  const place = payloadStart + dice.below(chunkEnd - payloadStart);
  bytes[place]! ^= 1 << dice.below(8);
  damaged.add(path);
  story.push(`a bit of the content of ${path} at ${place}`);
}

/** Names that damage may have made of each other. */
function noteLikeNames({ files, damaged, doubtful }: DamagedArchive, chunks: readonly WalkedChunk[]): void {
  // What remains of a damaged file may look like the end of an empty one of a similar name.
  for (const [path, content] of files) {
    const isLike = (other: string): boolean => isOneByteAway(path, other) || isLeftOf(path, other);
    if (content.length === 0 && [...damaged].some(isLike)) doubtful.add(path);
  }
  // And what comes after its damaged chunk like the rest of one that ends there.
  for (const { path, fileOffset } of chunks) {
    if (fileOffset === 0 || !damaged.has(path)) continue;
    for (const [other, content] of files) {
      if (content.length === fileOffset && isOneByteAway(path, other)) doubtful.add(other);
    }
  }
}

/** Whether a name is another one of which bytes in a row are missing. */
function isLeftOf(path: string, longer: string): boolean {
  if (path.length >= longer.length) return false;
  let same = 0;
  while (same < path.length && path[same] === longer[same]) same += 1;
  return longer.endsWith(path.slice(same));
}

function isOneByteAway(a: string, b: string): boolean {
  const [bytes, others] = [Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1')];
  return bytes.length === others.length && bytes.filter((byte, at) => byte !== others[at]).length === 1;
}

function flip(found: DamagedArchive, chunk: WalkedChunk, dice: Dice, kind: 'header' | 'path length' | 'path'): void {
  const { bytes, files, damaged, doubtful, story } = found;
  const { start, path, headerEnd, type } = chunk;
  const places = {
    header: headerEnd - start,
    'path length': 4,
    path: path.length,
  };
  const first = { header: 0, 'path length': 10, path: 14 };
  const place = start + first[kind] + dice.below(places[kind]);
  const bit = dice.below(8);
  const isFlag = place === start + 8;
  const changed = Buffer.from(bytes.subarray(start, headerEnd));
  changed[place - start]! ^= 1 << bit;
  const newPath = changed.toString('latin1', 14, 14 + path.length);
  // An empty file that gets another's content is a sound archive: nobody can tell.
  if (files.get(newPath)?.length === 0 && newPath !== path) return;
  // Nor whether an empty file was to be removed.
  if (type === 'E' && changed[9] === 'D'.charCodeAt(0)) return;
  // Nor what an empty file was called.
  if (type === 'E' && newPath !== path && files.get(path)!.length === 0) return;
  bytes[place]! ^= 1 << bit;
  story.push(`${type} of ${path} at ${start}: bit ${bit} of byte ${place - start} (${JSON.stringify(newPath)})`);
  if (isFlag) doubtful.add(path);
  else damaged.add(path);
  if (newPath === path) return;
  // It may have been a chunk of each file that the name in it is like.
  for (const other of files.keys()) {
    if (other !== path && (other === newPath || isOneByteAway(other, newPath))) doubtful.add(other);
  }
}
