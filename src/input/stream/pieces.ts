/** Takes bytes out of the streams that a caller may give, a piece at a time. */
import type { Readable } from 'node:stream';
import type { ReadableStream, ReadableStreamDefaultReader } from 'node:stream/web';
import { XbstreamError } from '../../errors.js';

/** Something of the caller's that gives the bytes of an archive, in pieces of any size. */
export type ByteStream =
  NodeJS.ReadableStream | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** The pieces of a stream, one at a time. */
export interface Pieces {
  /**
   * @returns undefined at the end
   * @throws XbstreamError `XB_USAGE` for what is no bytes, and what the stream fails with
   */
  next(): Promise<Uint8Array | undefined>;
  /** No more are wanted: gives the stream back, also while it is silent. */
  cancel(): void;
}

/** Whether something can be read by {@link piecesOf}. */
export function isByteStream(value: unknown): value is ByteStream {
  if (typeof value !== 'object' || value === null) return false;
  return isWebStream(value as ByteStream) || Symbol.asyncIterator in value || Symbol.iterator in value;
}

/** @throws XbstreamError `XB_USAGE` for a stream that somebody else reads */
export function piecesOf(stream: ByteStream): Pieces {
  return isWebStream(stream) ? webPieces(stream) : iteratedPieces(stream);
}

function isWebStream(stream: ByteStream): stream is ReadableStream<Uint8Array> {
  return 'getReader' in stream && typeof stream.getReader === 'function';
}

function isNodeStream(stream: object): stream is Readable {
  return 'destroy' in stream && typeof stream.destroy === 'function' && 'on' in stream;
}

function webPieces(stream: ReadableStream<Uint8Array>): Pieces {
  if (stream.locked) throw new XbstreamError('XB_USAGE', 'the stream is locked: somebody else reads it');
  const reader: ReadableStreamDefaultReader<Uint8Array> = stream.getReader();
  return {
    next: async () => {
      const { done, value } = await reader.read();
      return done ? undefined : assertBytes(value);
    },
    cancel: () => void reader.cancel().catch(ignore),
  };
}

function iteratedPieces(stream: Exclude<ByteStream, ReadableStream<Uint8Array>>): Pieces {
  const iterator: AsyncIterator<unknown> | Iterator<unknown> =
    Symbol.asyncIterator in stream ? stream[Symbol.asyncIterator]() : stream[Symbol.iterator]();
  return {
    next: async () => {
      const next: IteratorResult<unknown> = await iterator.next();
      return next.done === true ? undefined : assertBytes(next.value);
    },
    cancel: () => {
      if (isNodeStream(stream)) {
        // Its iterator would only end it with the next piece. What goes wrong now concerns nobody any more.
        stream.on('error', ignore);
        stream.destroy();
      } else {
        // Not waited for: an iterator that waits for its next piece ends with that.
        void giveBack(iterator).catch(ignore);
      }
    },
  };
}

async function giveBack(iterator: AsyncIterator<unknown> | Iterator<unknown>): Promise<void> {
  await iterator.return?.();
}

function ignore(): void {
  // Whoever gave the stream back does not need to know how it took that.
}

function assertBytes(piece: unknown): Uint8Array {
  if (piece instanceof Uint8Array) return piece;
  const found = typeof piece === 'string' ? 'text' : typeof piece;
  throw new XbstreamError('XB_USAGE', `the stream gives ${found} where bytes are expected`, {
    hints: ['a stream of bytes has no encoding set and is not in object mode'],
  });
}
