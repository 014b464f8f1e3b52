/**
 * A pipe or socket. It is read by events, never by a call that waits: a thread inside such a call cannot be ended while
 * the other side is silent.
 */
import * as fs from 'node:fs';
import type { OnReadOpts, Socket, SocketConstructorOpts } from 'node:net';
import { systemCodeOf, systemError } from '../errors.js';
import { closeRead } from './close.js';
import { PIECE_BYTES, startInRoom, type ByteSink, type Source } from './source.js';

/**
 * What a pipe holds on Linux. A read that fills its buffer makes libuv try another at once, one that does not sends it
 * back to waiting for events: with larger buffers 2 GiB took 1.9 s to come in, with this one 1.1.
 */
export const READ_BYTES = 64 * 1024;
const STDERR = 2;

/** What has Node read a descriptor by events, into memory that it is given. */
export function readingSocket(fd: number, onread: OnReadOpts): Socket {
  // Node documents `onread` for this constructor as well; its types do not know.
  const options: SocketConstructorOpts & { onread: OnReadOpts } = { fd, readable: true, writable: false, onread };
  return new (process.getBuiltinModule('node:net').Socket)(options);
}

export class PipeSource implements Source {
  readonly seekable = false;
  readonly #fd: number;
  readonly #name: string;
  #socket: Socket | undefined;
  #stopped = false;
  #isClosed = false;
  #finish: (() => void) | undefined;
  #memory: Buffer | undefined;
  #used = 0;

  /** @param name for messages */
  constructor(fd: number, name: string) {
    this.#fd = fd;
    this.#name = name;
  }

  run(sink: ByteSink): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#stopped) {
        resolve();
        return;
      }
      const fail = (error: unknown): void => {
        reject(error instanceof Error ? error : new Error(String(error)));
        this.stop();
      };
      this.#finish = resolve;
      const take = (bytes: number, memory: Uint8Array): boolean => {
        if (this.#stopped) return false;
        try {
          this.#used += bytes;
          // Where nobody gives libuv other memory any more, it reads on into that of this call.
          sink.lastPieceIsSafe?.();
          const wait = sink.push(Buffer.from(memory.buffer, memory.byteOffset, bytes));
          if (wait === undefined) return true;
          wait.then(() => {
            if (!this.#stopped) socket.resume();
          }, fail);
        } catch (error) {
          fail(error);
        }
        return false;
      };
      const makeRoom = (): Buffer => {
        try {
          return this.#room(sink);
        } catch (error) {
          // To make room something has to be written, which may fail. Nobody would catch it here.
          queueMicrotask(() => fail(error));
          return Buffer.alloc(READ_BYTES);
        }
      };
      const socket = readingSocket(this.#fd, { buffer: makeRoom, callback: take });
      this.#socket = socket;
      const refuse = (error: unknown): void => fail(systemError(`cannot read ${this.#name}`, error));
      socket.on('end', () => {
        try {
          this.#assertEnd();
          resolve();
        } catch (error) {
          refuse(error);
        }
      });
      socket.on('error', refuse);
      socket.resume();
    });
  }

  /**
   * A connection that is reset when its last bytes are still to be read looks to libuv like one that was ended. The system
   * keeps its error for the next read; this one never waits, since libuv has made the descriptor non-blocking.
   */
  #assertEnd(): void {
    try {
      fs.readSync(this.#fd, Buffer.alloc(1), 0, 1, null);
    } catch (error) {
      if (systemCodeOf(error) !== 'EAGAIN') throw error;
    }
  }

  /** The next part of the sink's room: several reads share one. Pages of a pipe are full, as a rule. */
  #room(sink: ByteSink): Buffer {
    if (this.#memory === undefined || this.#used + READ_BYTES > PIECE_BYTES) {
      this.#memory = sink.room().subarray(startInRoom(0));
      this.#used = 0;
    }
    return this.#memory.subarray(this.#used, this.#used + READ_BYTES);
  }

  stop(): void {
    this.#stopped = true;
    this.#socket?.destroy();
    this.#finish?.();
  }

  close(): void {
    if (this.#socket !== undefined) this.#socket.destroy();
    // Nothing was read of it. The standard streams stay, as they do where a socket is destroyed.
    else if (!this.#isClosed && this.#fd > STDERR) closeRead(this.#fd);
    this.#isClosed = true;
  }
}
