/**
 * What was found in a part of an archive as JSON lines, and back (docs/many-machines.md, "A shard's result"; the same as a
 * schema is docs/shard-result.schema.json).
 */
import type { ErrorRecord, XbstreamErrorCode } from '../../errors.js';
import { chunkEnd, type ChunkHeader } from '../../format/chunk.js';
import { MAX_PATH_BYTES, rawPath, type StoredPath } from '../../format/stored-path.js';
import type { Flaw, InputFlaws } from '../../input/flaws.js';
import type { InsideProblem, Known, ShardEnd, ShardEvent, ShardHead } from './events.js';
import { BadRecord, type Fields } from './fields.js';
import { SHARDS_MAX } from './parts.js';

const RESULT_VERSION = 1;
/** Longest line of a result, in bytes: an error quotes a name a few times. */
export const LINE_BYTES_MAX = 256 * 1024;

const TEXT_MAX = 16 * 1024;
const NAMES_MAX = 16 * 1024;
const KINDS = ['payload', 'sparse', 'end', 'seek', 'remove', 'rename', 'ignorable'] as const;
const KNOWN: readonly Known[] = ['nothing', 'open', 'open, several chunks', 'whole', 'whole, several chunks'];
/** What may be wrong with the bytes of a part, whatever stands before it. */
const CODES: readonly XbstreamErrorCode[] = [
  'XB_BAD_MAGIC',
  'XB_BAD_HEADER',
  'XB_UNKNOWN_CHUNK',
  'XB_PATH_TOO_LONG',
  'XB_UNSAFE_PATH',
  'XB_BAD_CRC',
  'XB_BAD_SPARSE_MAP',
  'XB_TRUNCATED',
];

/** What may be wrong with what is inside of a file. */
export const INSIDE_CODES: readonly XbstreamErrorCode[] = [
  'XB_BAD_LAYER',
  'XB_LAYER_TRUNCATED',
  'XB_WRONG_KEY',
  'XB_UNSUPPORTED_LAYER',
  'XB_UNSUPPORTED_ORDER',
  'XB_UNSAFE_PATH',
];

/** More of them are not noted of a shard: by then it is known that nothing is right. */
export const INSIDE_PROBLEMS_MAX = 10_000;

const DEPTHS: readonly ShardHead['deep'][] = ['no', 'yes', 'but encrypted'];

export function headLine(head: ShardHead): string {
  return line({ type: 'shard', version: RESULT_VERSION, ...head, deep: head.deep === 'no' ? undefined : head.deep });
}

export function insideLine(problem: InsideProblem): string {
  return line({ ...problem, error: { ...problem.error, partial: undefined, systemCode: undefined } });
}

/** @throws BadRecord */
export function headOf(fields: Fields): ShardHead {
  if (!fields.has('type') || !fields.has('version')) throw new BadRecord('it is another file');
  fields.oneOf('type', ['shard']);
  const version = fields.number('version');
  if (version !== RESULT_VERSION)
    throw new BadRecord(`it is of version ${version}, and this program knows ${RESULT_VERSION}`);
  const shards = fields.number('shards');
  const shard = fields.number('shard');
  if (shards > SHARDS_MAX || shard < 1 || shard > shards) throw new BadRecord('bad "shard"');
  return {
    ...{ shard, shards },
    archive: fields.texts('archive', NAMES_MAX),
    archiveBytes: fields.number('archiveBytes'),
    archiveDigest: fields.text('archiveDigest', 64),
    absoluteNames: fields.boolean('absoluteNames'),
    from: fields.has('from') ? fields.number('from') : undefined,
    deep: fields.has('deep') ? fields.oneOf('deep', DEPTHS) : 'no',
    flaws: fields.has('flaws') ? flawsOf(fields.record('flaws')) : undefined,
  };
}

function flawsOf(fields: Fields): InputFlaws {
  const flaw = (name: keyof InputFlaws): Flaw => {
    const found = fields.record(name);
    const [count, named] = [found.number('count'), found.texts('named', TEXT_MAX)];
    if (named.length > count || (count > 0 && named.length === 0)) throw new BadRecord(`bad "${name}"`);
    return { count, named };
  };
  return { missing: flaw('missing'), mislabelled: flaw('mislabelled') };
}

