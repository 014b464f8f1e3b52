import * as fs from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { StreamFailure, systemCodeOf, systemError, XbstreamError } from '../../errors.js';
import { addressOf, shownWord } from '../../input/address/address.js';
import type { AddressChoice, InputChoice, PartsChoice, SystemInputChoice } from '../../input/open-source.js';
import { isByteStream, type ByteStream } from '../../input/stream/pieces.js';
import { StreamFeed } from '../../input/stream/stream-feed.js';
import { checkText } from '../../verbs/options/program-options.js';
import { streamOption, type StreamOptions } from './options.js';

/**
 * Where an archive comes from.
 *
 * - `string`, `URL`: a file by its path, or by a `file:` URL. It is read by position, only what is needed of it.
 * - `URL` of `http:`, `https:` or `s3:` (`new URL('s3://bucket/key')`): what lies there, read by position, too, where the server
 *   gives ranges of bytes. A string is never an address: nothing is asked of a network where a path was meant.
 * - `FileHandle`, `number`: an open file, from where it stands; a pipe. It stays open. (A socket is given as the stream that
 *   it is.) A handle must not be closed before the work is done.
 * - `{ parts }`: the paths of several files, which are read as one.
 * - a Node `Readable`, a web `ReadableStream`, an iterable or async iterable of `Uint8Array`: read to its end as fast as it
 *   is processed, with about a MiB under way; destroyed (cancelled, returned) when the work ends before that. Bytes that were
 *   given must not be changed afterwards.
 */
export type ArchiveInput = string | URL | FileHandle | number | ArchiveParts | ByteStream;

/** The files that an archive was cut into (`split`), or that it was written to side by side (`--fifo-streams`), in their order. */
export interface ArchiveParts {
  parts: readonly string[];
}

/** An input in a form that the commands know. */
interface OpenedInput {
  choice: InputChoice;
  /** Hands over a stream; missing for what another thread opens by itself. */
  feed: StreamFeed | undefined;
}

/** An input that is a file, several, or a pipe of the system; undefined for streams. @throws XbstreamError `XB_USAGE`, `XB_IO` */
export function systemInput(input: unknown): SystemInputChoice | PartsChoice | AddressChoice | undefined {
  if (typeof input === 'string') return pathInput(input);
  if (input instanceof URL) return urlInput(input);
  if (typeof input === 'number') return descriptorInput(input);
  if (isFileHandle(input)) return descriptorInput(input.fd);
  if (isParts(input)) return partsInput(input);
  const isBytes = input instanceof Uint8Array;
  if (isByteStream(input) && !isBytes) return undefined;
  throw new XbstreamError('XB_USAGE', 'the archive must be a path, an open file or a stream', {
    details: [`found: ${isBytes ? 'bytes' : input === null ? 'null' : typeof input}`],
    hints: isBytes ? ['bytes are given as a stream of one piece: [bytes]'] : [],
  });
}

function pathInput(path: string): InputChoice & { kind: 'path' } {
  if (path !== '' && !path.includes('\0')) return { kind: 'path', path };
  throw new XbstreamError('XB_USAGE', 'the path of the archive is empty, or contains a NUL character');
}

function urlInput(url: URL): SystemInputChoice | AddressChoice {
  if (url.protocol === 'file:') return pathInput(filePath(url));
  const address = addressOf(url);
  if (address !== undefined) return { kind: 'address', address };
  throw new XbstreamError('XB_USAGE', `an archive cannot be read from a URL that begins with ${url.protocol}`, {
    hints: ['give what fetch() returns for it: (await fetch(url)).body'],
  });
}

/** The path of a `file:` URL. @throws XbstreamError `XB_USAGE` for one of another machine, or with an escaped slash */
export function filePath(url: URL): string {
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw new XbstreamError('XB_USAGE', `${shownWord(url.href)} is no path: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function descriptorInput(fd: number): InputChoice & { kind: 'descriptor' } {
  if (!Number.isInteger(fd) || fd < 0) throw new XbstreamError('XB_USAGE', `${fd} is no descriptor of an open file`);
  let stat: fs.Stats;
  try {
    stat = fs.fstatSync(fd);
  } catch (error) {
    throw systemError(`cannot read descriptor ${fd}`, error);
  }
  if (!stat.isSocket()) return { kind: 'descriptor', fd, lent: true };
  throw new XbstreamError('XB_USAGE', `descriptor ${fd} is a socket`, {
    hints: ['give the stream instead: a net.Socket, or process.stdin'],
  });
}

function isFileHandle(input: unknown): input is FileHandle {
  return (
    typeof input === 'object' && input !== null && 'fd' in input && typeof input.fd === 'number' && 'readv' in input
  );
}

function isParts(input: unknown): input is ArchiveParts {
  return typeof input === 'object' && input !== null && 'parts' in input && Array.isArray(input.parts);
}

function partsInput({ parts }: ArchiveParts): PartsChoice {
  if (parts.length === 0) throw new XbstreamError('XB_USAGE', 'an archive has at least one part');
  for (const part of parts) checkText('the path of a part', part);
  return { kind: 'parts', paths: [...parts] };
}

function openInput(input: ArchiveInput): OpenedInput {
  const choice = systemInput(input);
  if (choice !== undefined) return { choice, feed: undefined };
  const feed = new StreamFeed(input as ByteStream);
  return { choice: feed.input, feed };
}

/**
 * Has work done on an input. A stream is read meanwhile, and given back whatever happens.
 *
 * @throws XbstreamError `XB_USAGE` for what is no input; `XB_IO` with what a stream failed with as its cause
 * @throws what the work throws
 * @throws the signal's reason after it was aborted
 */
export async function withInput<Result>(
  input: ArchiveInput,
  options: StreamOptions,
  signal: AbortSignal,
  work: (choice: InputChoice) => Promise<Result>,
): Promise<Result> {
  const stream = streamOption(options);
  const { choice, feed } = openInput(input);
  const stop = (): void => feed?.stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    feed?.start();
    return await work({ ...choice, stream, silentSeconds: options.timeout });
  } catch (error) {
    throw feed?.failure === undefined ? error : withCause(error, feed.failure.error);
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}

/** What a worker says of a stream's failure, with what this thread knows of it. */
function withCause(error: unknown, cause: unknown): unknown {
  if (!(error instanceof StreamFailure)) return error;
  const { path, archiveOffset, details, hints, partial } = error;
  const facts = { path, archiveOffset, details, hints, partial };
  return cause instanceof XbstreamError ? cause.with(facts) : streamError(cause, facts);
}

/** The error for a stream of the caller's that has failed. */
export function streamError(cause: unknown, facts: ConstructorParameters<typeof XbstreamError>[2] = {}): XbstreamError {
  const text = cause instanceof Error ? cause.message : String(cause);
  return new XbstreamError('XB_IO', `cannot read the stream: ${text}`, {
    ...facts,
    systemCode: systemCodeOf(cause),
    cause,
  });
}
