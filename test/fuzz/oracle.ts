/**
 * A second reader of archives, written from src/format.md alone, with no code of the program: slow, in memory, and as plain as
 * can be. What it says of an archive is what the program is held against.
 */
import { crc32 } from 'node:zlib';

/** What a damage may be told as: the exit code. */
export type ExitClass = 1 | 3 | 4 | 5;

export interface Damage {
  classes: ReadonlySet<ExitClass>;
  why: string;
}

/** The content of a file: what stands where, and zeros between. */
export interface Content {
  sizeBytes: number;
  parts: readonly { at: number; bytes: Buffer }[];
  /** Whether the parts came in rising order, as a reader wants them that goes through them once. */
  isInOrder: boolean;
}

export interface Reading {
  /** Undefined where the archive is whole. */
  damage: Damage | undefined;
  /** By plain stored name. Of a damaged archive: what was whole before the damage, and is no end chunk alone. */
  files: ReadonlyMap<string, Content>;
  /** A file that is left has content whose checksum does not hold. */
  holdsBad: boolean;
  /** Sizes of the files by their headers, whatever their content is. */
  sizes: ReadonlyMap<string, number>;
  /** Names that were whole at some time before the damage, with all that they held then. */
  everWhole: ReadonlyMap<string, readonly Content[]>;
  /** A correction is about a directory, or a name that no file system has: a target refuses that, and an index need not. */
  correctsNoFile: boolean;
  /** A correction is about names of which decoding makes none, or those of other layers. */
  renamesLayers: boolean;
  /** Removals, renames, and files that came again or are empty now. */
  corrections: number;
}

interface Growing {
  parts: { at: number; bytes: Buffer }[];
  /** Parts and holes that came, as ranges. */
  ranges: [from: number, to: number][];
  sizeBytes: number;
  positionBytes: number;
  isInOrder: boolean;
  isWhole: boolean;
  endsAlone: boolean;
  isBad: boolean;
  content: Content | undefined;
}

const MAGIC = Buffer.from('XBSTCK01');
const PATH_MAX = 511;
/** No header is longer, the map not counted. */
const HEADER_MAX = 2 * PATH_MAX + 38;
const MAP_MAX = 2 ** 20;
/** Most bytes of one part of a path that a file system takes. */
export const NAME_MAX = 255;
const SIZE_MAX = BigInt(Number.MAX_SAFE_INTEGER);
const LAST_FILE = /^(xtrabackup|mariadb_backup)_info(\.(qp|lz4|zst|xbcrypt))*$/;
const SUFFIXES = /(\.(qp|lz4|zst))?(\.xbcrypt)?$/;

const SUFFIX_ALONE = /(^|\/)\.*(\.(qp|lz4|zst))?(\.xbcrypt)?$/;

class Refusal extends Error {
  readonly classes: readonly ExitClass[];
  constructor(why: string, ...classes: readonly ExitClass[]) {
    super(why);
    this.classes = classes;
  }
}

/**
 * Reads a whole archive.
 *
 * @param goesOn what only concerns the content of a file (a checksum) does not end the reading; the file is none of the archive's
 */
export function readArchive(archive: Buffer, goesOn = false): Reading {
  const reader = new Oracle(archive, goesOn);
  let damage: Damage | undefined;
  try {
    reader.read();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    damage = { classes: new Set(error.classes), why: error.message };
  }
  return reader.result(damage);
}

class Oracle {
  readonly #bytes: Buffer;
  readonly #goesOn: boolean;
  #at = 0;
  #files = new Map<string, Growing>();
  #directories = new Set<string>();
  #everWhole = new Map<string, Content[]>();
  #firstContent: string | undefined;
  #isEnded = false;
  #corrections = 0;
  #correctsNoFile = false;
  #renamesLayers = false;
  #badFile: Refusal | undefined;