export function endLine(end: ShardEnd): string {
  return line({ type: 'end', ...end });
}

function endOf(fields: Fields): ShardEnd {
  if (fields.has('next')) return { next: fields.number('next') };
  if (fields.has('archiveBytes')) return { archiveBytes: fields.number('archiveBytes') };
  if (fields.has('foreign')) return { foreign: errorOf(fields.record('foreign'), ['XB_BAD_MAGIC']) };
  return { nothing: true };
}

/** What of a chunk follows from the one before it, and is left out. */
class Expected {
  archiveOffset = 0;
  path: StoredPath | undefined;
  fileOffset = 0;

  constructor(archiveOffset: number) {
    this.archiveOffset = archiveOffset;
  }

  after(header: ChunkHeader, spanBytes: number): void {
    this.archiveOffset = chunkEnd(header);
    this.path = header.path;
    this.fileOffset = 'fileOffset' in header ? header.fileOffset + spanBytes : 0;
  }

  /** Where content of a file goes on. */
  positionIn(path: StoredPath): number {
    return path === this.path ? this.fileOffset : 0;
  }
}

/** Makes the lines of events, in their order. */
export class EventWriter {
  readonly #expected: Expected;

  /** @param from where the first chunk of the part begins */
  constructor(from: number) {
    this.#expected = new Expected(from);
  }

  lineOf(event: ShardEvent): string {
    switch (event.type) {
      case 'chunk': {
        const { header, spanBytes } = event;
        const fields = chunkFields(header, spanBytes, this.#expected);
        this.#expected.after(header, spanBytes);
        return line({ type: 'chunk', ...fields });
      }
      case 'lost':
        return line({ type: 'lost', ...chunkFields(event.header, 0, new Expected(-1)) });
      case 'damage': {
        const { path, unreadableFrom, error } = event;
        return line({
          type: 'damage',
          path,
          unreadableFrom,
          error: { ...error, partial: undefined, systemCode: undefined },
        });
      }
      case 'doubt':
      case 'answer':
        return line(event);
    }
  }
}

function chunkFields(header: ChunkHeader, spanBytes: number, expected: Expected): Record<string, unknown> {
  const { type: kind, archiveOffset, flags, path, ...more } = header;
  const isNext = 'fileOffset' in header && header.fileOffset === expected.positionIn(path);
  return {
    kind,
    archiveOffset: archiveOffset === expected.archiveOffset ? undefined : archiveOffset,
    path: path === expected.path ? undefined : path,
    flags: flags === 0 ? undefined : flags,
    ...more,
    headerBytes: undefined, // follows from the rest
    ...(isNext ? { fileOffset: undefined } : {}),
    ...(kind === 'sparse' ? { spanBytes } : {}),
  };
}

/** Reads the lines of events, in their order. */
export class EventParser {
  readonly #expected: Expected;
  /** Something is wrong with the bytes since the last chunk: only then the next one may begin elsewhere than that ends. */
  #isDamageTold = false;

  constructor(from: number) {
    this.#expected = new Expected(from);
  }

