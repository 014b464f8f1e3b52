/** The objects of a backup at an address, each of which is read as a part of what is fetched as a whole. */
import { MAX_HEADER_BYTES } from '../../format/chunk.js';
import type { StoredPath } from '../../format/stored-path.js';
import { layOut } from '../parts/object-layout.js';
import { assertOwn, ObjectsSource, type ReadableObject } from '../parts/objects.js';
import type { PositionedBytes } from '../positioned.js';
import type { FoundObjects } from './fetch-protocol.js';
import type { RemoteBytes } from './remote-bytes.js';

/**
 * @param name of the address, with a slash at its end
 * @throws XbstreamError `XB_IO`
 */
export function openRemoteObjects(
  bytes: RemoteBytes,
  { found, expected }: FoundObjects,
  name: string,
  isStopped: () => boolean,
): ObjectsSource {
  const layout = layOut(found, expected);
  let start = 0;
  const objects = layout.objects.map((object) => {
    const remote = new RemoteObject(bytes, object.key, start, object.bytes);
    start += object.bytes;
    return remote;
  });
  assertOwn(objects, name.replace(/\/+$/, ''));
  return ObjectsSource.of({ ...layout, objects }, name, isStopped, bytes);
}

class RemoteObject implements ReadableObject {
  readonly key: StoredPath;
  readonly bytes: number;
  readonly #all: RemoteBytes;
  readonly #start: number;

  constructor(all: RemoteBytes, key: StoredPath, start: number, bytes: number) {
    this.key = key;
    this.bytes = bytes;
    this.#all = all;
    this.#start = start;
  }

  open(): PositionedBytes {
    return new OpenObject(this.#all, this.#start, this.bytes);
  }
}

/** The head of an object is looked at before it is read: kept, so that who fetches ahead sees nobody go back. */
class OpenObject implements PositionedBytes {
  readonly endBytes: number;
  readonly #all: RemoteBytes;
  readonly #start: number;
  #head: Buffer | undefined;

  constructor(all: RemoteBytes, start: number, endBytes: number) {
    this.#all = all;
    this.#start = start;
    this.endBytes = endBytes;
  }

  read(memory: Buffer, at: number, bytes: number, position: number): number {
    if (position >= MAX_HEADER_BYTES) return this.#all.read(memory, at, bytes, this.#start + position);
    const head = (this.#head ??= this.#readHead());
    return head.length <= position
      ? this.#all.read(memory, at, bytes, this.#start + position)
      : head.copy(memory, at, position, Math.min(head.length, position + bytes));
  }

  #readHead(): Buffer {
    const head = Buffer.alloc(Math.min(this.endBytes, MAX_HEADER_BYTES));
    for (let done = 0; done < head.length;) {
      const count = this.#all.read(head, done, head.length - done, this.#start + done);
      if (count === 0) return head.subarray(0, done);
      done += count;
    }
    return head;
  }

  close(): void {
    // What is fetched is not its own.
  }
}
