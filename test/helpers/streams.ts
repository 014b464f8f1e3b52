import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import type { ByteStream } from 'tsxbstream';

export const STREAM_KINDS = ['Readable', 'ReadableStream', 'async iterable', 'iterable'] as const;

export type StreamKind = (typeof STREAM_KINDS)[number];

/** How a stream goes on behind its last piece: it ends, nothing more happens, or it fails. */
export type Ending = 'end' | 'silence' | Error;

export interface WatchedStream {
  input: ByteStream;
  /** Bytes that it has given so far. */
  givenBytes: number;
  /** It was destroyed, cancelled or told to return before its end. */
  isGivenBack: boolean;
}

/** A stream of one of the kinds, and what happens to it. */
export function watchedStream(kind: StreamKind, pieces: Iterable<Uint8Array>, ending: Ending = 'end'): WatchedStream {
  const source = pieces[Symbol.iterator]();
  const watched: WatchedStream = { input: [], givenBytes: 0, isGivenBack: false };
  const next = (): Uint8Array | undefined => {
    const step = source.next();
    if (step.done === true) {
      if (ending instanceof Error) throw ending;
      return undefined;
    }
    watched.givenBytes += step.value.length;
    return step.value;
  };
  watched.input = makers[kind](next, ending, watched);
  return watched;
}

type Maker = (next: () => Uint8Array | undefined, ending: Ending, watched: WatchedStream) => ByteStream;

const makers: Readonly<Record<StreamKind, Maker>> = {
  Readable: (next, ending, watched) => {
    let isOver = false;
    return new Readable({
      read() {
        try {
          const piece = next();
          isOver = piece === undefined;
          if (!isOver || ending === 'end') this.push(piece ?? null);
        } catch (error) {
          isOver = true;
          this.destroy(error as Error);
        }
      },
      destroy(error, callback) {
        watched.isGivenBack = !isOver || ending === 'silence';
        callback(error);
      },
    });
  },
  ReadableStream: (next, ending, watched) =>
    new ReadableStream<Uint8Array>({
      pull(controller) {
        const piece = next();
        if (piece !== undefined) controller.enqueue(piece);
        else if (ending === 'end') controller.close();
        else return new Promise<void>(() => undefined);
        return undefined;
      },
      cancel() {
        watched.isGivenBack = true;
      },
    }),
  'async iterable': (next, ending, watched) => ({
    [Symbol.asyncIterator]: () => ({
      next: () =>
        new Promise<IteratorResult<Uint8Array>>((resolve) => {
          const value = next();
          if (value !== undefined) resolve({ done: false, value });
          else if (ending === 'end') resolve({ done: true, value });
        }),
      return: () => {
        watched.isGivenBack = true;
        return Promise.resolve({ done: true, value: undefined });
      },
    }),
  }),
  iterable: (next, _ending, watched) => ({
    [Symbol.iterator]: () => ({
      next: () => {
        const value = next();
        return value === undefined ? { done: true, value } : { done: false, value };
      },
      return: () => {
        watched.isGivenBack = true;
        return { done: true, value: undefined };
      },
    }),
  }),
};

/** Takes all there is. */
export async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const item of items) assert.notEqual(item, undefined);
}
