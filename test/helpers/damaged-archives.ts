/** Archives with damages of which it is known what they cost. */
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

const FILES = 40;
const INFO = 'xtrabackup_info';

/** Many files, some of them empty, whose chunks interleave. */
function soundArchive(dice: Dice, salt: number): { bytes: Buffer; files: Map<string, Buffer> } {
  const files = new Map<string, Buffer>();
  const waiting: Buffer[][] = [];
  for (let index = 0; index < FILES; index += 1) {
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

/** An archive that was damaged at some places: bits in headers, text among chunks, a second archive, a cut. */
export function damagedArchive(seed: number): DamagedArchive {
  const dice = new Dice(seed + 1);
  const { bytes: sound, files } = soundArchive(dice, seed * 1000);
  const bytes = Buffer.from(sound);
  const found: DamagedArchive = { bytes, files, damaged: new Set(), doubtful: new Set(), story: [] };
  const chunks = walkChunks(sound);
  const kinds = Array.from({ length: 1 + dice.below(3) }, () =>
    dice.pick(['header', 'header', 'path length', 'path', 'text', 'cut', 'join'] as const),
  );
  const inserted: number[] = [];
  let at = dice.below(8);
  for (const kind of kinds) {
    // Not side by side: what one header cannot tell, the next one does.
    at += 4 + dice.below(Math.floor(chunks.length / 4));
    const chunk = chunks[at];
    if (chunk === undefined) break;
    if (kind === 'text') {
      inserted.push(chunk.start);
      found.story.push(`text at ${chunk.start}`);
    } else if (kind !== 'cut' && kind !== 'join') {
      flip(found, chunk, dice, kind);
    }
  }
  let text = Buffer.alloc(0);
  let from = 0;
  for (const place of inserted) {
    text = Buffer.concat([text, found.bytes.subarray(from, place), Buffer.from(LOG.repeat(1 + dice.below(3)))]);
    from = place;
  }
  found.bytes = Buffer.concat([text, found.bytes.subarray(from)]);
  if (kinds.includes('join')) {
    found.bytes = Buffer.concat([found.bytes, soundArchive(new Dice(seed + 1), seed * 1000 + 500).bytes]);
    found.story.push('a second archive');
  } else if (kinds.includes('cut') && inserted.length === 0) {
    const length = 1 + dice.below(found.bytes.length - 1);
    for (const { path, end: chunkEnd } of chunks) if (chunkEnd > length) found.damaged.add(path);
    found.bytes = found.bytes.subarray(0, length);
    found.story.push(`cut at ${length}`);
  }
  // What remains of a damaged file may look like the end of an empty one of a similar name.
  for (const [path, content] of files) {
    if (content.length === 0 && [...found.damaged].some((other) => isOneBitAway(path, other))) found.doubtful.add(path);
  }
  // And what comes after its damaged chunk like the rest of one that ends there.
  for (const { path, fileOffset } of chunks) {
    if (fileOffset === 0 || !found.damaged.has(path)) continue;
    for (const [other, content] of files) {
      if (content.length === fileOffset && isOneBitAway(path, other)) found.doubtful.add(other);
    }
  }
  return found;
}

function isOneBitAway(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  const bits = Array.from({ length: a.length }, (_, at) => a.charCodeAt(at) ^ b.charCodeAt(at)).filter(
    (bit) => bit !== 0,
  );
  return bits.length === 1 && (bits[0]! & (bits[0]! - 1)) === 0;
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
    if (other !== path && (other === newPath || isOneBitAway(other, newPath))) doubtful.add(other);
  }
}
