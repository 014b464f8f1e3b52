/** A backup that lies as objects, a chunk each, as one archive. */
import { XbstreamError } from '../../errors.js';
import { CHUNK_MAGIC, CHUNK_TYPE_AT, CORRECTION_TYPES, MAX_HEADER_BYTES, TYPE_END } from '../../format/chunk.js';
import { plainName } from '../../format/member-name.js';
import { pathText, rawPath, type StoredPath } from '../../format/stored-path.js';
import { FileSource } from '../file.js';
import { flawOf, flawsError, type InputFlaws } from '../flaws.js';
import type { PositionedBytes } from '../positioned.js';
import type { ByteSink } from '../source.js';
import { missingText, objectName, type ObjectLayout, type StoredObject } from './object-layout.js';
import { PositionedParts, type Part } from './positioned-parts.js';

/** An object, and how it is read. */
export interface ReadableObject extends StoredObject {
  /** @throws XbstreamError `XB_IO` */
  open(): PositionedBytes;
}

/** Where in a chunk the length of its path stands, and where its path begins. */
const PATH_LENGTH_AT = 10;
const PATH_AT = 14;

/** Reads the objects of a backup in their order; what is missing is told at the end. */
export class ObjectsSource extends FileSource {
  readonly #layout: ObjectLayout<StoredObject>;
  readonly #mislabelled: ReadonlyMap<StoredPath, string>;
  readonly #isEnded: () => boolean;
  #isStopped = false;

  /**
   * @param prefix what messages put before the name of an object
   * @param whole all of them as one, where they are fetched ahead; closed at the end
   */
  static of(
    layout: ObjectLayout<ReadableObject>,
    prefix: string,
    isStopped: () => boolean,
    whole?: PositionedBytes,
  ): ObjectsSource {
    const mislabelled = new Map<StoredPath, string>();
    const parts = layout.objects.map((object, index, { [index - 1]: before, [index + 1]: next }) => {
      return new ObjectPart(object, { before, next }, prefix, mislabelled);
    });
    return new ObjectsSource(new PositionedParts(parts, '', whole), layout, mislabelled, isStopped);
  }

  private constructor(
    parts: PositionedParts,
    layout: ObjectLayout<StoredObject>,
    mislabelled: ReadonlyMap<StoredPath, string>,
    isStopped: () => boolean,
  ) {
    super(parts, 0, isStopped);
    this.#layout = layout;
    this.#mislabelled = mislabelled;
    this.#isEnded = isStopped;
  }

