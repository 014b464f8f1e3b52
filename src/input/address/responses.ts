/** What a server's responses say: which bytes of which state of an archive they hold, or why they hold none. */
import { XbstreamError } from '../../errors.js';
import type { Head } from './http/exchange.js';
import { Passing, pauseOf } from './http/retry.js';

/** Most of an error's body that is looked at. */
const BODY_BYTES_MAX = 64 * 1024;

/** What tells one state of what lies at an address from another. */
export interface Version {
  etag: string | undefined;
  lastModified: string | undefined;
}

/** What a response with status 206 holds. */
export interface ContentRange {
  start: number;
  /** Behind the last byte. */
  end: number;
  /** Of all there is, in bytes; undefined where the server does not say. */
  totalBytes: number | undefined;
}

export function versionOf(head: Head): Version {
  return { etag: head.header('etag'), lastModified: head.header('last-modified') };
}

/** Whether two responses certainly come from different states of what lies there. */
export function differs(one: Version, other: Version): boolean {
  const isOther = (a: string | undefined, b: string | undefined): boolean =>
    a !== undefined && b !== undefined && a !== b;
  return isOther(one.etag, other.etag) || isOther(one.lastModified, other.lastModified);
}

/** The header that has a server refuse when what lies there has changed; weak tags say nothing of bytes. */
export function onlyIf({ etag }: Version): Record<string, string> {
  return etag?.startsWith('"') === true ? { 'if-match': etag } : {};
}

/** @returns undefined for none, or one that makes no sense */
export function contentRangeOf(head: Head): ContentRange | undefined {
  const found = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i.exec(head.header('content-range')?.trim() ?? '');
  if (found === null) return undefined;
  const [start, last] = [Number(found[1]), Number(found[2])];
  const totalBytes = found[3] === '*' ? undefined : Number(found[3]);
  if (last < start || last >= (totalBytes ?? Infinity)) return undefined;
  return { start, end: last + 1, totalBytes };
}

/** Whether a refusal says that there is nothing there: a range of nothing cannot be given. */
export function isEmpty(head: Head): boolean {
  return head.status === 416 && /^bytes \*\/0$/i.test(head.header('content-range')?.trim() ?? '');
}

/** How many bytes a response says that it holds. */
export function lengthOf(head: Head): number | undefined {
  const length = head.header('content-length');
  return length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}

/** A refusal says more than anybody looks at, perhaps without an end. */
export class Verbose extends Error {}

/** A response that does not hold what was asked for. */
export class Refusal {
  readonly head: Head;
  #body = '';

  constructor(head: Head) {
    this.head = head;
  }

  /** Takes a piece of its body. @throws Verbose when more is of no use */
  readonly take = (chunk: Buffer): void => {
    this.#body += chunk.toString('latin1', 0, BODY_BYTES_MAX);
    if (this.#body.length > BODY_BYTES_MAX) throw new Verbose();
  };

  /** The store's own word for what is wrong: `NoSuchKey`. Nothing else of the body is shown: signatures may be in it. */
  get code(): string | undefined {
    return this.#tag('Code');
  }

  /** Where a bucket lies. */
  get region(): string | undefined {
    return this.head.header('x-amz-bucket-region') ?? this.#tag('Region');
  }

  #tag(name: string): string | undefined {
    return new RegExp(`<${name}>([\\w.-]{1,64})</${name}>`).exec(this.#body)?.[1];
  }
}

/** What messages need to know of an address. */
export interface AddressFacts {
  /** As it may be shown. */
  name: string;
  /** What a person does to be allowed to read it. */
  access: readonly string[];
}

/** What repeating may help against. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

const CODE_HINTS: Readonly<Record<string, string>> = {
  ExpiredToken: 'the credentials have expired: get new ones',
  TokenRefreshRequired: 'the credentials have expired: get new ones',
  InvalidAccessKeyId: 'the store does not know this access key: is it one of this store, and of this profile?',
  SignatureDoesNotMatch: 'the secret key is not that of the access key; or what was signed is not what was asked for',
  RequestTimeTooSkewed: "this machine's clock is wrong, by more than 15 minutes",
  PermanentRedirect: 'the bucket lies in another region: AWS_REGION names it',
  AuthorizationHeaderMalformed: 'the bucket lies in another region: AWS_REGION names it',
  NoSuchKey: 'is the key written right? a backup in the objects of xbcloud has a slash at its end: s3://BUCKET/BACKUP/',
  NoSuchBucket: 'is the name of the bucket right, and AWS_ENDPOINT_URL that of its store?',
};

/** Why there are no bytes. @param hasBegun some have come before */
export function refusalError({ head, code }: Refusal, { name, access }: AddressFacts, hasBegun: boolean): Error {
  const { status } = head;
  const said = `(HTTP ${status}${code === undefined ? '' : `, ${code}`})`;
  if (PASSING.has(status)) {
    return new Passing(`the server says that it cannot now ${said}`, { pauseMs: pauseOf(head.header('retry-after')) });
  }
  const known = code === undefined ? undefined : CODE_HINTS[code];
  const error = (message: string, ...hints: readonly string[]): XbstreamError =>
    new XbstreamError('XB_IO', `${message} ${said}`, { hints: known === undefined ? hints : [known] });
  if (hasBegun && (status === 404 || status === 410)) return error(`${name} is not there any more`);
  if (hasBegun && (status === 412 || status === 416)) return changed(name);
  switch (status) {
    case 401:
    case 403:
      return error(
        `cannot read ${name}: the server ${hasBegun ? 'does not allow it any more' : 'refuses it'}`,
        ...access,
      );
    case 404:
    case 410:
      return error(`there is no ${name}`, 'is it written right? names have capital and small letters');
    case 407:
      return error(`cannot read ${name}: the proxy wants a password`, 'HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT');
    default:
      return error(`cannot read ${name}: the server does not give it`);
  }
}

/** The error of its own for what is not what it was when the reading began. */
export function changed(name: string): XbstreamError {
  return new XbstreamError('XB_CHANGED', `${name} has changed while it was being read`, {
    hints: ['read it again when nobody writes to it any more'],
  });
}

/** The server has given what was not asked for. */
export function wrongRange(name: string, asked: string, found: string): XbstreamError {
  return new XbstreamError('XB_IO', `the server gives other bytes of ${name} than it was asked for`, {
    details: [`expected ${asked}`, `found ${found}`],
    hints: ['fetch it as a whole, and give it by a pipe: curl ADDRESS | tsxbstream ...'],
  });
}
