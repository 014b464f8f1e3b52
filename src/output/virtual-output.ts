/** What outputs have in common that write no files into a directory: nothing was there before, nothing is under way. */
import type { StoredPath } from '../format/stored-path.js';
import { PIECE_ROOM_BYTES } from '../input/source.js';
import type { Output, OutputFile } from './output.js';

export abstract class UnwrittenOutput implements Output {
  readonly isWritten: boolean = false;
  abstract readonly blockBytes: number;
  readonly #room = Buffer.allocUnsafeSlow(PIECE_ROOM_BYTES);

  abstract open(path: StoredPath): OutputFile;

  correctForeign(_path: StoredPath): void {
    // Nothing was there before.
  }

  room(): Buffer {
    return this.#room;
  }

  endStep(): void {
    // What is kept was copied.
  }

  close(): void {
    // Files have their names already.
  }

  drain(): void {
    // Nothing is under way.
  }

  release(): void {
    // Nothing is held but memory.
  }
}

export abstract class UnwrittenFile implements OutputFile {
  path: StoredPath;
  sizeBytes = 0;
  readonly kept: boolean = false;
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

  rename(path: StoredPath, replaced: OutputFile | undefined): void {
    replaced?.remove();
    this.path = path;
  }

  setAside(): void {
    // It has no name that anybody sees.
  }

  restore(): void {
    // As above.
  }

  abandon(): undefined {
    return undefined;
  }
}
