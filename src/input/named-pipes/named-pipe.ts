import * as fs from 'node:fs';
import type { Socket } from 'node:net';
import { systemCodeOf, systemError, XbstreamError } from '../../errors.js';
import { closeRead } from '../close.js';
import { READ_BYTES, readingSocket } from '../pipe.js';

/** A pipe with a name, which is there before whoever writes to it. It is opened and read without ever waiting in a call. */
export class NamedPipe {
  readonly path: string;
  #fd: number | undefined;
  /** What came when it was seen that somebody writes. */
  #first: Buffer | undefined;
  #socket: Socket | undefined;
  readonly #room = Buffer.allocUnsafeSlow(READ_BYTES);
  #reading: { resolve: (bytes: Buffer | undefined) => void; reject: (error: Error) => void } | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** Whether the pipe itself has been found. */
  get isOpen(): boolean {
    return this.#fd !== undefined;
  }

  /**
   * Looks whether somebody has begun to write. Not asked again when so.
   *
   * @throws XbstreamError `XB_IO`
   */
  hasWriter(): boolean {
    this.#fd ??= this.#open();
    if (this.#fd === undefined) return false;
    try {
      // 0 bytes: nobody has opened it for writing. (Who has, and closes it again between two looks, is not seen.)
      const bytes = fs.readSync(this.#fd, this.#room, 0, READ_BYTES, null);
      if (bytes === 0) return false;
      this.#first = this.#room.subarray(0, bytes);
      return true;
    } catch (error) {
      if (systemCodeOf(error) === 'EAGAIN') return true;
      throw systemError(`cannot read ${this.path}`, error);
    }
  }

  #open(): number | undefined {
    try {
      const fd = fs.openSync(this.path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
      if (fs.fstatSync(fd).isFIFO()) return fd;
      closeRead(fd);
    } catch (error) {
      // Whoever writes makes it, perhaps later.
      if (systemCodeOf(error) === 'ENOENT') return undefined;
      throw systemError(`cannot open ${this.path}`, error);
    }
    throw new XbstreamError('XB_IO', `${this.path} is no named pipe`);
  }

  /**
   * What comes next.
   *
   * @returns bytes that are good until the next call; undefined at the end
   * @throws XbstreamError `XB_IO`
   */
  read(): Promise<Buffer | undefined> {
    const first = this.#first;
    if (first !== undefined) {
      this.#first = undefined;
      return Promise.resolve(first);
    }
    return new Promise((resolve, reject) => {
      this.#reading = { resolve, reject };
      this.#socket ??= this.#connect();
      this.#socket.resume();
    });
  }

  #connect(): Socket {
    const socket = readingSocket(this.#fd!, {
      buffer: this.#room,
      callback: (bytes) => {
        this.#reading?.resolve(this.#room.subarray(0, bytes));
        // No more until it is asked for.
        return false;
      },
    });
    socket.on('end', () => this.#reading?.resolve(undefined));
    socket.on('error', (error) => this.#reading?.reject(systemError(`cannot read ${this.path}`, error)));
    return socket;
  }

  close(): void {
    if (this.#socket !== undefined) this.#socket.destroy();
    else if (this.#fd !== undefined) closeRead(this.#fd);
    this.#fd = undefined;
  }
}
