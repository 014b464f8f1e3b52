import { judgeBackup } from '../backup/backup-state.js';
import { runLane } from '../engine/run-lane.js';
import type { TaskListener } from '../engine/task.js';
import { verifyHalves } from '../engine/verify-halves.js';
import { errorFromRecord } from '../errors.js';
import { inputSize } from '../input/input-size.js';
import { inputName } from '../input/open-source.js';
import type { VerifyReporter } from '../ui/reporter.js';
import type { VerifyOptions } from '../engine/verify-options.js';

/**
 * Reads a whole archive and tells all that is wrong with it.
 *
 * @returns whether it is whole
 * @throws XbstreamError `XB_IO` when it cannot be read, `XB_TARGET_EXISTS` for the file of a manifest; what is wrong with the archive is told to `reporter` only
 * @throws the signal's reason after it was aborted
 */
export async function verify(options: VerifyOptions, reporter: VerifyReporter, signal: AbortSignal): Promise<boolean> {
  const started = performance.now();
  const totalBytes = inputSize(options.input);
  const listener: TaskListener = {
    file: undefined,
    warning: (message) => reporter.warning(message),
    progress: (progress) => reporter.progress({ ...progress, totalBytes }),
  };
  const result =
    (await verifyHalves(options, listener, signal)) ?? (await runLane({ verb: 'verify', options }, listener, signal));
  if (result === undefined || result.stopped) {
    signal.throwIfAborted();
    return false;
  }
  const errors = result.errors.map(errorFromRecord);
  const refusal = errors.find(({ code }) => code === 'XB_IO' || code === 'XB_TARGET_EXISTS');
  if (refusal !== undefined) throw refusal;
  let { errorCount } = result;
  if (errors.length === 0 && result.backup !== undefined) {
    const { error, warning } = judgeBackup(options.backup, result.backup, result.archiveBytes);
    if (warning !== undefined) reporter.warning(warning);
    if (error !== undefined) {
      errors.push(error);
      errorCount += 1;
    }
  }
  reporter.verified({
    ok: errors.length === 0,
    entries: result.entries,
    bytes: result.entryBytes,
    archiveBytes: result.archiveBytes,
    elapsedSeconds: (performance.now() - started) / 1000,
    problems: errors,
    problemCount: errorCount,
    digests: result.digests,
    archiveName: ['path', 'parts'].includes(options.input.kind) ? inputName(options.input) : '-',
  });
  return errors.length === 0;
}
