import * as fs from 'node:fs';
import { systemError, XbstreamError } from '../../errors.js';
import { OneFile, type PositionedBytes } from '../positioned.js';

interface Part {
  path: string;
  file: OneFile;
  /** Where it begins in all of them together, in bytes. */
  startBytes: number;
  endBytes: number;
}

/** Several files, one behind the other, as if they were one. */
export class FileParts implements PositionedBytes {
  readonly #parts: Part[] = [];
  #endBytes = 0;
  /** The part that was read last. */
  #current = 0;

  /** @throws XbstreamError `XB_IO` for one that cannot be opened, or is no file */
  constructor(paths: readonly string[]) {
    try {
      for (const path of paths) this.#open(path);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #open(path: string): void {
    let fd: number | undefined;
    try {
      // What is no file is never opened: a pipe would be waited for.
      if (!fs.statSync(path).isFile()) {
        throw new XbstreamError('XB_IO', `${path} is no file: parts of an archive are read by position`);
      }
      fd = fs.openSync(path, fs.constants.O_RDONLY);
    } catch (error) {
      throw systemError(`cannot open ${path}`, error);
    }
    const file = new OneFile(fd, path, true);
    const startBytes = this.#endBytes;
    this.#endBytes += file.endBytes;
    this.#parts.push({ path, file, startBytes, endBytes: this.#endBytes });
  }

  read(memory: Buffer, at: number, bytes: number, position: number): number {
    let done = 0;
    while (done < bytes) {
      const part = this.#partAt(position + done);
      if (part === undefined) break;
      const wanted = Math.min(bytes - done, part.endBytes - position - done);
      const count = part.file.read(memory, at + done, wanted, position + done - part.startBytes);
      if (count === 0) throw new XbstreamError('XB_IO', `${part.path} has become shorter while it was being read`);
      done += count;
    }
    return done;
  }

  get endBytes(): number {
    return this.#endBytes;
  }

  placeOf(position: number): string | undefined {
    const part = this.#partAt(position) ?? this.#parts.at(-1);
    return part && `byte ${position - part.startBytes} of ${part.path}`;
  }

  #partAt(position: number): Part | undefined {
    const has = ({ startBytes, endBytes }: Part): boolean => position >= startBytes && position < endBytes;
    const current = this.#parts[this.#current];
    if (current !== undefined && has(current)) return current;
    const found = this.#parts.findIndex(has);
    if (found === -1) return undefined;
    this.#current = found;
    return this.#parts[found];
  }

  close(): void {
    for (const { file } of this.#parts.splice(0)) file.close();
  }
}
