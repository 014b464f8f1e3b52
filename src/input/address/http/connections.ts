/** Requests and their responses, over connections that are kept, through the proxies that the environment names. */
import { Connection, ConnectionFailure } from './connection.js';
import { meaningOf } from './failures.js';
import type { Judge, Request } from './exchange.js';
import { Proxies } from './proxies.js';
import { isAskedOfProxy, type Way } from './sockets.js';

/** Connections to a server that are open at a time: so many small requests can be under way. */
const CONNECTIONS = 96;

/** Connections to servers. */
export class Connections {
  readonly #proxies: Proxies;
  readonly #timeoutMs: number;
  readonly #pools = new Map<string, Pool>();

  /**
   * @param timeoutMs so long a server may be silent
   * @param env names the proxies
   * @throws XbstreamError `XB_USAGE` for a proxy that has no address
   */
  constructor(timeoutMs: number, env: NodeJS.ProcessEnv) {
    this.#proxies = new Proxies(env);
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Sends a request, and gives the response to its judge.
   *
   * @throws Passing where it may go better later; XbstreamError where not, and what the judge throws
   * @throws the signal's reason after it was aborted
   */
  async exchange(request: Request, judge: Judge, signal: AbortSignal | undefined): Promise<void> {
    const { url } = request;
    const way: Way = { origin: new URL(url.origin), proxy: this.#proxies.proxyFor(url) };
    let pool = this.#pools.get(url.origin);
    if (pool === undefined) this.#pools.set(url.origin, (pool = new Pool(way, this.#timeoutMs)));
    const text = textOf(request, way);
    for (;;) {
      const connection = await this.#connection(pool, url.host, signal);
      const wasUsed = connection.isUsed;
      try {
        await connection.exchange(text, judge, signal);
        return;
      } catch (error) {
        if (!(error instanceof ConnectionFailure)) throw error;
        // The server has ended it while it was not used.
        if (!(wasUsed && error.isUnanswered && !isSilence(error)))
          throw meaningOf(error.cause, url.host, this.#timeoutMs);
      } finally {
        pool.giveBack(connection);
      }
    }
  }

  async #connection(pool: Pool, host: string, signal: AbortSignal | undefined): Promise<Connection> {
    try {
      return await pool.take(signal);
    } catch (error) {
      throw error instanceof ConnectionFailure ? meaningOf(error.cause, host, this.#timeoutMs) : error;
    }
  }

  /** Breaks off what is under way. */
  close(): void {
    for (const pool of this.#pools.values()) pool.close();
  }
}

function isSilence({ cause }: ConnectionFailure): boolean {
  return (cause as { code?: string }).code === 'SILENT';
}

/** A request as it is sent. */
function textOf({ url, path, headers }: Request, way: Way): string {
  const fields: Record<string, string> = { host: url.host, 'accept-encoding': 'identity' };
  for (const [name, value] of Object.entries(headers)) fields[name.toLowerCase()] = value;
  const isOfProxy = isAskedOfProxy(way);
  if (isOfProxy && way.proxy?.authorization !== undefined) fields['proxy-authorization'] = way.proxy.authorization;
  const target = (isOfProxy ? url.origin : '') + (path ?? url.pathname + url.search);
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  for (const line of lines) if (/[\0\r\n]/.test(line)) throw new Error('a header of more than one line');
  return `GET ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}

/** The connections to one server. */
class Pool {
  readonly #way: Way;
  readonly #timeoutMs: number;
  readonly #idle: Connection[] = [];
  readonly #open = new Set<Connection>();
  /** Those that are being made. */
  #opening = 0;
  readonly #waiting: (() => void)[] = [];
  #isClosed = false;

  constructor(way: Way, timeoutMs: number) {
    this.#way = way;
    this.#timeoutMs = timeoutMs;
  }

  /** @throws ConnectionFailure, and the signal's reason after it was aborted */
  async take(signal: AbortSignal | undefined): Promise<Connection> {
    for (;;) {
      signal?.throwIfAborted();
      for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
        if (idle.isUsable) return idle;
        this.#drop(idle);
      }
      if (this.#open.size + this.#opening < CONNECTIONS) return this.#connect(signal);
      await this.#turn(signal);
    }
  }

  async #connect(signal: AbortSignal | undefined): Promise<Connection> {
    this.#opening += 1;
    const opening = Connection.open(this.#way, this.#timeoutMs).then(
      (connection) => {
        this.#opening -= 1;
        this.#open.add(connection);
        if (this.#isClosed) connection.close();
        return connection;
      },
      (error: unknown) => {
        this.#opening -= 1;
        this.#waiting.shift()?.();
        throw error;
      },
    );
    if (signal === undefined) return opening;
    // A caller that does not want it any more leaves it to the next one.
    const given = await unlessAborted(opening, signal);
    if (given !== undefined) return given;
    opening.then(
      (connection) => this.giveBack(connection),
      () => undefined,
    );
    throw signal.reason;
  }

  /** Takes a connection back that was asked. */
  giveBack(connection: Connection): void {
    if (connection.isUsable) this.#idle.push(connection);
    else this.#drop(connection);
    this.#waiting.shift()?.();
  }

  #drop(connection: Connection): void {
    connection.close();
    this.#open.delete(connection);
  }

  /** Waits until there may be one. */
  async #turn(signal: AbortSignal | undefined): Promise<void> {
    let wake!: () => void;
    const turn = new Promise<true>((resolve) => {
      wake = () => resolve(true);
      this.#waiting.push(wake);
    });
    if (signal === undefined) await turn;
    else if ((await unlessAborted(turn, signal)) === undefined) {
      const at = this.#waiting.indexOf(wake);
      // Its turn had come: that of the next, now.
      if (at === -1) this.#waiting.shift()?.();
      else this.#waiting.splice(at, 1);
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const connection of this.#open) connection.close();
  }
}

/** What a promise gives, or undefined once the signal is aborted. */
async function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value | undefined> {
  if (signal.aborted) return undefined;
  let onAbort!: () => void;
  const aborted = new Promise<undefined>((resolve) => {
    onAbort = () => resolve(undefined);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