  /** @throws BadRecord */
  parse(fields: Fields): ShardEvent | InsideProblem | { type: 'over'; end: ShardEnd } {
    const type = fields.oneOf('type', ['inside', 'chunk', 'lost', 'damage', 'doubt', 'answer', 'end']);
    switch (type) {
      case 'inside':
        return {
          type,
          path: pathOf(fields),
          chunkOffset: fields.has('chunkOffset') ? fields.number('chunkOffset') : undefined,
          error: errorOf(fields.record('error'), INSIDE_CODES),
        };
      case 'chunk': {
        const header = headerOf(fields, this.#expected);
        const spanBytes = spanOf(header, fields);
        this.#assertNext(header.archiveOffset);
        this.#expected.after(header, spanBytes);
        this.#isDamageTold = false;
        return { type, header, spanBytes };
      }
      case 'lost':
        this.#isDamageTold = true;
        return { type, header: headerOf(fields, new Expected(-1)) };
      case 'damage': {
        this.#isDamageTold = true;
        return {
          type,
          error: errorOf(fields.record('error'), CODES),
          path: fields.has('path') ? pathOf(fields) : undefined,
          unreadableFrom: fields.has('unreadableFrom') ? fields.number('unreadableFrom') : undefined,
        };
      }
      case 'doubt':
        return { type, path: pathOf(fields) };
      case 'answer':
        return { type, path: pathOf(fields), known: fields.oneOf('known', KNOWN) };
      case 'end': {
        const end = endOf(fields);
        if ('next' in end) this.#assertNext(end.next);
        if ('archiveBytes' in end) this.#assertNext(end.archiveBytes);
        return { type: 'over', end };
      }
    }
  }

  /** Lines may have been lost on the way. @throws BadRecord */
  #assertNext(archiveOffset: number): void {
    if (this.#isDamageTold || archiveOffset === this.#expected.archiveOffset) return;
    throw new BadRecord(
      `what ends at archive byte ${this.#expected.archiveOffset} is not followed by what comes there`,
    );
  }
}

function headerOf(fields: Fields, expected: Expected): ChunkHeader {
  const type = fields.oneOf('kind', KINDS);
  const path = pathOf(fields, expected.path);
  const archiveOffset = fields.number('archiveOffset', expected.archiveOffset);
  const base = { archiveOffset, flags: fields.number('flags', 0), path };
  const fileOffset = (): number => fields.number('fileOffset', expected.positionIn(path));
  const before = 14 + path.length;
  switch (type) {
    case 'payload':
    case 'sparse': {
      const content = {
        payloadBytes: fields.number('payloadBytes'),
        fileOffset: fileOffset(),
        crc32: fields.number('crc32'),
      };
      if (type === 'payload') return sound({ type, ...base, headerBytes: before + 20, ...content });
      return sound({ type, ...base, headerBytes: before + 24, ...content, mapEntries: fields.number('mapEntries') });
    }
    case 'end':
    case 'remove':
      return { type, ...base, headerBytes: before };
    case 'seek':
      return { type, ...base, headerBytes: before + 8, fileOffset: fileOffset() };
    case 'rename': {
      const newPath = latin1(fields.text('newPath', MAX_PATH_BYTES));
      return { type, ...base, headerBytes: before + 4 + newPath.length, newPath };
    }
    case 'ignorable':
      return sound({ type, ...base, headerBytes: before + 20, payloadBytes: fields.number('payloadBytes') });
  }
}

/** Sums of what a header says must be numbers that can be told apart. */
function sound<Header extends ChunkHeader>(header: Header): Header {
  if (!Number.isSafeInteger(chunkEnd(header))) throw new BadRecord('bad "payloadBytes"');
  return header;
}

function spanOf(header: ChunkHeader, fields: Fields): number {
  const spanBytes =
    header.type === 'payload' ? header.payloadBytes : header.type === 'sparse' ? fields.number('spanBytes') : 0;
  const end = 'fileOffset' in header ? header.fileOffset + spanBytes : 0;
  if (!Number.isSafeInteger(end)) throw new BadRecord('bad "spanBytes"');
  return spanBytes;
}

function pathOf(fields: Fields, fallback?: StoredPath): StoredPath {
  return latin1(fields.text('path', MAX_PATH_BYTES, fallback));
}

/** One character a byte. */
function latin1(text: string): StoredPath {
  // eslint-disable-next-line no-control-regex
  if (!/^[\x00-\xff]*$/.test(text)) throw new BadRecord('bad "path"');
  return rawPath(text);
}

function errorOf(fields: Fields, codes: readonly XbstreamErrorCode[]): ErrorRecord {
  return {
    code: fields.oneOf('code', codes),
    message: fields.text('message', TEXT_MAX),
    path: fields.has('path') ? pathOf(fields) : undefined,
    archiveOffset: fields.has('archiveOffset') ? fields.number('archiveOffset') : undefined,
    details: fields.texts('details', TEXT_MAX),
    hints: fields.texts('hints', TEXT_MAX),
  };
}

function line(record: object): string {
  return `${JSON.stringify(record)}\n`;
}
