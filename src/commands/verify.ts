import { runLane } from '../engine/run-lane.js';
import { errorFromRecord } from '../errors.js';
import { inputSize } from '../input/input-size.js';
import { inputName } from '../input/open-source.js';
import type { VerifyReporter } from '../ui/reporter.js';
import type { VerifyOptions } from './verify-options.js';

/**
 * Reads a whole archive and tells all that is wrong with it.
 *
 * @returns whether it is whole
 * @throws XbstreamError `XB_IO` when it cannot be read; what is wrong with the archive is told to `reporter` only
 * @throws the signal's reason after it was aborted
 */
export async function verify(options: VerifyOptions, reporter: VerifyReporter, signal: AbortSignal): Promise<boolean> {
  const started = performance.now();
  const totalBytes = inputSize(options.input);
  const result = await runLane(
    { verb: 'verify', options },
    {
      file: undefined,
      warning: (message) => reporter.warning(message),
      progress: (bytes) => reporter.progress({ bytes, totalBytes }),
    },
    signal,
  );
  if (result === undefined || result.stopped) {
    signal.throwIfAborted();
    return false;
  }
  const errors = result.errors.map(errorFromRecord);
  const refusal = errors.find(({ code }) => code === 'XB_IO');
  if (refusal !== undefined) throw refusal;
  reporter.verified({
    ok: errors.length === 0,
    entries: result.entries,
    bytes: result.entryBytes,
    archiveBytes: result.archiveBytes,
    elapsedSeconds: (performance.now() - started) / 1000,
    problems: errors,
    problemCount: result.errorCount,
    digests: result.digests,
    archiveName: options.input.kind === 'path' ? inputName(options.input) : '-',
  });
  return errors.length === 0;
}
