/** Puts files into an archive, chunk by chunk. */
import * as fs from 'node:fs';
import type { ArchiveWriter } from '../../archive/writer.js';
import { systemError, XbstreamError } from '../../errors.js';
import { crc32 } from '../../format/crc32.js';
import { pathForSystem, pathText } from '../../format/stored-path.js';
import { closeRead } from '../../input/close.js';
import type { ListedFile } from './file-list.js';
import { isSameFile } from '../../output/file-identity.js';
import { PAGE_BYTES, PIECE_BYTES, startInRoom } from '../../input/source.js';
import { Stopped } from '../../output/sinks.js';
import { ChunkMaker } from './chunk-maker.js';

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

export class FilePacker {
  readonly #writer: ArchiveWriter;
  readonly #options: FilePackerOptions;
  readonly #memory: Buffer;
  readonly #chunks: ChunkMaker;

  constructor(writer: ArchiveWriter, options: FilePackerOptions) {
    this.#writer = writer;
    this.#options = options;
    this.#memory = Buffer.allocUnsafeSlow(options.chunkBytes + PAGE_BYTES);
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
      closeRead(fd);
    }
  }

  #packOpen(file: ListedFile, fd: number): number {
    const { chunkBytes, isOutput } = this.#options;
    const before = fs.fstatSync(fd, { bigint: true });
    if (!before.isFile()) throw changed(file, 'it is no regular file any more');
    if (!isSameFile(file.identity, fs.fstatSync(fd)))
      throw changed(file, 'another file, or a link to one, took its place');
    if (isOutput(before)) {
      throw new XbstreamError('XB_IO', `${pathText(file.path)} is the archive itself`, {
        path: file.path,
        hints: ['write it elsewhere, or by -o ARCHIVE, which leaves it out'],
      });
    }
    const size = Number(before.size);
    for (let fileOffset = 0; fileOffset < size;) {
      const wanted = Math.min(chunkBytes, size - fileOffset);
      this.#packChunk(file, fd, fileOffset, wanted);
      fileOffset += wanted;
    }
    const more = fs.readSync(fd, this.#memory, 0, 1, size);
    const after = fs.fstatSync(fd, { bigint: true });
    if (after.size !== before.size) throw changed(file, `it had ${before.size} bytes, and now has ${after.size}`);
    if (after.mtimeNs !== before.mtimeNs || after.ctimeNs !== before.ctimeNs) {
      throw changed(file, after.nlink === 0n ? 'it was removed' : 'it was written to');
    }
    if (more > 0) throw larger(file, size);
    this.#writer.end(file.name);
    return size;
  }

  /** Reads a chunk in pieces, which are still in the CPU's caches when their checksum is worked out, and writes it. */
  #packChunk(file: ListedFile, fd: number, fileOffset: number, wanted: number): void {
    const { isStopped, onProgress, sparse } = this.#options;
    const start = startInRoom(fileOffset);
    let crc = 0;
    for (let done = 0; done < wanted;) {
      if (isStopped()) throw new Stopped();
      const at = start + done;
      const bytes = fs.readSync(fd, this.#memory, at, Math.min(PIECE_BYTES, wanted - done), fileOffset + done);
      if (bytes === 0) throw changed(file, `it ends at byte ${fileOffset + done}`);
      crc = crc32(this.#memory.subarray(at, at + bytes), crc);
      done += bytes;
      onProgress(bytes);
    }
    const chunk = this.#memory.subarray(start, start + wanted);
    if (sparse) this.#chunks.sparse(file.name, fileOffset, chunk);
    else this.#writer.payload(file.name, fileOffset, chunk, crc);
  }
}

function changed({ path }: ListedFile, how: string): XbstreamError {
  return new XbstreamError('XB_IO', `${pathText(path)} changed while it was read`, {
    path,
    details: [how],
    hints: ['the archive would not hold the file as it ever was: stop what writes to it, and try again'],
  });
}

/** What the system makes as it is read (`/proc`) has no size that can be known before. */
function larger({ path }: ListedFile, size: number): XbstreamError {
  return new XbstreamError('XB_IO', `${pathText(path)} holds more than the ${size} bytes that the system tells of it`, {
    path,
    hints: ['store a copy of it: cp FILE COPY'],
  });
}
