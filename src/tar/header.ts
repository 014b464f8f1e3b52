/** How the members of a tar are told to tar-stream, which encodes them (POSIX.1-2001, "pax Interchange Format"). */
import { isUtf8, pathText, type StoredPath, rawPath } from '../format/stored-path.js';

const TAR_BLOCK_BYTES = 512;

/** What a tar says of a file. */
export interface TarMember {
  path: StoredPath;
  /** Bytes of its content, holes included. */
  sizeBytes: number;
  /** Seconds since 1970. */
  mtime: number;
  /** Where its data lies, start and length in turn, when it has holes that are to be kept. */
  extents?: readonly number[] | undefined;
}

/** A header as tar-stream takes it. */
export interface TarHeader {
  name: string;
  size: number;
  mode: number;
  mtime: Date;
  type: 'file';
  /** Records that come in a header of their own before it, beside that of the name. */
  pax?: Readonly<Record<string, string>>;
}

/** A member in tar-stream's terms. */
export interface TarEntry {
  header: TarHeader;
  /** Content that is not the file's own and comes before it. */
  preamble: Buffer;
  /** Puts into the header block what tar-stream cannot: names that are no text, late times, and a type that it does not write. */
  mend?: (block: Buffer) => void;
}

/** Read and write for the owner, read for the group: as the C tools make files. */
const MODE = 0o640;
/** The largest number that the eleven octal digits of a field hold. */
const OCTAL_MAX = 8 ** 11 - 1;
/** The latest time that a tar of ours can tell. */
export const MTIME_MAX_SECONDS = OCTAL_MAX;
/** The latest time that tar-stream writes into a header; a later one goes into a record. */
const HEADER_MTIME_MAX_SECONDS = 2 ** 31 - 1;
const NAME_BYTES = 100;
const EMPTY = Buffer.alloc(0);

/** What is written for a file: its own entry last, before that one that tells its name where a header cannot. */
export function tarEntries(member: TarMember): TarEntry[] {
  const { path, sizeBytes, mtime, extents } = member;
  if (extents !== undefined) return [sparseEntry(member, extents)];
  if (isUtf8(path)) return [{ header: header(pathText(path), sizeBytes, mtime), preamble: EMPTY }];
  // pax names are UTF-8: what is none goes into the header as it is or, when too long for it, in GNU's way.
  if (path.length <= NAME_BYTES) return [rawEntry(standIn(path), member, path)];
  const cut = standIn(rawPath(path.slice(-NAME_BYTES))).replace(/^\/+/, '');
  return [longName(path), rawEntry(cut, member)];
}

/** Zeros that fill the last block of so many bytes. */
function padding(bytes: number): number {
  return (TAR_BLOCK_BYTES - (bytes % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;
}

function header(name: string, size: number, mtime: number, records: Record<string, string> = {}): TarHeader {
  const pax = { ...records };
  // The field then holds it in base 256, which is GNU's way and no standard.
  if (size > OCTAL_MAX) pax['size'] = String(size);
  if (mtime > HEADER_MTIME_MAX_SECONDS) pax['mtime'] = String(mtime);
  // Of a long name that is divided between two fields tar-stream would lose the slash at the beginning.
  const isDivided = name.startsWith('/') && name.length > NAME_BYTES;
  return { ...bareHeader(name, size, mtime), ...(isDivided || Object.keys(pax).length > 0 ? { pax } : {}) };
}

function bareHeader(name: string, size: number, mtime: number): TarHeader {
  const time = new Date(Math.min(mtime, HEADER_MTIME_MAX_SECONDS) * 1000);
  return { name, size, mode: MODE, mtime: time, type: 'file' };
}

/**
 * A file without records: beside any of them tar-stream puts the name, which would count, and not the one in the header.
 *
 * @param path what stands in the header instead of `name`
 */
function rawEntry(name: string, { sizeBytes, mtime }: TarMember, path?: StoredPath): TarEntry {
  const mend = (block: Buffer): void => {
    if (path !== undefined) block.write(path, 0, 'latin1'); // name (offset 0, length 100)
    block.write(mtime.toString(8).padStart(11, '0'), 136, 'latin1'); // mtime (offset 136, length 12)
    renewChecksum(block);
  };
  return { header: bareHeader(name, sizeBytes, mtime), preamble: EMPTY, mend };
}

/** GNU tar manual, "PAX Format, Version 1.0": the map is the beginning of the content. */
function sparseEntry({ path, sizeBytes, mtime }: TarMember, extents: readonly number[]): TarEntry {
  // Number of pairs, and of each its start and length, as decimal numbers in lines; filled up to whole blocks.
  const lines = Buffer.from(`${extents.length / 2}\n${extents.map((number) => `${number}\n`).join('')}`, 'latin1');
  const map = Buffer.concat([lines, Buffer.alloc(padding(lines.length))]);
  let storedBytes = map.length;
  for (let index = 1; index < extents.length; index += 2) storedBytes += extents[index]!;
  const name = pathText(path);
  const slash = name.lastIndexOf('/') + 1;
  const records = {
    'GNU.sparse.major': '1',
    'GNU.sparse.minor': '0',
    'GNU.sparse.name': name,
    'GNU.sparse.realsize': String(sizeBytes),
  };
  // What readers that know nothing of sparse files unpack it as: GNU tar has its process number there.
  const plain = `${name.slice(0, slash)}GNUSparseFile.0/${name.slice(slash)}`;
  return { header: header(plain, storedBytes, mtime, records), preamble: map };
}

function longName(path: StoredPath): TarEntry {
  const preamble = Buffer.from(`${path}\0`, 'latin1');
  const mend = (block: Buffer): void => {
    block.write('L', 156, 'latin1'); // typeflag (offset 156, length 1)
    renewChecksum(block);
  };
  return { header: header('././@LongLink', preamble.length, 0), preamble, mend };
}

/** Of the same length, in ASCII. */
function standIn(path: StoredPath): string {
  // eslint-disable-next-line no-control-regex
  return path.replace(/[^\x00-\x7f]/g, '_');
}

function renewChecksum(block: Buffer): void {
  block.write('        ', 148, 'latin1'); // chksum (offset 148, length 8), blanks while it is worked out
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}
