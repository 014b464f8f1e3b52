/** Addresses of archives: `https://...`, `http://...`, `s3://bucket/key`; and how they are shown, without what is secret in them. */
import { XbstreamError } from '../../errors.js';

/**
 * Where an archive lies that is read over a network. Plain data; what is in it is secret, but for what {@link shownAddress} says.
 * A key that ends with `/` is what the names of xbcloud's objects begin with.
 */
export type Address = { scheme: 'http'; url: string } | { scheme: 's3'; bucket: string; key: string };

const ADDRESS = /^(?:https?|s3):\/\//i;
const ANY_ADDRESS = /^[a-z][a-z\d+.-]*:\/\//i;
const S3_ADDRESS = /^s3:\/\/([^/]*)(?:\/([^]*))?$/i;
/** Names of buckets: more than any store allows, and nothing that leads to another host. */
const BUCKET = /^[A-Za-z0-9][\w.-]{1,254}$/;

/** Whether a word is an address of a kind that can be read. */
export function isAddress(word: string): boolean {
  return ADDRESS.test(word);
}

/** Whether a word has the form of an address, of any kind, and is no path. (A file of such a name can be had as `./https:...`.) */
export function looksLikeAddress(word: string): boolean {
  return ANY_ADDRESS.test(word);
}

/** The address of a backup that lies as objects, a chunk each. */
export type ObjectsAddress = Address & { scheme: 's3' };

export function isOfObjects(address: Address): address is ObjectsAddress {
  return address.scheme === 's3' && address.key.endsWith('/');
}

/** @throws XbstreamError `XB_USAGE` */
export function readAddress(word: string): Address {
  const [, bucket, key] = S3_ADDRESS.exec(word) ?? [];
  if (bucket !== undefined) return s3Address(bucket, key ?? '', word);
  const url = isAddress(word) ? parsed(word) : undefined;
  if (url === undefined) throw noAddress(word);
  return { scheme: 'http', url: url.href };
}

/** The address that a URL is; undefined for one of something else. @throws XbstreamError `XB_USAGE` */
export function addressOf(url: URL): Address | undefined {
  if (/^https?:$/.test(url.protocol)) return { scheme: 'http', url: url.href };
  if (url.protocol !== 's3:') return undefined;
  // Keys may hold any sign; in a URL those that mean something there are escaped.
  if (url.search !== '' || url.hash !== '') throw noAddress(url.href);
  return s3Address(url.host, unescaped(url), url.href);
}

/** @throws XbstreamError `XB_USAGE` where what is escaped is no UTF-8 */
function unescaped(url: URL): string {
  try {
    return decodeURIComponent(url.pathname.slice(1));
  } catch {
    throw noAddress(url.href);
  }
}

function s3Address(bucket: string, key: string, word: string): Address {
  if (!BUCKET.test(bucket) || key === '') throw noAddress(word);
  return { scheme: 's3', bucket, key };
}

function parsed(word: string): URL | undefined {
  // What this throws quotes the whole word.
  return URL.canParse(word) ? new URL(word) : undefined;
}

function noAddress(word: string): XbstreamError {
  return new XbstreamError('XB_USAGE', `${shownWord(word)} is no address of an archive`, {
    hints: ['such as https://HOST/PATH, or s3://BUCKET/KEY; s3://BUCKET/BACKUP/ for the objects of xbcloud'],
  });
}

/** What messages call an address: see {@link shownWord}. */
export function shownAddress(address: Address): string {
  return shownWord(address.scheme === 's3' ? `s3://${address.bucket}/${address.key}` : address.url);
}

/**
 * A word of a command line as it may be shown: an address without a user's name and password, without what follows `?` (a
 * presigned address has its signature there), and without the part of a path that is the secret of a preauthenticated request.
 */
export function shownWord(word: string): string {
  if (!looksLikeAddress(word)) return word;
  const scheme = word.slice(0, word.indexOf(':')).toLowerCase();
  if (!/^https?$/.test(scheme)) return word.replace(/^([^:]+:\/\/)[^/]*@/, '$1').replace(/\?[^]*$/, '?...');
  const url = parsed(word);
  if (url === undefined) return `${scheme}://...`;
  const path = url.pathname.replace(/^\/p\/[^/]+\/n\//, '/p/.../n/');
  return `${scheme}://${url.host}${path}${url.search === '' ? '' : '?...'}`;
}

/** A text that quotes words of a command line, or the values in them, as it may be shown: see {@link shownWord}. */
export function shownText(text: string, words: readonly string[]): string {
  let shown = text;
  for (const word of words) {
    const [address] = /[a-z][a-z\d+.-]*:\/\/[^]*/i.exec(word) ?? [];
    if (address === undefined) continue;
    // Of a list, such as that of --tables, only the first may be quoted; of an option what stands before its value.
    const quoted = [address, ...[',', '='].map((sign) => address.split(sign, 1)[0]!)];
    for (const part of quoted) shown = shown.replaceAll(part, () => shownWord(part));
  }
  return shown;
}

/** Whether a word of a command line has something in it that is not to be shown. */
export function hasSecret(word: string): boolean {
  return shownWord(word) !== word;
}
