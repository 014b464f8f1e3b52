/** Reads a backup that lies as objects of a bucket, a chunk each, as if they were one archive. */
import { XbstreamError } from '../../../errors.js';
import { firstIndex } from '../../../format/first-index.js';
import { pathText, rawPath, type StoredPath } from '../../../format/stored-path.js';
import { keysOfSums, layOut, objectName, OTHERS_MAX } from '../../parts/object-layout.js';
import { shownAddress, type ObjectsAddress } from '../address.js';
import { HEAD_BYTES } from '../fetch-protocol.js';
import { Connections } from '../http/connections.js';
import type { Body } from '../http/exchange.js';
import { NO_FLOW, RangeClient, type AddressClient, type Opening, type RangeClientOptions } from '../range-client.js';
import { PAGE_BYTES_MAX, pageQuery, readPage, type ListedObject } from './object-list.js';
import { S3Bucket, S3Target } from './s3-target.js';

/** Most objects of a backup: 40 TiB in chunks of 10 MiB. */
const OBJECTS_MAX = 4 * 1024 * 1024;
/** Pages may have nothing on them, but not for ever. */
const PAGES_MAX = 20_000;
/** Most bytes of `BACKUP.md5`: a hundred for each object. */
const SUMS_BYTES_MAX = 400 * 1024 * 1024;

/** Of small objects the server takes longer to answer than to give them: so many of a range are asked for at a time. */
const SMALL_OBJECTS_AHEAD = 8;
const SMALL_BYTES = 64 * 1024;

/** What is wanted of an object. */
interface ObjectPart {
  object: ListedObject;
  from: number;
  to: number;
}

export class ObjectsClient implements AddressClient {
  readonly #bucket: S3Bucket;
  /** What the names of the objects begin with. */
  readonly #prefix: string;
  readonly #name: string;
  readonly #connections: Connections;
  readonly #options: RangeClientOptions;
  /** In the order of the archive. */
  #objects: readonly ListedObject[] = [];
  #starts = new Float64Array(0);

  private constructor(bucket: S3Bucket, address: ObjectsAddress, options: RangeClientOptions) {
    this.#bucket = bucket;
    this.#prefix = address.key;
    this.#name = shownAddress(address);
    this.#connections = new Connections(options.timeoutMs, process.env);
    this.#options = options;
  }

  /** @throws XbstreamError `XB_USAGE`, `XB_IO` */
  static async to(address: ObjectsAddress, options: RangeClientOptions): Promise<ObjectsClient> {
    return new ObjectsClient(await S3Bucket.of(address), address, options);
  }

  /** Lists what there is, and gives its first bytes. @throws XbstreamError `XB_IO`, `XB_CHANGED` */
  async open(opening: Opening, signal?: AbortSignal): Promise<void> {
    const found = await this.#list(this.#prefix, signal);
    const expected = await this.#expected(signal);
    const { objects } = layOut(found, expected);
    this.#objects = objects;
    this.#starts = new Float64Array(objects.length);
    let sizeBytes = 0;
    for (const [index, { bytes }] of objects.entries()) {
      this.#starts[index] = sizeBytes;
      sizeBytes += bytes;
    }
    const plain = found.map(({ key, bytes }) => ({ key, bytes }));
    opening.found({ sizeBytes, hasRanges: true, objects: { found: plain, expected } }, NO_FLOW);
    await this.read(0, Math.min(HEAD_BYTES, sizeBytes), opening, signal);
  }

