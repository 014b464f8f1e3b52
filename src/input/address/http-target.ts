import { XbstreamError } from '../../errors.js';
import type { Request } from './http/exchange.js';
import type { AddressFacts, Refusal } from './responses.js';
import { shownWord } from './address.js';
import { basicAuthorization } from './http/proxies.js';

/** Where and how to ask for what lies at an address. */
export interface Target extends AddressFacts {
  /** @param headers what is said beside */
  request(headers: Readonly<Record<string, string>>): Promise<Request>;
  /**
   * Takes note of a refusal that says where else to ask, or with what.
   *
   * @param asked what was refused: others may have been asked meanwhile, and elsewhere
   * @param wasSentOn the same question was sent on to where it was refused
   * @returns whether to ask again
   */
  follow(refusal: Refusal, asked: Request, wasSentOn: boolean): boolean;
}

/** What a server sends on with. */
export const REDIRECTIONS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** What a server answers after a redirect that was good only for a while. */
const OUTDATED: ReadonlySet<number> = new Set([401, 403, 404, 410]);

/** An archive at `http:` or `https:`. */
export class HttpTarget implements Target {
  readonly name: string;
  readonly #first: URL;
  /** Sent as a header, only to where it was given for. */
  readonly #authorization: string | undefined;
  /** Where it was found: asked first from then on. */
  #current: URL;

  constructor(address: string) {
    const url = new URL(address);
    this.name = shownWord(address);
    if (url.username !== '' || url.password !== '') {
      this.#authorization = basicAuthorization(url.username, url.password);
      url.username = url.password = '';
    }
    this.#first = this.#current = url;
  }

  get access(): readonly string[] {
    if (this.#authorization !== undefined) return ['are the name and the password right?'];
    if (this.#first.search !== '') return ['a presigned address is good for a while only: make a new one'];
    return ['with a name and a password: https://USER:PASSWORD@HOST/PATH', 'or with a presigned address'];
  }

  request(headers: Readonly<Record<string, string>>): Promise<Request> {
    const url = this.#current;
    const isOwn = this.#authorization !== undefined && url.origin === this.#first.origin;
    return Promise.resolve({ url, headers: isOwn ? { ...headers, authorization: this.#authorization } : headers });
  }

  follow({ head }: Refusal, { url }: Request, wasSentOn: boolean): boolean {
    if (OUTDATED.has(head.status) && url !== this.#first && !wasSentOn) {
      // Ranges that were under way are all refused there; one of them may have found the new place already.
      if (url === this.#current) this.#current = this.#first;
      return true;
    }
    const location = head.header('location');
    if (!REDIRECTIONS.has(head.status) || location === undefined) return false;
    this.#current = this.#place(location, url);
    return true;
  }

  /** @param from where it was sent on */
  #place(location: string, from: URL): URL {
    const isUrl = URL.canParse(location, from.href);
    const url = isUrl ? new URL(location, from) : undefined;
    const isDowngrade = from.protocol === 'https:' && url?.protocol === 'http:';
    if (url === undefined || isDowngrade || !/^https?:$/.test(url.protocol)) {
      throw new XbstreamError('XB_IO', `${this.name} leads to where it is not followed`, {
        details: [isDowngrade ? `${shownWord(url.href)} is not encrypted` : 'that is no address of the web'],
      });
    }
    url.username = url.password = url.hash = '';
    return url;
  }
}
