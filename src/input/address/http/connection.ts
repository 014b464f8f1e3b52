/** A connection to a server, over which one request after the other goes. */
import type { Socket } from 'node:net';
import { cutShort, NoHttp, silence } from './failures.js';
import type { Flow, Judge } from './exchange.js';
import { ResponseParser } from './response-parser.js';
import { connectSocket, type Way } from './sockets.js';

/** Heads, and what nobody has made room for, come in pieces of so many bytes at most. */
const SCRATCH_BYTES = 64 * 1024;
/** A server closes what was not used for longer, perhaps just as it is asked. */
const IDLE_MS_MAX = 4000;

/** The connection has failed, and not who takes what comes. */
export class ConnectionFailure extends Error {
  /** Nothing had come of the response. */
  readonly isUnanswered: boolean;

  constructor(cause: unknown, isUnanswered: boolean) {
    super('the connection has failed', { cause });
    this.isUnanswered = isUnanswered;
  }
}

/** A request that waits for its response. */
interface Pending {
  parser: ResponseParser;
  hasBegun: boolean;
  done: (failure?: { error: unknown }) => void;
}

export class Connection {
  readonly #timeoutMs: number;
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  #socket!: Socket;
  #pending: Pending | undefined;
  #timer: NodeJS.Timeout | undefined;
  #requests = 0;
  #idleSince = 0;
  #isOver = false;

  private constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** @throws ConnectionFailure */
  static async open(way: Way, timeoutMs: number): Promise<Connection> {
    const connection = new Connection(timeoutMs);
    // What is wanted in a certain place is received there: each copy would cost more than all else that is done here.
    const onread = {
      buffer: (): Buffer => connection.#pending?.parser.room() ?? connection.#scratch,
      callback: (bytes: number, memory: Uint8Array): boolean => {
        connection.#receive(Buffer.from(memory.buffer, memory.byteOffset, bytes));
        return true;
      },
    };
    try {
      connection.#socket = await connectSocket(way, onread, timeoutMs);
    } catch (error) {
      throw new ConnectionFailure(error, true);
    }
    connection.#hear();
    return connection;
  }

  /** Whether it can be asked. */
  get isUsable(): boolean {
    return !this.#isOver && (this.#requests === 0 || performance.now() - this.#idleSince < IDLE_MS_MAX);
  }

  /** It was asked before. */
  get isUsed(): boolean {
    return this.#requests > 0;
  }

  /**
   * Sends a request, and gives the response to its judge.
   *
   * @param text of the request
   * @throws ConnectionFailure, what the judge throws, and the signal's reason after it was aborted
   */
  async exchange(text: string, judge: Judge, signal: AbortSignal | undefined): Promise<void> {
    if (this.#isOver) throw new ConnectionFailure(cutShort(), true);
    signal?.throwIfAborted();
    this.#requests += 1;
    await new Promise<void>((resolve, reject) => {
      const flow: Flow = { pause: () => this.#pause(), resume: () => this.#resume() };
      const onAbort = (): void => this.#fail(signal!.reason);
      const done: Pending['done'] = (failure) => {
        this.#pending = undefined;
        this.#stopTimer();
        this.#idleSince = performance.now();
        signal?.removeEventListener('abort', onAbort);
        if (failure === undefined) resolve();
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a signal's reason may be anything
        else reject(failure.error);
      };
      this.#pending = { parser: new ResponseParser(judge, flow), hasBegun: false, done };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#startTimer();
      this.#socket.write(text, 'latin1');
    });
  }

  /** Breaks off what is under way. */
  close(): void {
    this.#isOver = true;
    this.#socket.destroy();
  }

  #hear(): void {
    // Not where they come by `onread`.
    this.#socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    this.#socket.on('error', (error) => this.#break(error));
    this.#socket.on('close', () => this.#break(cutShort()));
    this.#socket.on('end', () => this.#end());
  }

  #receive(bytes: Buffer): void {
    const pending = this.#pending;
    if (pending === undefined) {
      // Nobody has asked.
      this.close();
      return;
    }
    pending.hasBegun = true;
    this.#timer?.refresh();
    try {
      pending.parser.push(bytes);
    } catch (error) {
      this.#fail(error instanceof NoHttp ? new ConnectionFailure(error, false) : error);
      return;
    }
    if (!pending.parser.isDone) return;
    if (!pending.parser.persists) this.close();
    pending.done();
  }

  /** The server has ended the connection in good order: that is how a body of unknown length ends, and nothing else is. */
  #end(): void {
    const pending = this.#pending;
    if (pending?.parser.end() !== true) {
      this.#break(cutShort());
      return;
    }
    this.close();
    pending.done();
  }

  /** The connection is broken, or silent. */
  #break(cause: Error): void {
    const pending = this.#pending;
    this.close();
    pending?.done({ error: new ConnectionFailure(cause, !pending.hasBegun) });
  }

  #fail(error: unknown): void {
    const pending = this.#pending;
    this.close();
    pending?.done({ error });
  }

  #startTimer(): void {
    this.#timer = setTimeout(() => this.#break(silence()), this.#timeoutMs);
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** A pause on this side must not count as silence of the server. */
  #pause(): void {
    if (this.#timer === undefined) return;
    this.#stopTimer();
    this.#socket.pause();
  }

  #resume(): void {
    if (this.#pending === undefined || this.#timer !== undefined) return;
    this.#startTimer();
    this.#socket.resume();
  }
}
