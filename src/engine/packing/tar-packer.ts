import type { TarConsumer } from '../../tar/reader.js';
import type { ArchiveWriter } from '../../archive/writer.js';
import { XbstreamError } from '../../errors.js';
import { MemberNames } from '../../format/member-name.js';
import { pathText, rawPath, type StoredPath } from '../../format/stored-path.js';
import { Stopped } from '../../output/sinks.js';
import { ChunkMaker } from './chunk-maker.js';

export interface TarPackerOptions {
  chunkBytes: number;
  sparse: boolean;
  absoluteNames: boolean;
  /** Asked before each chunk: a few bytes of a tar may be holes without end. */
  isStopped: () => boolean;
  /** A file begins. */
  onMember: (path: StoredPath) => void;
  onFile: (path: StoredPath, bytes: number) => void;
  onWarning: (message: string) => void;
}

/** Puts the files of a tar into an archive, chunk by chunk. */
export class TarPacker implements TarConsumer {
  readonly #writer: ArchiveWriter;
  readonly #options: TarPackerOptions;
  readonly #chunks: ChunkMaker;
  readonly #memory: Buffer;
  readonly #names: MemberNames;
  #filled = 0;
  #fileOffset = 0;
  #name = rawPath('');

  constructor(writer: ArchiveWriter, options: TarPackerOptions) {
    this.#writer = writer;
    this.#options = options;
    const { absoluteNames, onWarning } = options;
    this.#names = new MemberNames({ absoluteNames, plain: true, onWarning });
    this.#chunks = new ChunkMaker(writer);
    this.#memory = Buffer.allocUnsafeSlow(options.chunkBytes);
  }

  member(path: StoredPath): void {
    this.#name = this.#names.take(
      path,
      (name) =>
        new XbstreamError('XB_IO', `the tar holds ${pathText(name)} twice`, {
          path: name,
          hints: ['unpack the tar, and make the archive of the files: tsxbstream create FILE...'],
        }),
    );
    this.#fileOffset = 0;
    this.#filled = 0;
    this.#options.onMember(this.#name);
  }

  data(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      const copied = bytes.copy(this.#memory, this.#filled, at);
      this.#filled += copied;
      at += copied;
      if (this.#filled === this.#memory.length) this.#put();
    }
  }

  memberEnd(): void {
    if (this.#filled > 0) this.#put();
    this.#writer.end(this.#name);
    this.#options.onFile(this.#name, this.#fileOffset);
  }

  #put(): void {
    if (this.#options.isStopped()) throw new Stopped();
    const chunk = this.#memory.subarray(0, this.#filled);
    if (this.#options.sparse) this.#chunks.sparse(this.#name, this.#fileOffset, chunk);
    else this.#chunks.plain(this.#name, this.#fileOffset, chunk);
    this.#fileOffset += this.#filled;
    this.#filled = 0;
  }
}
