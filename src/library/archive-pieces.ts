import * as fs from 'node:fs';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import { systemError, XbstreamError } from '../errors.js';
import { inputName, positionOf, reopenPipe } from '../input/open-source.js';
import { piecesOf, type ByteStream, type Pieces } from '../input/pieces.js';
import { streamError, systemInput, type ArchiveInput } from './input.js';

/** Most bytes of a piece: what is done with one keeps the event loop for well below a millisecond. */
const PIECE_BYTES = 256 * 1024;

const open = promisify(fs.open);
const read = promisify(fs.read);

/** The bytes of an archive, in this thread, a piece at a time; nothing in it waits for a disk. */
export interface ArchivePieces {
  /**
   * The next piece; the reader's own from then on.
   *
   * @returns undefined at the end
   * @throws XbstreamError `XB_IO`, `XB_USAGE` for what is no bytes
   */
  next(): Promise<Buffer | undefined>;
  /** Passes over bytes that come next, where that spares reading them. @returns how many, perhaps none */
  skip(most: number): number;
  /** No more are wanted. */
  close(): void;
}

/** @throws XbstreamError `XB_USAGE`, `XB_IO` */
export async function openPieces(input: ArchiveInput): Promise<ArchivePieces> {
  const choice = systemInput(input);
  if (choice === undefined) return new StreamPieces(piecesOf(input as ByteStream));
  if (choice.kind === 'parts') return new PartsPieces(choice.paths);
  const name = inputName(choice);
  try {
    const fd = choice.kind === 'path' ? await open(choice.path, 'r') : choice.fd;
    const stat = fs.fstatSync(fd);
    if (stat.isFIFO()) {
      const pipe = choice.kind === 'path' ? fd : reopenPipe(fd);
      return new StreamPieces(piecesOf(new Socket({ fd: pipe, readable: true, writable: false })));
    }
    // The handle itself is kept, too: one that nobody holds is closed.
    return new FilePieces(fd, { name, position: positionOf(choice, fd), isOwn: choice.kind === 'path', kept: input });
  } catch (error) {
    throw systemError(`cannot open ${name}`, error);
  }
}

/** Gives back an input that nothing was read of: a stream of the caller's is destroyed. */
export function giveBackUnread(input: ArchiveInput): void {
  try {
    if (systemInput(input) === undefined) piecesOf(input as ByteStream).cancel();
  } catch {
    // It is no input, or somebody else reads it.
  }
}

interface FileFacts {
  name: string;
  /** Where the archive begins, in bytes. */
  position: number;
  isOwn: boolean;
  kept: unknown;
}

class FilePieces implements ArchivePieces {
  readonly #fd: number;
  readonly #facts: FileFacts;
  #position: number;
  #isClosed = false;
  #reading = false;

  constructor(fd: number, facts: FileFacts) {
    this.#fd = fd;
    this.#facts = facts;
    this.#position = facts.position;
  }

  async next(): Promise<Buffer | undefined> {
    const room = Buffer.allocUnsafeSlow(PIECE_BYTES);
    this.#reading = true;
    try {
      const { bytesRead } = await read(this.#fd, room, 0, room.length, this.#position);
      this.#position += bytesRead;
      return bytesRead === 0 ? undefined : room.subarray(0, bytesRead);
    } catch (error) {
      throw systemError(`cannot read ${this.#facts.name}`, error);
    } finally {
      this.#reading = false;
      if (this.#isClosed) this.#giveBack();
    }
  }

  skip(most: number): number {
    // Not beyond the end: a cut must be seen.
    const bytes = Math.min(most, Math.max(0, fs.fstatSync(this.#fd).size - this.#position));
    this.#position += bytes;
    return bytes;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (!this.#reading) this.#giveBack();
  }

  #giveBack(): void {
    if (this.#facts.isOwn) fs.close(this.#fd, () => undefined);
  }
}

/** Files, one behind the other. */
class PartsPieces implements ArchivePieces {
  readonly #paths: string[];
  #current: ArchivePieces | undefined;

  constructor(paths: readonly string[]) {
    this.#paths = [...paths];
  }

  async next(): Promise<Buffer | undefined> {
    for (;;) {
      const piece = await this.#current?.next();
      if (piece !== undefined) return piece;
      this.close();
      const path = this.#paths.shift();
      if (path === undefined) return undefined;
      this.#current = await openPieces(path);
    }
  }

  skip(most: number): number {
    return this.#current?.skip(most) ?? 0;
  }

  close(): void {
    this.#current?.close();
    this.#current = undefined;
  }
}

class StreamPieces implements ArchivePieces {
  readonly #pieces: Pieces;
  /** What is left of a piece that was too large. */
  #rest: Buffer = Buffer.alloc(0);
  #isOver = false;

  constructor(pieces: Pieces) {
    this.#pieces = pieces;
  }

  async next(): Promise<Buffer | undefined> {
    while (this.#rest.length === 0) {
      const piece = await this.#nextOfStream();
      if (piece === undefined) return undefined;
      this.#rest = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    }
    const piece = this.#rest.subarray(0, PIECE_BYTES);
    this.#rest = this.#rest.subarray(piece.length);
    return piece;
  }

  async #nextOfStream(): Promise<Uint8Array | undefined> {
    try {
      const piece = await this.#pieces.next();
      if (piece === undefined) this.#isOver = true;
      return piece;
    } catch (error) {
      throw error instanceof XbstreamError ? error : streamError(error);
    }
  }

  skip(most: number): number {
    const bytes = Math.min(most, this.#rest.length);
    this.#rest = this.#rest.subarray(bytes);
    return bytes;
  }

  close(): void {
    if (!this.#isOver) this.#pieces.cancel();
  }
}
