import { abortedSoon, isOfOthersEnd, isPiped } from '../engine/cut-short.js';
import { XbstreamError } from '../errors.js';
import type { InputChoice } from '../input/open-source.js';
import { withParts } from '../input/part-hint.js';
import type { Source } from '../input/source.js';
import { openArchive } from '../wrapper/open-archive.js';
import { withPlace } from '../wrapper/wrapper-error.js';

/**
 * Opens an input and works on it until that is done, or the signal says stop.
 *
 * @param problemsOf what is wrong with the archive, as far as the work has not thrown it
 * @throws XbstreamError `XB_IO`, and what the work throws
 * @throws the signal's reason after it was aborted
 */
export async function interruptibly<Result>(
  input: InputChoice,
  signal: AbortSignal,
  work: (source: Source) => Promise<Result>,
  problemsOf: (result: Result) => readonly XbstreamError[],
): Promise<Result> {
  signal.throwIfAborted();
  const piped = isPiped(input);
  const source = await openArchive(input, () => signal.aborted);
  const stop = (): void => source.stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const result = await work(source);
    if (problemsOf(result).some((problem) => isOfOthersEnd(problem, piped))) await abortedSoon(signal);
    signal.throwIfAborted();
    return result;
  } catch (error) {
    if (error instanceof XbstreamError && isOfOthersEnd(error, piped) && (await abortedSoon(signal)))
      throw signal.reason;
    throw error instanceof XbstreamError ? withParts(withPlace([error], source), input)[0]! : error;
  } finally {
    signal.removeEventListener('abort', stop);
    source.close();
  }
}