  constructor(bytes: Buffer, goesOn: boolean) {
    this.#bytes = bytes;
    this.#goesOn = goesOn;
  }

  result(damage: Damage | undefined): Reading {
    const files = new Map<string, Content>();
    for (const [path, file] of this.#files) {
      if (file.isWhole && !file.isBad && (damage === undefined || !file.endsAlone)) files.set(path, file.content!);
    }
    const bad = this.#badFile && { classes: new Set(this.#badFile.classes), why: this.#badFile.message };
    return {
      damage: damage ?? bad,
      files,
      holdsBad: [...this.#files.values()].some(({ isBad }) => isBad),
      sizes: new Map([...this.#files].map(([path, { sizeBytes }]) => [path, sizeBytes])),
      everWhole: this.#everWhole,
      correctsNoFile: this.#correctsNoFile,
      renamesLayers: this.#renamesLayers,
      corrections: this.#corrections,
    };
  }

  read(): void {
    if (this.#bytes.length === 0) throw new Refusal('empty', 4);
    while (this.#at < this.#bytes.length) {
      const left = this.#bytes.length - this.#at;
      try {
        this.#chunk();
      } catch (error) {
        // What is wrong in a header that is cut may be told as the one or the other.
        throw error instanceof Refusal && left < HEADER_MAX ? new Refusal(error.message, 4, ...error.classes) : error;
      }
    }
    for (const [path, { isWhole }] of this.#files) if (!isWhole) throw new Refusal(`no end of ${path}`, 4);
  }

  /** The next bytes. What is cut there may be told as what else is wrong with it. */
  #take(count: number): Buffer {
    const bytes = this.#bytes.subarray(this.#at, this.#at + count);
    if (bytes.length < count) throw new Refusal(`cut at ${this.#bytes.length}`, 4);
    this.#at += count;
    return bytes;
  }

  #u32(): number {
    return this.#take(4).readUInt32LE();
  }

  #u64(): bigint {
    return this.#take(8).readBigUInt64LE();
  }

  #name(): string {
    const length = this.#u32();
    if (length > PATH_MAX) throw new Refusal(`a path of ${length} bytes`, 3);
    return this.#take(length).toString('latin1');
  }

  #chunk(): void {
    const start = this.#at;
    const rest = this.#bytes.subarray(start, start + 8);
    // Of so few bytes nobody can say whether they begin a chunk.
    if (rest.length < 8)
      throw new Refusal(`cut at ${this.#bytes.length}`, 4, ...(MAGIC.indexOf(rest) === 0 ? [] : [3 as const]));
    const magic = this.#take(8);
    // Bytes that come first may be those of another format, which is told by another code.
    if (!magic.equals(MAGIC)) throw new Refusal(`no chunk at ${start}`, 3, ...(start === 0 ? ([5] as const) : []));
    const [flags, typeByte] = this.#take(2) as unknown as [number, number];
    const type = String.fromCharCode(typeByte);
    const raw = this.#name();
    if (type === 'S') this.#sparseOrSeek(raw);
    else if (type === 'P') this.#payload(raw, flags);
    else if (type === 'E') this.#end(plain(raw));
    else if (type === 'D') this.#remove(plain(raw));
    else if (type === 'R') this.#rename(plain(raw), plain(this.#name()));
    else if ((flags & 1) === 0) throw new Refusal(`chunk of type ${type} at ${start}`, 3);
    else this.#skipped();
  }

