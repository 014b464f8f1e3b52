import type { Hash } from 'node:crypto';
import { XbstreamError } from '../errors.js';
import { pathText, type StoredPath } from '../format/stored-path.js';
import type { OutputFile } from './output.js';
import { UnwrittenFile, UnwrittenOutput } from './virtual-output.js';

const ZEROS = Buffer.alloc(256 * 1024);

/** Throws everything away: for looking whether it is all right. */
export class DiscardingOutput extends UnwrittenOutput {
  /** No hole is worth leaving. */
  readonly blockBytes = 2 ** 30;
  readonly #hash: boolean;

  /** @param hash work out the SHA-256 of each file */
  constructor(hash: boolean) {
    super();
    this.#hash = hash;
  }

  open(path: StoredPath): OutputFile {
    return this.#hash ? new HashedFile(path) : new DiscardedFile(path);
  }
}

class DiscardedFile extends UnwrittenFile {
  override write(): void {
    // That its checksums hold is all that counts.
  }
}

class HashedFile extends UnwrittenFile {
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
