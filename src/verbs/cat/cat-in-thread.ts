/** `cat` of an input that is waited for in calls: a thread of its own reads it, and this one hears signals and writes. */
import { contextWith, type Context } from '../../context.js';
import { makeRing, RingReader } from '../../input/stream/ring.js';
import type { Outcome } from '../../outcome.js';
import type { ContentSink } from '../../output/stream-output.js';
import { inThread, work } from '../threads/start.js';
import type { CatJob, CatOptions } from './cat-options.js';

export const CAT = work<CatJob, undefined>('cat');

/** Has a thread of its own read the files, and put their content into a ring. */
export function catIntoRingInThread(job: CatJob, context: Context): Promise<Outcome<undefined>> {
  const needs = { input: job.options.input, output: { kind: 'ring' as const, ring: job.output } };
  return inThread(CAT, job, needs, context);
}

/** @throws what the sink throws */
export async function catInThread(
  options: CatOptions,
  write: ContentSink,
  context: Context,
): Promise<Outcome<undefined>> {
  const { writer, reader } = makeRing();
  const ring = new RingReader(reader);
  const refused = new AbortController();
  const signal = AbortSignal.any([context.signal, refused.signal]);
  let isOver = false;
  const work = catIntoRingInThread({ options, output: writer }, contextWith(context, { signal })).finally(() => {
    isOver = true;
    ring.wake();
  });
  // It is waited for below, and may fail before that.
  work.catch(() => undefined);
  try {
    await pass(ring, () => isOver, write);
  } catch (error) {
    refused.abort();
    await Promise.allSettled([work]);
    throw error;
  } finally {
    ring.close();
  }
  return { ...(await work), summary: undefined };
}

/** Writes what comes, to its end. */
async function pass(ring: RingReader, isOver: () => boolean, write: ContentSink): Promise<void> {
  for (;;) {
    // Asked first: what was written before the end is there once the end is seen.
    const isLast = ring.hasEnded || isOver();
    const piece = ring.take();
    if (piece !== undefined) await write(piece);
    else if (isLast) return;
    else await ring.wait();
  }
}