  /** Reads a range, object by object; of small ones some are under way at a time. @throws XbstreamError `XB_IO`, `XB_CHANGED` */
  async read(start: number, end: number, body: Body, signal?: AbortSignal): Promise<void> {
    const parts = this.#partsOf(start, end);
    const small: (Promise<readonly Buffer[]> | undefined)[] = [];
    for (const [index, part] of parts.entries()) {
      for (let next = small.length; next < Math.min(parts.length, index + SMALL_OBJECTS_AHEAD); next += 1) {
        small.push(this.#ifSmall(parts[next]!, signal));
      }
      const pieces = small[index];
      small[index] = undefined;
      if (pieces === undefined) await this.#clientOf(part.object).read(part.from, part.to, body, signal);
      else for (const bytes of await pieces) body.take(bytes);
    }
  }

  /** What of which objects makes up a range. */
  #partsOf(start: number, end: number): ObjectPart[] {
    const parts: ObjectPart[] = [];
    let index = firstIndex(this.#starts.length, (each) => this.#starts[each]! > start) - 1;
    for (let at = start; at < end; index += 1) {
      const object = this.#objects[index]!;
      const objectStart = this.#starts[index]!;
      const to = Math.min(object.bytes, end - objectStart);
      parts.push({ object, from: at - objectStart, to });
      at = objectStart + to;
    }
    return parts;
  }

  #ifSmall(part: ObjectPart, signal: AbortSignal | undefined): Promise<readonly Buffer[]> | undefined {
    if (part.to - part.from > SMALL_BYTES) return undefined;
    const pieces = this.#piecesOf(part, signal);
    // Whoever waits for it hears that; perhaps one before it fails, and nobody does.
    pieces.catch(() => undefined);
    return pieces;
  }

  async #piecesOf({ object, from, to }: ObjectPart, signal: AbortSignal | undefined): Promise<readonly Buffer[]> {
    const pieces: Buffer[] = [];
    await this.#clientOf(object).read(from, to, { take: (bytes) => pieces.push(Buffer.from(bytes)) }, signal);
    return pieces;
  }

  close(): void {
    this.#connections.close();
  }

  #clientOf({ key, bytes, etag }: ListedObject): RangeClient {
    const target = new S3Target(this.#bucket, this.#prefix + pathText(key));
    return RangeClient.over(target, this.#connections, this.#options, { etag, sizeBytes: bytes });
  }

  /** All that are called as an object of xbcloud's is, by their names below the prefix. */
  async #list(prefix: string, signal: AbortSignal | undefined): Promise<ListedObject[]> {
    const found: ListedObject[] = [];
    const length = Buffer.byteLength(prefix);
    let others = 0;
    let next: string | undefined;
    for (let pages = 0; pages < PAGES_MAX; pages += 1) {
      const page = await this.#page(prefix, next, signal);
      for (const { key, bytes, etag } of page.objects) {
        const name = rawPath(key.slice(length));
        if (objectName(name) === undefined) others += 1;
        else found.push({ key: name, bytes, etag });
      }
      if (found.length === 0 && (page.next === undefined || others > OTHERS_MAX)) throw this.#none();
      if (found.length > OBJECTS_MAX) break;
      if (page.next === undefined) return found;
      next = page.next;
    }
    throw new XbstreamError('XB_IO', `${this.#name} has more than ${OBJECTS_MAX} objects, or a list without an end`);
  }

  async #page(
    prefix: string,
    next: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<ReturnType<typeof readPage>> {
    const target = new S3Target(this.#bucket, prefix, pageQuery(next));
    const client = RangeClient.over(target, this.#connections, this.#options);
    const page = readPage((await client.whole(PAGE_BYTES_MAX, signal)).toString(), this.#name);
    // What a store gives beside is not what was asked for.
    const start = Buffer.from(prefix).toString('latin1');
    return { ...page, objects: page.objects.filter(({ key }) => key.startsWith(start)) };
  }

  /** The objects that `BACKUP.md5` beside the objects names; none where there is none. */
  async #expected(signal: AbortSignal | undefined): Promise<StoredPath[]> {
    const key = `${this.#prefix.replace(/\/+$/, '')}.md5`;
    const { objects } = await this.#page(key, undefined, signal);
    const sums = objects.find((object) => pathText(object.key) === key);
    if (sums === undefined) return [];
    const client = RangeClient.over(new S3Target(this.#bucket, key), this.#connections, this.#options);
    return keysOfSums((await client.whole(SUMS_BYTES_MAX, signal)).toString('latin1'));
  }

  #none(): XbstreamError {
    return new XbstreamError('XB_IO', `there are no objects of xbcloud's below ${this.#name}`, {
      hints: [
        'a backup is named with a slash at its end, and its objects are called as BACKUP/db/t.ibd.00000000000000000000 is',
      ],
    });
  }
}
