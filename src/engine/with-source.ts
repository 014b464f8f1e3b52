import { openSource, type InputChoice } from '../input/open-source.js';
import type { Source } from '../input/source.js';

/** What tells work to stop. */
export interface Stopping {
  readonly signal: AbortSignal;
  /** The same, also where nobody waits for events. */
  readonly isStopped: () => boolean;
}

/**
 * Opens an input, works on it until that is done or it is to stop, and closes it.
 *
 * @throws XbstreamError `XB_IO`, and what the work throws
 * @throws the signal's reason after it was aborted
 */
export async function withSource<Result>(
  input: InputChoice,
  { signal, isStopped }: Stopping,
  work: (source: Source) => Promise<Result>,
): Promise<Result> {
  signal.throwIfAborted();
  const source = await openSource(input, isStopped);
  const stop = (): void => source.stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const result = await work(source);
    signal.throwIfAborted();
    return result;
  } finally {
    signal.removeEventListener('abort', stop);
    source.close();
  }
}
