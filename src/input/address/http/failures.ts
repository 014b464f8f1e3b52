/** What goes wrong with a connection, and what that means. */
import { systemCodeOf, XbstreamError } from '../../../errors.js';
import { Passing } from './retry.js';

/** What has come is no HTTP. @param message shown to nobody */
export class NoHttp extends Error {
  readonly code = 'NO_HTTP';
}

/** A proxy has refused the way to a server. */
export class NoTunnel extends Error {
  readonly code = 'NO_TUNNEL';
  readonly status: number;

  constructor(status: number) {
    super(`HTTP ${status}`);
    this.status = status;
  }
}

/** A proxy cannot be reached, or fails before there is a way. */
export class ProxyFailure extends Error {
  /** That of what it failed of. */
  readonly code: string;
  /** The proxy's host and port. */
  readonly host: string;

  constructor(cause: unknown, host: string) {
    super(messageOf(cause), { cause });
    this.code = systemCodeOf(cause) ?? '';
    this.host = host;
  }
}

/** The connection has ended before all had come. */
export function cutShort(): Error {
  return Object.assign(new Error('cut short'), { code: 'CUT_SHORT' });
}

/** Nothing has come for too long. */
export function silence(): Error {
  return Object.assign(new Error('silent'), { code: 'SILENT' });
}

/** What ends a connection that may be made anew. */
const PASSING: Readonly<Record<string, string>> = {
  CUT_SHORT: 'the connection was closed before all had come',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
  ETIMEDOUT: 'the connection has timed out',
  EHOSTUNREACH: 'there is no way to the server',
  ENETUNREACH: 'there is no network',
  EAI_AGAIN: 'the name of the server cannot be looked up',
  ENOTFOUND: 'there is no server of this name',
  ECONNREFUSED: 'nobody listens there',
};

/** What is wrong before a single byte came, and will stay so: a mistyped name. */
const UNREACHABLE: ReadonlySet<string> = new Set(['ENOTFOUND', 'ECONNREFUSED']);

/** Whether a failure says that there is no such server. */
export function isUnreachable(error: Passing): boolean {
  return UNREACHABLE.has(systemCodeOf(error.cause) ?? '');
}

/** What an error of a connection means. Its own message is shown only where it is known to hold no secret. */
export function meaningOf(error: unknown, server: string, timeoutMs: number): Error {
  const host = error instanceof ProxyFailure ? `the proxy ${error.host}` : server;
  const code = systemCodeOf(error) ?? '';
  const passing = (message: string, isStall = false): Passing => {
    return Object.assign(new Passing(`${message} (${host})`, { isStall }), { cause: error });
  };
  if (code === 'SILENT') return passing(`nothing has come for ${timeoutMs / 1000} s`, true);
  const reason = PASSING[code];
  if (reason !== undefined) return passing(reason);
  if (error instanceof NoTunnel) {
    return new XbstreamError('XB_IO', `the proxy refuses the way to ${host} (HTTP ${error.status})`, {
      hints: ['HTTPS_PROXY names it, with USER:PASSWORD@ where it wants that; NO_PROXY the hosts without one'],
    });
  }
  if (code === 'NO_HTTP' || code.startsWith('HPE_')) {
    return new XbstreamError('XB_IO', `what ${host} answers is no HTTP`);
  }
  if (/SSL|TLS|CERT|SELF_SIGNED|VERIFY/.test(code)) {
    return new XbstreamError('XB_IO', `there is no trusted connection to ${host}: ${messageOf(error)} (${code})`, {
      hints: ['the variable NODE_EXTRA_CA_CERTS names a file of further certificates to trust'],
      systemCode: code,
    });
  }
  return new XbstreamError('XB_IO', `the connection to ${host} has failed (${code === '' ? 'unknown' : code})`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown';
}
