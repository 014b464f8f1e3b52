import type { Hash } from 'node:crypto';
import { XbstreamError } from '../errors.js';
import { pathText, type StoredPath } from '../format/stored-path.js';
import { PIECE_ROOM_BYTES } from '../input/source.js';
import type { Output, OutputFile, WriteGrant } from './output.js';

const ZEROS = Buffer.alloc(256 * 1024);

/** Throws everything away: for looking whether it is all right. */
export class DiscardingOutput implements Output {
  /** No hole is worth leaving. */
  readonly blockBytes = 2 ** 30;
  readonly #hash: boolean;
  readonly #room = Buffer.allocUnsafeSlow(PIECE_ROOM_BYTES);

  /** @param hash work out the SHA-256 of each file */
  constructor(hash: boolean) {
    this.#hash = hash;
  }

  open(path: StoredPath): OutputFile {
    return this.#hash ? new HashedFile(path) : new DiscardedFile(path);
  }

  correctForeign(): void {
    // Nothing was there before.
  }

  room(): Buffer {
    return this.#room;
  }

  endStep(): void {
    // Nothing here waits for input.
  }

  close(): void {
    // Nothing is held.
  }

  drain(): void {
    // Nothing is under way.
  }

  release(): void {
    // Nothing is held.
  }
}

abstract class PassingFile implements OutputFile {
  path: StoredPath;
  sizeBytes = 0;
  readonly kept = false;
  sha256: string | undefined;

  constructor(path: StoredPath) {
    this.path = path;
  }

  abstract write(bytes: Buffer, fileOffset: number): void;

  finish(sizeBytes: number, done: () => void): void {
    this.sizeBytes = sizeBytes;
    done();
  }

  remove(): void {
    // There is nothing of it.
  }

  rename(path: StoredPath): void {
    this.path = path;
  }

  abandon(): undefined {
    return undefined;
  }
}

class DiscardedFile extends PassingFile {
  grant(): WriteGrant {
    return { descriptor: undefined, release: () => undefined };
  }

  override write(): void {
    // That its checksums hold is all that counts.
  }
}

class HashedFile extends PassingFile {
  readonly #hash: Hash = process.getBuiltinModule('node:crypto').createHash('sha256');
  #hashedBytes = 0;

  override write(bytes: Buffer, fileOffset: number): void {
    this.#fill(fileOffset);
    this.#hash.update(bytes);
    this.#hashedBytes += bytes.length;
  }

  override finish(sizeBytes: number, done: () => void): void {
    this.#fill(sizeBytes);
    this.sha256 = this.#hash.digest('hex');
    super.finish(sizeBytes, done);
  }

  /** Holes are zeros. */
  #fill(fileOffset: number): void {
    if (fileOffset < this.#hashedBytes) throw this.#outOfOrder(fileOffset);
    while (this.#hashedBytes < fileOffset) {
      const piece = ZEROS.subarray(0, fileOffset - this.#hashedBytes);
      this.#hash.update(piece);
      this.#hashedBytes += piece.length;
    }
  }

  #outOfOrder(fileOffset: number): XbstreamError {
    return new XbstreamError(
      'XB_UNSUPPORTED_ORDER',
      `no checksum of ${pathText(this.path)}: its content is not in order`,
      {
        path: this.path,
        details: [`expected byte ${this.#hashedBytes} of the file, found byte ${fileOffset}`],
        hints: ['unpack it: tsxbstream extract --manifest can do it'],
      },
    );
  }
}
