/** Which proxy a request goes by: as the environment says, in the way of curl and others. */
import { XbstreamError } from '../../../errors.js';

export interface Proxy {
  /** Without a name and a password. */
  url: URL;
  /** The value of a `Proxy-Authorization` header. */
  authorization: string | undefined;
}

/** Hosts that are asked without a proxy. */
interface Exception {
  host: string;
  port: string | undefined;
}

export class Proxies {
  readonly #http: Proxy | undefined;
  readonly #https: Proxy | undefined;
  readonly #exceptions: readonly Exception[];

  /** @throws XbstreamError `XB_USAGE` for a proxy that has no address */
  constructor(env: NodeJS.ProcessEnv) {
    // What is written in small letters is older; and HTTP_PROXY may come from a request, where a server calls programs.
    this.#http = proxyOf(env['http_proxy'] ?? env['HTTP_PROXY']);
    this.#https = proxyOf(env['https_proxy'] ?? env['HTTPS_PROXY']) ?? this.#http;
    const words = (env['no_proxy'] ?? env['NO_PROXY'] ?? '').split(/[,\s]+/).filter((word) => word !== '');
    this.#exceptions = words.map((word) => {
      const [, host = word, port] = /^(\[.*\]|[^:]+):(\d+)$/.exec(word) ?? [];
      return { host: bare(host).replace(/^\*?\./, ''), port };
    });
  }

  /** @returns undefined where a server is asked without one */
  proxyFor(url: URL): Proxy | undefined {
    const proxy = url.protocol === 'https:' ? this.#https : this.#http;
    if (proxy === undefined) return undefined;
    const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
    const host = bare(url.hostname);
    const isException = this.#exceptions.some(
      (exception) =>
        (exception.port ?? port) === port &&
        (exception.host === '*' || host === exception.host || host.endsWith(`.${exception.host}`)),
    );
    return isException ? undefined : proxy;
  }
}

/** In small letters, without the brackets around colons. */
function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
}

function proxyOf(word: string | undefined): Proxy | undefined {
  if (word === undefined || word === '') return undefined;
  const url = URL.canParse(word) ? new URL(word) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    // The word may have a password in it.
    throw new XbstreamError('XB_USAGE', 'what HTTP_PROXY or HTTPS_PROXY says is no address of a proxy', {
      hints: ['such as http://HOST:PORT; NO_PROXY names the hosts that are asked without one'],
    });
  }
  const authorization =
    url.username === '' && url.password === '' ? undefined : basicAuthorization(url.username, url.password);
  url.username = url.password = '';
  return { url, authorization };
}

/** @param name and password as they stand in a URL */
export function basicAuthorization(name: string, password: string): string {
  return `Basic ${Buffer.from(`${decoded(name)}:${decoded(password)}`).toString('base64')}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a percent sign that is meant as such
  }
}
