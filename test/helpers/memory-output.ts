import { type StoredPath } from '../../dist/format/stored-path.js';
import { XbstreamError } from '../../dist/errors.js';
import type { Output, OutputFile } from '../../dist/output/output.js';
import { PIECE_ROOM_BYTES } from '../../dist/input/source.js';

/** Content beyond this is only noted, not kept. */
const FAR_BYTES = 64 * 1024 * 1024;
const EMPTY = Buffer.alloc(0);

/** An output without disk or calls: lets an archive run through a lane some ten thousand times a second. */
export class MemoryOutput implements Output {
  readonly isWritten = true;
  /** Files that have their final names. */
  readonly files = new Map<string, Buffer>();
  /** Names of what was left unfinished. */
  readonly abandoned: string[] = [];
  readonly blockBytes = 4096;
  closed = false;
  readonly #taken = new Set<string>();
  readonly #directories = new Set<string>();
  readonly #room = Buffer.allocUnsafeSlow(PIECE_ROOM_BYTES);

  open(path: StoredPath): OutputFile {
    if (this.#taken.has(path)) throw new XbstreamError('XB_TARGET_EXISTS', `two files want to be ${path}`);
    // A file cannot lie where a directory must be, nor the other way round.
    if (this.#directories.has(path)) throw new XbstreamError('XB_TARGET_EXISTS', `${path} is a directory`);
    for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
      const directory = path.slice(0, slash);
      if (this.#taken.has(directory)) throw new XbstreamError('XB_IO', `${directory} is a file`);
      this.#directories.add(directory);
    }
    this.#taken.add(path);
    return new MemoryFile(this, path);
  }

  correctForeign(): void {
    // Nothing was here before.
  }

  room(): Buffer {
    return this.#room;
  }

  endStep(): void {
    // Nothing waits.
  }

  close(): void {
    this.closed = true;
  }

  drain(): void {
    // Nothing is under way.
  }

  release(): void {
    // Nothing is held.
  }

  forget(path: string): void {
    this.#taken.delete(path);
    this.files.delete(path);
  }

  give(path: string, content: Buffer): void {
    this.#taken.add(path);
    this.files.set(path, content);
  }
}

class MemoryFile implements OutputFile {
  path: StoredPath;
  readonly kept = false;
  readonly sha256 = undefined;
  sizeBytes = 0;
  readonly #output: MemoryOutput;
  #content: Buffer = EMPTY;
  readonly #far: string[] = [];
  #isAside = false;

  constructor(output: MemoryOutput, path: StoredPath) {
    this.#output = output;
    this.path = path;
  }

  write(bytes: Buffer, fileOffset: number): void {
    const end = fileOffset + bytes.length;
    if (end > FAR_BYTES) {
      this.#far.push(`${fileOffset}:${bytes.toString('hex', 0, 64)}`);
      return;
    }
    this.#grow(end);
    if (bytes.length === 1) this.#content[fileOffset] = bytes[0]!;
    else bytes.copy(this.#content, fileOffset);
  }

  finish(sizeBytes: number, done: () => void): void {
    this.sizeBytes = sizeBytes;
    if (sizeBytes > FAR_BYTES) {
      this.#content = Buffer.from(`a file of ${sizeBytes} bytes: ${this.#far.join(' ')}`);
    } else {
      this.#grow(sizeBytes);
      this.#content = this.#content.subarray(0, sizeBytes);
    }
    this.#output.give(this.path, this.#content);
    done();
  }

  remove(): void {
    // Another may have its name meanwhile.
    if (!this.#isAside) this.#output.forget(this.path);
  }

  rename(path: StoredPath, replaced: OutputFile | undefined): void {
    if (replaced !== undefined) this.#output.forget(replaced.path);
    if (this.#output.files.has(path)) throw new XbstreamError('XB_TARGET_EXISTS', `${path} is taken`);
    this.#output.forget(this.path);
    this.path = path;
    this.#output.give(path, this.#content);
  }

  setAside(): void {
    this.#isAside = true;
    this.#output.forget(this.path);
  }

  restore(): void {
    this.#isAside = false;
    this.#output.give(this.path, this.#content);
  }

  abandon(): undefined {
    this.#output.forget(this.path);
    this.#output.abandoned.push(this.path);
    return undefined;
  }

  /** Makes room up to `endBytes`; what no content comes for is zeros. */
  #grow(endBytes: number): void {
    if (endBytes <= this.#content.length) return;
    const content = Buffer.alloc(Math.max(endBytes, Math.min(this.#content.length * 2, FAR_BYTES)));
    this.#content.copy(content);
    this.#content = content;
  }
}
