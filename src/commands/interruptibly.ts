import { openSource, type InputChoice } from '../input/open-source.js';
import type { Source } from '../input/source.js';

/**
 * Opens an input and works on it until that is done, or the signal says stop.
 *
 * @throws XbstreamError `XB_IO`, and what the work throws
 * @throws the signal's reason after it was aborted
 */
export async function interruptibly<Result>(
  input: InputChoice,
  signal: AbortSignal,
  work: (source: Source) => Promise<Result>,
): Promise<Result> {
  signal.throwIfAborted();
  const source = await openSource(input, () => signal.aborted);
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