  #skipped(): void {
    const length = this.#u64();
    if (length > SIZE_MAX) throw new Refusal('too long', 3);
    this.#take(12);
    this.#take(Number(length));
  }

  #payload(raw: string, flags: number): void {
    const length = this.#u64();
    const offset = this.#u64();
    if (length > SIZE_MAX || offset > SIZE_MAX || length + offset > SIZE_MAX) throw new Refusal('impossible sizes', 3);
    const crc = this.#u32();
    const path = plain(raw);
    const file = this.#open(path, (flags & 2) !== 0, Number(offset), `${raw} ${length} ${crc}`);
    const bytes = this.#content(
      path,
      file,
      [[Number(offset), Number(length)]],
      Number(offset + length),
      Number(offset),
    );
    this.#check(file, crc, crc32(bytes));
  }

  #sparseOrSeek(raw: string): void {
    const next = this.#bytes.subarray(this.#at + 8, this.#at + 16);
    if (next.equals(MAGIC)) {
      this.#seek(raw);
      return;
    }
    const count = this.#u32();
    if (count > MAP_MAX) throw new Refusal('a map too long', 3);
    const length = this.#u64();
    const offset = this.#u64();
    if (length > SIZE_MAX || offset > SIZE_MAX || length + offset > SIZE_MAX) throw new Refusal('impossible sizes', 3);
    const crc = this.#u32();
    const map = this.#take(count * 8);
    const places: [number, number][] = [];
    let at = Number(offset);
    let sum = 0;
    for (let pair = 0; pair < map.length; pair += 8) {
      at += map.readUInt32LE(pair);
      const bytes = map.readUInt32LE(pair + 4);
      places.push([at, bytes]);
      at += bytes;
      sum += bytes;
    }
    if (sum !== Number(length)) throw new Refusal('the map does not fit the payload', 3);
    if (at > Number.MAX_SAFE_INTEGER) throw new Refusal('impossible sizes', 3);
    const path = plain(raw);
    const file = this.#open(path, false, Number(offset), `${raw} ${length} ${crc} sparse`);
    const bytes = this.#content(path, file, places, at, Number(offset));
    this.#check(file, crc, crc32(bytes, crc32(map)));
  }

  #seek(raw: string): void {
    const position = this.#u64();
    if (position > SIZE_MAX) throw new Refusal('impossible position', 3);
    const path = plain(raw);
    const file = this.#open(path, false, Number(position), undefined);
    const to = Number(position);
    if (to > file.positionBytes) this.#cover(path, file, file.positionBytes, to);
    file.positionBytes = to;
  }

  /** The file that content is for. @param header what tells one content from another; undefined for a seek */
  #open(path: string, rewrites: boolean, offset: number, header: string | undefined): Growing {
    const known = this.#files.get(path);
    if (known?.isWhole === true && (!rewrites || (this.#isEnded && offset === 0))) {
      const isSecond = this.#isEnded || header === this.#firstContent;
      throw new Refusal(`${path} comes twice${isSecond ? ': a second archive' : ''} (byte ${offset})`, 3);
    }
    if (known?.isWhole === true) {
      this.#corrections += 1;
      this.#files.delete(path);
    }
    this.#firstContent ??= header;
    return this.#files.get(path) ?? this.#begin(path);
  }

  #begin(path: string): Growing {
    if (this.#directories.has(path)) throw new Refusal(`${path} is a directory`, 3);
    this.#needDirectories(path);
    const file: Growing = {
      ...{ parts: [], ranges: [], sizeBytes: 0, positionBytes: 0, isInOrder: true, isWhole: false },
      ...{ endsAlone: false, isBad: false, content: undefined },
    };
    this.#files.set(path, file);
    return file;
  }

  #needDirectories(path: string): void {
    if (this.#directories.has(path)) throw new Refusal(`${path} is a directory`, 3);
    const above = path.split('/').slice(0, -1);
    above.forEach((_, index) => {
      const directory = above.slice(0, index + 1).join('/');
      if (this.#files.has(directory)) throw new Refusal(`${directory} is a file`, 3);
      this.#directories.add(directory);
    });
  }

  #content(path: string, file: Growing, places: readonly [number, number][], end: number, from: number): Buffer {
    if (from !== file.positionBytes) file.isInOrder = false;
    this.#cover(path, file, from, end);
    file.positionBytes = end;
    const length = places.reduce((sum, [, bytes]) => sum + bytes, 0);
    const payload = this.#take(length);
    let taken = 0;
    for (const [at, bytes] of places) {
      if (bytes > 0) file.parts.push({ at, bytes: payload.subarray(taken, taken + bytes) });
      taken += bytes;
    }
    return payload;
  }

  #cover(path: string, file: Growing, from: number, to: number): void {
    if (to <= from) return;
    if (file.ranges.some(([start, end]) => from < end && start < to)) throw new Refusal(`overlap in ${path}`, 3);
    file.ranges.push([from, to]);
    file.sizeBytes = Math.max(file.sizeBytes, to);
  }

  #check(file: Growing, expected: number, found: number): void {
    if (expected === found) return;
    const refusal = new Refusal('a checksum does not hold', 3);
    if (!this.#goesOn) throw refusal;
    file.isBad = true;
    this.#badFile ??= refusal;
  }

  #end(path: string): void {
    let file = this.#files.get(path);
    if (file?.isWhole === true) {
      if (this.#isEnded) throw new Refusal(`${path} comes behind the archive's end`, 3);
      this.#corrections += 1;
      this.#files.delete(path);
      file = undefined;
    }
    if (file === undefined) {
      file = this.#begin(path);
      file.endsAlone = true;
    }
    let reached = 0;
    for (const [from, to] of [...file.ranges].sort(([a], [b]) => a - b)) {
      if (from > reached) throw new Refusal(`a gap in ${path}`, 4);
      reached = to;
    }
    file.isWhole = true;
    file.content = { sizeBytes: file.sizeBytes, parts: file.parts, isInOrder: file.isInOrder };
    this.#note(path, file.content);
    if (LAST_FILE.test(path)) this.#isEnded = true;
  }

  #note(path: string, content: Content): void {
    this.#everWhole.set(path, [...(this.#everWhole.get(path) ?? []), content]);
  }

  #remove(path: string): void {
    this.#corrected(path);
    if (this.#files.get(path)?.isWhole === false) throw new Refusal(`${path} is removed while it is open`, 3);
    if (this.#directories.has(path)) this.#correctsNoFile = true;
    this.#files.delete(path);
  }

  #corrected(path: string): void {
    this.#corrections += 1;
    // What it would be called when decoded is no name.
    if (SUFFIX_ALONE.test(path)) this.#renamesLayers = true;
    if (path.split('/').some(({ length }) => length > NAME_MAX)) this.#correctsNoFile = true;
  }

  #rename(path: string, newPath: string): void {
    this.#corrected(path);
    this.#corrected(newPath);
    const file = this.#files.get(path);
    const replaced = this.#files.get(newPath);
    if (file?.isWhole === false || replaced?.isWhole === false) throw new Refusal(`${path} is renamed while open`, 3);
    if (this.#directories.has(path)) this.#correctsNoFile = true;
    if (file === undefined || path === newPath) return;
    this.#needDirectories(newPath);
    this.#files.delete(path);
    this.#files.delete(newPath);
    this.#files.set(newPath, file);
    this.#note(newPath, file.content!);
    if (SUFFIXES.exec(path)![0] !== SUFFIXES.exec(newPath)![0]) this.#renamesLayers = true;
  }
}

/** The one plain form of a path. */
function plain(raw: string): string {
  const parts = raw.split('/');
  const last = parts.at(-1)!;
  const isUnsafe = raw.includes('\0') || raw.startsWith('/') || parts.includes('..') || last === '' || last === '.';
  if (isUnsafe) throw new Refusal(`unsafe path ${JSON.stringify(raw)}`, 3);
  return parts.filter((part) => part !== '' && part !== '.').join('/');
}

/** The bytes of a file that is small enough. */
export function bytesOfContent({ sizeBytes, parts }: Content): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  for (const part of parts) part.bytes.copy(bytes, part.at);
  return bytes;
}
