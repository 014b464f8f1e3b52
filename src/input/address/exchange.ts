/** One request and its response, over connections that are kept, through the proxies that the environment names. */
import type { Dispatcher } from 'undici';
import { systemCodeOf, XbstreamError } from '../../errors.js';
import { Passing } from './retry.js';

/** Connections that are open at a time: so many small requests can be under way. */
const CONNECTIONS = 96;

/** What is asked for. */
export interface Request {
  url: URL;
  headers: Readonly<Record<string, string>>;
}

/** How a response begins. */
export interface Head {
  status: number;
  /** @param name in lower case */
  header(name: string): string | undefined;
}

/** Holds up the body of a response. */
export interface Flow {
  pause(): void;
  resume(): void;
}

/** Says what is to be done with the body of a response: it is lent until the call returns. May throw, as what it gives may. */
export type Judge = (head: Head, flow: Flow) => (chunk: Buffer) => void;

/** Connections to servers. */
export class Connections {
  readonly #dispatcher: Dispatcher;
  readonly #timeoutMs: number;

  private constructor(dispatcher: Dispatcher, timeoutMs: number) {
    this.#dispatcher = dispatcher;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * @param timeoutMs so long a server may be silent
   * @throws XbstreamError `XB_USAGE` for a proxy that has no address
   */
  static async open(timeoutMs: number): Promise<Connections> {
    // What it stands on takes as long to load as all else.
    const { EnvHttpProxyAgent } = await import('undici');
    try {
      // A proxy is asked for `http:` as it was always done: many refuse tunnels for that.
      const options = { connections: CONNECTIONS, connect: { timeout: timeoutMs }, proxyTunnel: false };
      return new Connections(new EnvHttpProxyAgent(options), timeoutMs);
    } catch (error) {
      // What it throws has the whole address in it.
      throw new XbstreamError('XB_USAGE', 'what HTTP_PROXY or HTTPS_PROXY says is no address of a proxy', {
        hints: ['such as http://HOST:PORT; NO_PROXY names the hosts that are asked without one'],
        systemCode: systemCodeOf(error),
      });
    }
  }

  /**
   * Asks, and gives the response to who judges it.
   *
   * @throws Passing where it may go better later; XbstreamError where not, and what the judge throws
   * @throws the signal's reason after it was aborted
   */
  exchange({ url, headers }: Request, judge: Judge, signal: AbortSignal | undefined): Promise<void> {
    const host = url.host;
    return new Promise((resolve, reject) => {
      let failure: { error: unknown } | undefined;
      let take: (chunk: Buffer) => void;
      let controller: Dispatcher.DispatchController | undefined;
      const fail = (error: unknown): void => {
        failure ??= { error };
        controller?.abort(error instanceof Error ? error : new Error('no more is wanted'));
      };
      const onAbort = (): void => fail(signal!.reason);
      const end = (): void => {
        signal?.removeEventListener('abort', onAbort);
        if (failure === undefined) resolve();
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a signal's reason may be anything
        else reject(failure.error);
      };
      if (signal?.aborted === true) {
        fail(signal.reason);
        end();
        return;
      }
      signal?.addEventListener('abort', onAbort, { once: true });
      const guarded = (work: () => void): void => {
        if (failure !== undefined) return;
        try {
          work();
        } catch (error) {
          fail(error);
        }
      };
      this.#dispatcher.dispatch(
        {
          origin: url.origin,
          path: url.pathname + url.search,
          method: 'GET',
          headers: { ...headers, 'accept-encoding': 'identity' },
          headersTimeout: this.#timeoutMs,
          bodyTimeout: this.#timeoutMs,
        },
        {
          onRequestStart: (started) => {
            controller = started;
            if (failure !== undefined) started.abort(new Error('no more is wanted'));
          },
          onResponseStart: (flow, status, given) => {
            // One that announces another.
            if (status < 200) return;
            const header = (name: string): string | undefined => {
              const value = given[name];
              return Array.isArray(value) ? value[0] : value;
            };
            guarded(() => {
              take = judge({ status, header }, flow);
            });
          },
          onResponseData: (_flow, chunk) => guarded(() => take(chunk)),
          onResponseEnd: end,
          onResponseError: (_flow, error) => {
            failure ??= { error: explained(error, host, this.#timeoutMs) };
            end();
          },
        },
      );
    });
  }

  /** Breaks off what is under way. */
  close(): void {
    void this.#dispatcher.destroy().catch(() => undefined);
  }
}

/** What ends a connection that may be made anew. */
const PASSING: Readonly<Record<string, string>> = {
  UND_ERR_SOCKET: 'the connection was closed',
  UND_ERR_CLOSED: 'the connection was closed',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the connection was closed before all had come',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
  ETIMEDOUT: 'the connection has timed out',
  EHOSTUNREACH: 'there is no way to the server',
  ENETUNREACH: 'there is no network',
  EAI_AGAIN: 'the name of the server cannot be looked up',
  ENOTFOUND: 'there is no server of this name',
  ECONNREFUSED: 'nobody listens there',
};

const STALLS: ReadonlySet<string> = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

/** What is wrong before a single byte came, and will stay so: a mistyped name. */
const UNREACHABLE: ReadonlySet<string> = new Set(['ENOTFOUND', 'ECONNREFUSED']);

/** Whether a failure says that there is no such server. */
export function isUnreachable(error: Passing): boolean {
  return UNREACHABLE.has(systemCodeOf(error.cause) ?? '');
}

/** What an error of a connection means. Its own message is shown only where it is known to hold no secret. */
function explained(error: Error, host: string, timeoutMs: number): Error {
  const code = systemCodeOf(error) ?? '';
  const passing = (message: string, isStall = false): Passing => {
    return Object.assign(new Passing(`${message} (${host})`, { isStall }), { cause: error });
  };
  if (STALLS.has(code)) return passing(`nothing has come for ${timeoutMs / 1000} s`, true);
  const reason = PASSING[code];
  if (reason !== undefined) return passing(reason);
  const proxy = /Proxy response \((\d+)\)/.exec(error.message);
  if (proxy !== null) {
    return new XbstreamError('XB_IO', `the proxy refuses the way to ${host} (HTTP ${proxy[1]!})`, {
      hints: ['HTTPS_PROXY names it, with USER:PASSWORD@ where it wants that; NO_PROXY the hosts without one'],
    });
  }
  if (code.startsWith('HPE_') || error.name === 'HTTPParserError') {
    return new XbstreamError('XB_IO', `what ${host} answers is no HTTP`, { systemCode: code });
  }
  if (/SSL|TLS|CERT|SELF_SIGNED|VERIFY/.test(code)) {
    return new XbstreamError('XB_IO', `there is no trusted connection to ${host}: ${error.message} (${code})`, {
      hints: ['the variable NODE_EXTRA_CA_CERTS names a file of further certificates to trust'],
      systemCode: code,
    });
  }
  return new XbstreamError('XB_IO', `the connection to ${host} has failed (${code === '' ? error.name : code})`);
}
