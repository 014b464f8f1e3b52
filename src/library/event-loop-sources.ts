/** Inputs that can be read on a caller's event loop: nothing in them waits for a disk, or a pipe, in a call of the system. */
import * as fs from 'node:fs';
import { promisify } from 'node:util';
import { systemError, XbstreamError } from '../errors.js';
import { inputName, openSource, positionOf, type SystemInputChoice } from '../input/open-source.js';
import { piecesOf, type ByteStream, type Pieces } from '../input/pieces.js';
import type { ByteSink, Source } from '../input/source.js';
import { streamError, systemInput, type ArchiveInput } from './input.js';

const stat = promisify(fs.stat);
const open = promisify(fs.open);
const read = promisify(fs.read);

/** Opens a file or a pipe. @throws XbstreamError `XB_IO`, `XB_USAGE` */
export async function openSystemInput(choice: SystemInputChoice, isStopped: () => boolean): Promise<Source> {
  const name = inputName(choice);
  try {
    const found = choice.kind === 'path' ? await stat(choice.path) : fs.fstatSync(choice.fd);
    if (found.isFile() || found.isBlockDevice()) {
      const fd = choice.kind === 'path' ? await open(choice.path, 'r') : choice.fd;
      return new FileSource(fd, { name, isOwn: choice.kind === 'path', position: positionOf(choice, fd) });
    }
  } catch (error) {
    throw systemError(`cannot open ${name}`, error);
  }
  return openSource(choice, isStopped);
}

/** Gives back an input that nothing was read of: a stream of the caller's is destroyed. */
export function giveBackUnread(input: ArchiveInput): void {
  try {
    if (systemInput(input) === undefined) new StreamSource(input as ByteStream).close();
  } catch {
    // It is no input, or somebody else reads it.
  }
}

/** A file that is read by position, without waiting for it in a call. */
class FileSource implements Source {
  readonly seekable = true;
  readonly #fd: number;
  readonly #name: string;
  readonly #isOwn: boolean;
  #position: number;
  #isStopped = false;
  #isReading = false;

  constructor(fd: number, { name, isOwn, position }: { name: string; isOwn: boolean; position: number }) {
    this.#fd = fd;
    this.#name = name;
    this.#isOwn = isOwn;
    this.#position = position;
  }

  async run(sink: ByteSink): Promise<void> {
    while (!this.#isStopped) {
      const memory = sink.room();
      const bytes = await this.#read(memory);
      if (bytes === 0) return;
      this.#position += bytes;
      await sink.push(memory.subarray(0, bytes));
      this.#jump(sink);
    }
  }

  async #read(memory: Buffer): Promise<number> {
    this.#isReading = true;
    try {
      return (await read(this.#fd, memory, 0, memory.length, this.#position)).bytesRead;
    } catch (error) {
      throw systemError(`cannot read ${this.#name}`, error);
    } finally {
      this.#isReading = false;
      if (this.#isStopped) this.#giveBack();
    }
  }

  /** Not beyond the end: a cut must be seen. */
  #jump(sink: ByteSink): void {
    if (this.#isStopped || sink.skippableBytes === 0) return;
    const bytes = Math.min(sink.skippableBytes, Math.max(0, fs.fstatSync(this.#fd).size - this.#position));
    this.#position += bytes;
    sink.skip(bytes);
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    if (!this.#isReading) this.#giveBack();
  }

  close(): void {
    this.stop();
  }

  /** Not while it is read: the number of its descriptor may become another file's. */
  #giveBack(): void {
    if (this.#isOwn) fs.close(this.#fd, () => undefined);
  }
}

/** A stream of the caller's. Its pieces are given as they are, for a sink that has no use for memory of its own. */
export class StreamSource implements Source {
  readonly seekable = false;
  readonly #pieces: Pieces;
  #isOver = false;

  /** @throws XbstreamError `XB_USAGE` for a stream that somebody else reads */
  constructor(stream: ByteStream) {
    this.#pieces = piecesOf(stream);
  }

  async run(sink: ByteSink): Promise<void> {
    for (let piece = await this.#next(); piece !== undefined; piece = await this.#next()) {
      await sink.push(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
    }
  }

  /** @returns undefined at the end, and when no more is wanted */
  async #next(): Promise<Uint8Array | undefined> {
    if (this.#isOver) return undefined;
    try {
      const piece = await this.#pieces.next();
      this.#isOver ||= piece === undefined;
      return piece;
    } catch (error) {
      throw error instanceof XbstreamError ? error : streamError(error);
    }
  }

  stop(): void {
    if (!this.#isOver) this.#pieces.cancel();
    this.#isOver = true;
  }

  close(): void {
    this.stop();
  }
}
