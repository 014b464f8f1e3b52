/** Opens an archive for a piece of work, and closes it after that. */
import type { Context } from '../context.js';
import { XbstreamError } from '../errors.js';
import { openSource, type InputChoice } from '../input/open-source.js';
import type { Source } from '../input/source.js';
import { openArchive } from '../wrapper/open-archive.js';
import { explained } from '../wrapper/wrapper-error.js';

/** What tells work to stop. */
type Stopping = Pick<Context, 'signal' | 'isStopped'>;

/**
 * Opens an archive, works on it until that is done or it is to stop, and closes it. Of problems, also of what is thrown, it is
 * then said what the input tells of them.
 *
 * @throws XbstreamError `XB_IO`, and what the work throws
 * @throws the signal's reason after it was aborted
 */
export async function withSource<Result extends { problems: readonly XbstreamError[] }>(
  input: InputChoice,
  stopping: Stopping,
  work: (source: Source) => Promise<Result>,
): Promise<Result> {
  let source: Source | undefined;
  try {
    const result = await run(stopping, async () => (source = await openArchive(input, stopping.isStopped)), work);
    return { ...result, problems: explained(result.problems, input, source) };
  } catch (error) {
    throw error instanceof XbstreamError ? explained([error], input, source)[0]! : error;
  }
}

/** The same for an input that is read as it is. */
export function withRawSource<Result>(
  input: InputChoice,
  stopping: Stopping,
  work: (source: Source) => Promise<Result>,
): Promise<Result> {
  return run(stopping, () => openSource(input, stopping.isStopped), work);
}

async function run<Result>(
  { signal, isStopped }: Stopping,
  open: () => Promise<Source>,
  work: (source: Source) => Promise<Result>,
): Promise<Result> {
  signal.throwIfAborted();
  let source: Source | undefined;
  const stop = (): void => source?.stop();
  // Work that waits in a call sees the request to stop first; the event for it comes later.
  const heard = async (): Promise<void> => {
    while (isStopped() && !signal.aborted) await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    source = await open();
    // Meanwhile nobody has told it.
    if (signal.aborted) source.stop();
    const result = await work(source);
    await heard();
    return result;
  } catch (error) {
    await heard();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    source?.close();
  }
}
