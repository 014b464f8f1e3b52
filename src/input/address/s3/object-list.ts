/** What objects a bucket has, as a store lists them (ListObjectsV2): page by page. */
import { XbstreamError } from '../../../errors.js';
import { pathFromText, rawPath, type StoredPath } from '../../../format/stored-path.js';

/** Most bytes of a page of 1000 keys. */
export const PAGE_BYTES_MAX = 16 * 1024 * 1024;

const ENTRY_START = '<Contents>';
const ENTRY_END = '</Contents>';

/** An object as it is listed. */
export interface ListedObject {
  /** Its name, one character a byte. */
  key: StoredPath;
  bytes: number;
  etag: string | undefined;
}

export interface ListPage {
  objects: ListedObject[];
  /** Where the next page begins; undefined where this is the last one. */
  next: string | undefined;
}

/** What is asked for a page. @param next as the page before has told it */
export function pageQuery(next: string | undefined): Record<string, string> {
  const query = { 'list-type': '2', 'encoding-type': 'url' };
  return next === undefined ? query : { ...query, 'continuation-token': next };
}

/** @param name for messages @throws XbstreamError `XB_IO` for what is no list */
export function readPage(page: string, name: string): ListPage {
  // All of it: what is cut off would be objects that nobody misses.
  if (!page.includes('<ListBucketResult') || !page.trimEnd().endsWith('</ListBucketResult>')) throw noList(name);
  const isEscaped = /^url$/i.test(tag(page, 'EncodingType') ?? '');
  const objects: ListedObject[] = [];
  for (let at = page.indexOf(ENTRY_START); at !== -1; at = page.indexOf(ENTRY_START, at)) {
    const end = page.indexOf(ENTRY_END, at);
    if (end === -1) throw noList(name);
    const entry = page.slice(at + ENTRY_START.length, end);
    at = end;
    const key = tag(entry, 'Key');
    const size = tag(entry, 'Size');
    if (key === undefined || size === undefined || !/^\d{1,15}$/.test(size)) throw noList(name);
    objects.push({
      key: isEscaped ? unescaped(key, name) : pathFromText(key),
      bytes: Number(size),
      etag: tag(entry, 'ETag'),
    });
  }
  const truncated = tag(page, 'IsTruncated');
  const isLast = truncated === 'false';
  if (!isLast && truncated !== 'true') throw noList(name);
  const next = tag(page, 'NextContinuationToken');
  if (!isLast && (next === undefined || next === '')) throw noList(name);
  return { objects, next: isLast ? undefined : next };
}

/** The text of an element that stands there once. */
function tag(text: string, name: string): string | undefined {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
  return found?.replace(
    /&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w{2,4}));/gi,
    (whole: string, decimal?: string, hex?: string, word?: string) => {
      if (decimal === undefined && hex === undefined) return ENTITIES[word ?? ''] ?? whole;
      const code = decimal === undefined ? Number.parseInt(hex!, 16) : Number(decimal);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** A key may have bytes in it that are no text. */
function unescaped(key: string, name: string): StoredPath {
  if (/%(?![\da-f]{2})/i.test(key)) throw noList(name);
  const bytes = pathFromText(key.replaceAll('+', ' '));
  return rawPath(bytes.replace(/%(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))));
}

function noList(name: string): XbstreamError {
  return new XbstreamError('XB_IO', `what the store answers is no list of the objects of ${name}`, {
    hints: ['does the endpoint (AWS_ENDPOINT_URL) speak S3?'],
  });
}