  override async run(sink: ByteSink): Promise<void> {
    await super.run(sink);
    if (this.#isStopped || this.#isEnded()) return;
    const error = flawsError(this.flaws());
    if (error !== undefined) throw error;
  }

  /** What is wrong with the objects, as far as they were read. */
  flaws(): InputFlaws {
    const mislabelled = [...this.#mislabelled].map(([key, held]) => `the object ${pathText(key)} holds ${held}`);
    return { missing: flawOf([...this.#layout.missing.values()].map(missingText)), mislabelled: flawOf(mislabelled) };
  }

  override stop(): void {
    this.#isStopped = true;
    super.stop();
  }

  /** What is missing of a stored file that has no end. */
  lackOf(path: StoredPath): string | undefined {
    const key = this.#layout.nextOf(path);
    return key && missingText(key);
  }
}

/** @throws XbstreamError where a directory above the backup is named, each object seems to be that of another file. */
export function assertOwn(objects: readonly ReadableObject[], root: string): void {
  const [first] = objects;
  if (first === undefined) return;
  const opened = first.open();
  try {
    const path = firstChunk(opened)?.path;
    const named = objectName(first.key)!.path;
    if (path === undefined || !named.endsWith(`/${path}`)) return;
    const backup = `${root}/${pathText(rawPath(named.slice(0, -path.length - 1)))}`;
    throw new XbstreamError('XB_IO', `${root} is no backup of xbcloud's, but ${backup} may be one`, {
      hints: ['name that of the backup itself'],
    });
  } finally {
    opened.close();
  }
}

/** What stands beside an object in the archive. */
interface Neighbours {
  before: StoredObject | undefined;
  next: StoredObject | undefined;
}

/** An object as a part of the archive. */
class ObjectPart implements Part {
  readonly #object: ReadableObject;
  readonly #neighbours: Neighbours;
  readonly #prefix: string;
  readonly #mislabelled: Map<StoredPath, string>;

  constructor(object: ReadableObject, neighbours: Neighbours, prefix: string, mislabelled: Map<StoredPath, string>) {
    this.#object = object;
    this.#neighbours = neighbours;
    this.#prefix = prefix;
    this.#mislabelled = mislabelled;
  }

  get name(): string {
    return this.#prefix + pathText(this.#object.key);
  }

  get bytes(): number {
    return this.#object.bytes;
  }

  open(): PositionedBytes {
    const opened = this.#object.open();
    const { path, type } = firstChunk(opened) ?? {};
    if (path === undefined) return opened;
    const held = this.#otherThanNamed(path, type!);
    if (held === undefined) return opened;
    this.#mislabelled.set(this.#object.key, held);
    return new Disowned(opened);
  }

  /** What it holds that is not what its name says. */
  #otherThanNamed(path: StoredPath, type: number): string | undefined {
    const { key, bytes } = this.#object;
    const named = objectName(key)!.path;
    if (onDisk(path) !== onDisk(named)) return `a chunk of ${pathText(path)}`;
    // xbcloud takes none: an end that a flipped bit has made to a removal would leave the file out.
    if (CORRECTION_TYPES.has(type)) return 'a correction, which xbcloud never stores';
    if (type !== TYPE_END) return undefined;
    // In a stream a second end says that the file is empty by now. Here one was copied, perhaps over content: all are in doubt.
    const { before, next } = this.#neighbours;
    const isOwn = (object: StoredObject | undefined): boolean =>
      object !== undefined && objectName(object.key)!.path === named;
    if (isOwn(next)) return 'the end of its file, and others follow';
    // Nothing else is as short.
    if (isOwn(before) && before!.bytes <= bytes) return 'the end of its file, which came before';
    return bytes > PATH_AT + path.length ? 'the end of its file, and more' : undefined;
  }
}

/** The first chunk of an object; undefined where there is none, which whoever reads it will say. */
function firstChunk(object: PositionedBytes): { path: StoredPath; type: number } | undefined {
  const head = Buffer.alloc(MAX_HEADER_BYTES);
  for (let bytes = 0; ;) {
    // A network may give less than there is.
    const count = object.read(head, bytes, head.length - bytes, bytes);
    if (count === 0) return undefined;
    bytes += count;
    if (bytes < PATH_AT) continue;
    if (head.toString('latin1', 0, CHUNK_MAGIC.length) !== CHUNK_MAGIC) return undefined;
    const end = PATH_AT + head.readUInt32LE(PATH_LENGTH_AT);
    if (end > head.length) return undefined;
    if (bytes >= end) return { path: rawPath(head.toString('latin1', PATH_AT, end)), type: head[CHUNK_TYPE_AT]! };
  }
}

/** `./a` and `/a` are `a`: a copy on disk cannot tell them apart. */
function onDisk(path: StoredPath): string {
  return plainName(path).replace(/^\//, '');
}

/** An object that holds something else than its name says: it is read as damaged, for one of the two is wrong. */
class Disowned implements PositionedBytes {
  readonly #object: PositionedBytes;

  constructor(object: PositionedBytes) {
    this.#object = object;
  }

  get endBytes(): number {
    return this.#object.endBytes;
  }

  read(memory: Buffer, at: number, bytes: number, position: number): number {
    const count = this.#object.read(memory, at, bytes, position);
    const magicBytes = Math.min(count, CHUNK_MAGIC.length - position);
    if (magicBytes > 0) memory.fill(0, at, at + magicBytes);
    return count;
  }

  close(): void {
    this.#object.close();
  }
}
