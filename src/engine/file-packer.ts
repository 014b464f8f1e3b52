import * as fs from 'node:fs';
import * as os from 'node:os';
import type { ArchiveWriter } from '../archive/writer.js';
import { systemError, XbstreamError } from '../errors.js';
import { pathForSystem, pathText } from '../format/stored-path.js';
import type { ListedFile } from '../input/file-list.js';
import { Stopped } from '../output/sinks.js';
import { ChunkMaker } from './chunk-maker.js';
import { chunkRoomBytes, readChunk, ReadAhead, type ReadChunk } from './read-ahead.js';

/** A second thread takes some 50 ms to start: what is less than this is done sooner without it. */
const READ_AHEAD_FROM_BYTES = 64 * 1024 * 1024;
/** A named pipe in the place of a file must not make the opening wait. */
const OPEN_FLAGS = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOCTTY;

export interface FilePackerOptions {
  chunkBytes: number;
  sparse: boolean;
  /** Asked before each piece. */
  isStopped: () => boolean;
  /** Whether a file is the very archive that is being written. */
  isOutput: (stat: fs.BigIntStats) => boolean;
  /** Bytes were read. */
  onProgress: (bytes: number) => void;
}

/** Puts files into an archive, chunk by chunk. */
export class FilePacker {
  readonly #writer: ArchiveWriter;
  readonly #options: FilePackerOptions;
  readonly #memory: Buffer;
  readonly #chunks: ChunkMaker;
  #packedBytes = 0;
  #readAhead: ReadAhead | undefined;

  constructor(writer: ArchiveWriter, options: FilePackerOptions) {
    this.#writer = writer;
    this.#options = options;
    this.#memory = Buffer.allocUnsafeSlow(chunkRoomBytes(options.chunkBytes));
    this.#chunks = new ChunkMaker(writer);
  }

  /**
   * @returns bytes of the file
   * @throws XbstreamError `XB_IO`, also when the file changes or vanishes meanwhile; {@link Stopped}
   */
  pack(file: ListedFile): number {
    const name = pathText(file.path);
    let fd: number;
    try {
      fd = fs.openSync(pathForSystem(file.path), OPEN_FLAGS);
    } catch (error) {
      throw systemError(`cannot read ${name}`, error);
    }
    try {
      return this.#packOpen(file, fd);
    } catch (error) {
      if (error instanceof Stopped) throw error;
      throw systemError(`cannot read ${name}`, error);
    } finally {
      fs.closeSync(fd);
    }
  }

  #packOpen(file: ListedFile, fd: number): number {
    const { chunkBytes, isOutput } = this.#options;
    const before = fs.fstatSync(fd, { bigint: true });
    if (!before.isFile()) throw changed(file, 'it is no regular file any more');
    if (isOutput(before)) {
      throw new XbstreamError('XB_IO', `${pathText(file.path)} is the archive itself`, {
        path: file.path,
        hints: ['write it elsewhere, or by -o ARCHIVE, which leaves it out'],
      });
    }
    const size = Number(before.size);
    for (let fileOffset = 0; fileOffset < size;) {
      const wanted = Math.min(chunkBytes, size - fileOffset);
      const next = fileOffset + wanted;
      const ahead = next < size ? this.#ahead() : undefined;
      const aheadBytes = Math.min(chunkBytes, size - next);
      ahead?.ask(fd, next, aheadBytes);
      let chunk: ReadChunk | undefined;
      try {
        this.#put(file, fileOffset, this.#read(fd, fileOffset, wanted), wanted);
      } finally {
        chunk = ahead?.take();
      }
      fileOffset = next;
      if (chunk === undefined) continue;
      this.#options.onProgress(aheadBytes);
      this.#put(file, next, chunk, aheadBytes);
      fileOffset += aheadBytes;
    }
    const after = fs.fstatSync(fd, { bigint: true });
    if (after.size !== before.size) throw changed(file, `it had ${before.size} bytes, and now has ${after.size}`);
    if (after.mtimeNs !== before.mtimeNs || after.ctimeNs !== before.ctimeNs) {
      throw changed(file, after.nlink === 0n ? 'it was removed' : 'it was written to');
    }
    this.#writer.end(file.name);
    return size;
  }

  #read(fd: number, fileOffset: number, wanted: number): ReadChunk {
    return readChunk(fd, this.#memory, fileOffset, wanted, (bytes) => {
      if (this.#options.isStopped()) throw new Stopped();
      this.#options.onProgress(bytes);
    });
  }

  #put(file: ListedFile, fileOffset: number, { bytes, crc }: ReadChunk, wanted: number): void {
    if (bytes.length < wanted) throw changed(file, `it ends at byte ${fileOffset + bytes.length}`);
    if (this.#options.sparse) this.#chunks.sparse(file.name, fileOffset, bytes);
    else this.#writer.payload(file.name, fileOffset, bytes, crc);
    this.#packedBytes += wanted;
  }

  /** A second thread, where it is worth starting one. */
  #ahead(): ReadAhead | undefined {
    if (this.#packedBytes < READ_AHEAD_FROM_BYTES || os.availableParallelism() < 2) return undefined;
    this.#readAhead ??= new ReadAhead(this.#options.chunkBytes);
    return this.#readAhead.isReady ? this.#readAhead : undefined;
  }

  close(): void {
    this.#readAhead?.close();
  }
}

function changed({ path }: ListedFile, how: string): XbstreamError {
  return new XbstreamError('XB_IO', `${pathText(path)} changed while it was read`, {
    path,
    details: [how],
    hints: ['the archive would not hold the file as it ever was: stop what writes to it, and try again'],
  });
}
