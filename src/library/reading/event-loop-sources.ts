/** Inputs that can be read on a caller's event loop: nothing in them waits for a disk, or a pipe, in a call of the system. */
import * as fs from 'node:fs';
import { promisify } from 'node:util';
import { systemError, XbstreamError } from '../../errors.js';
import {
  inputName,
  positionOf,
  type AddressChoice,
  type PartsChoice,
  type StreamChoice,
  type SystemInputChoice,
} from '../../input/open-source.js';
import { piecesOf, type ByteStream, type Pieces } from '../../input/stream/pieces.js';
import { PIECE_BYTES, type ByteSink, type Source } from '../../input/source.js';
import { TimeSlice } from '../../input/stream/time-slice.js';
import { stalled, waitMs } from '../../input/timed-source.js';
import { WRAPPER_HEAD_BYTES } from '../../wrapper/formats.js';
import { openArchive, unwrapped } from '../../wrapper/open-archive.js';
import { streamError, systemInput, type ArchiveInput } from '../caller/input.js';

const stat = promisify(fs.stat);
const open = promisify(fs.open);
const read = promisify(fs.read);

/** What can be looked at before it is read. */
interface HeadedSource extends Source {
  /** Its first bytes, so many if there are; they come with all others, too. */
  head(bytes: number): Promise<Buffer>;
}

/**
 * Opens a file, several, a pipe, or what lies at an address, and undoes what the archive is wrapped in as a whole.
 *
 * @throws XbstreamError `XB_IO`, `XB_USAGE`
 */
export async function openSystemInput(
  choice: SystemInputChoice | PartsChoice | AddressChoice,
  { stream, silentSeconds }: { stream: StreamChoice; silentSeconds: number | undefined },
  isStopped: () => boolean,
): Promise<Source> {
  if (choice.kind === 'address') {
    const { addressPieces } = await import('./address-pieces.js');
    return unwrapHeaded(new StreamSource(addressPieces(choice.address, silentSeconds)), stream, isStopped);
  }
  if (choice.kind === 'parts') return unwrapHeaded(new PartsSource(choice.paths), stream, isStopped);
  const file = await openFile(choice);
  return file === undefined
    ? openArchive({ ...choice, stream, silentSeconds }, isStopped)
    : unwrapHeaded(file, stream, isStopped);
}

/** A source with undone what is around the archive as a whole, where there is anything. */
export async function unwrapHeaded(
  source: HeadedSource,
  { asIs = false, key }: StreamChoice,
  isStopped: () => boolean,
): Promise<Source> {
  return asIs ? source : unwrapped(source, () => source.head(WRAPPER_HEAD_BYTES), { isStopped, key });
}

/** @returns undefined for what is no file */
async function openFile(choice: SystemInputChoice): Promise<FileSource | undefined> {
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
  return undefined;
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
class FileSource implements HeadedSource {
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

  async head(bytes: number): Promise<Buffer> {
    const memory = Buffer.allocUnsafeSlow(bytes);
    return memory.subarray(0, await this.#read(memory));
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

/** Files, one behind the other. */
class PartsSource implements HeadedSource {
  readonly seekable = false;
  readonly #paths: readonly string[];
  #current: FileSource | undefined;
  #isStopped = false;

  constructor(paths: readonly string[]) {
    this.#paths = paths;
  }

  async head(bytes: number): Promise<Buffer> {
    let head = Buffer.alloc(0);
    for (const path of this.#paths) {
      const file = await openPart(path);
      try {
        head = Buffer.concat([head, await file.head(bytes - head.length)]);
      } finally {
        file.close();
      }
      if (head.length === bytes) break;
    }
    return head;
  }

  async run(sink: ByteSink): Promise<void> {
    for (const path of this.#paths) {
      const file = await openPart(path);
      this.#current = file;
      if (this.#isStopped) file.stop();
      await file.run(sink);
      file.close();
      if (this.#isStopped) return;
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#current?.stop();
  }

  close(): void {
    this.stop();
  }
}

async function openPart(path: string): Promise<FileSource> {
  const file = await openFile({ kind: 'path', path });
  if (file !== undefined) return file;
  throw new XbstreamError('XB_IO', `${path} is no file: parts of an archive are read by position`);
}

/** A stream of the caller's. Its pieces are given as they are, for a sink that has no use for memory of its own. */
export class StreamSource implements HeadedSource {
  readonly seekable = false;
  readonly #pieces: Pieces;
  /** What was looked at. */
  #held: Buffer = Buffer.alloc(0);
  /** Nothing more comes from the stream; what was looked at may still wait. */
  #hasEnded = false;
  #isStopped = false;
  readonly #silentSeconds: number | undefined;
  readonly #slice = new TimeSlice();
  /** Ends the wait for the next piece: of what cannot be called back that comes when it likes. */
  #wake: () => void = () => undefined;

  /**
   * @param silentSeconds so long nothing may come
   * @throws XbstreamError `XB_USAGE` for a stream that somebody else reads
   */
  constructor(stream: ByteStream, silentSeconds?: number) {
    this.#pieces = piecesOf(stream);
    this.#silentSeconds = silentSeconds;
  }

  async head(bytes: number): Promise<Buffer> {
    while (this.#held.length < bytes) {
      const piece = await this.#next();
      if (piece === undefined) break;
      this.#held = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece]);
    }
    return this.#held.subarray(0, bytes);
  }

  async run(sink: ByteSink): Promise<void> {
    const held = this.#held;
    this.#held = Buffer.alloc(0);
    if (held.length > 0) await this.#give(held, sink);
    for (let piece = await this.#next(); piece !== undefined; piece = await this.#next()) await this.#give(piece, sink);
  }

  /** A piece may be of any size, and a sink takes none that is larger than a room. */
  async #give(piece: Buffer, sink: ByteSink): Promise<void> {
    for (let at = 0; at < piece.length && !this.#isStopped; at += PIECE_BYTES) {
      await sink.push(piece.subarray(at, at + PIECE_BYTES));
    }
  }

  /** @returns undefined at the end, and when no more is wanted */
  async #next(): Promise<Buffer | undefined> {
    if (this.#hasEnded || this.#isStopped) return undefined;
    try {
      const piece = await this.#nextInTime();
      this.#hasEnded = piece === undefined;
      // Empty pieces may come without end, and without any wait.
      await this.#slice.yieldIfOver();
      return piece && Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    } catch (error) {
      throw error instanceof XbstreamError ? error : streamError(error);
    }
  }

  /** @returns undefined at the end, and when no more is wanted. @throws XbstreamError `XB_IO` when it is silent for too long */
  async #nextInTime(): Promise<Uint8Array | undefined> {
    const seconds = this.#silentSeconds;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise((resolve, reject) => {
        this.#wake = () => resolve(undefined);
        if (seconds !== undefined) timer = setTimeout(() => reject(stalled('the stream', seconds)), waitMs(seconds));
        this.#pieces.next().then(resolve, reject);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  stop(): void {
    if (!this.#hasEnded && !this.#isStopped) this.#pieces.cancel();
    this.#isStopped = true;
    this.#wake();
  }

  close(): void {
    this.stop();
  }
}
