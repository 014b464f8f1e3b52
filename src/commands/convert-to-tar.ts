import { errorFromRecord } from '../errors.js';
import { runTask } from '../engine/task.js';
import { inputSize } from '../input/input-size.js';
import { outputName } from '../output/archive-target.js';
import type { MakeReporter } from '../ui/reporter.js';
import type { TarOptions } from './tar-options.js';

/**
 * Converts an archive to a tar of what it holds when all its corrections are applied. The same archive gives the same tar,
 * byte for byte, from a file and from a pipe.
 *
 * @param signal ends it early
 * @throws XbstreamError any code; the tar then ends in the middle of a file
 * @throws the signal's reason after it was aborted
 */
export async function convertToTar(options: TarOptions, reporter: MakeReporter, signal: AbortSignal): Promise<void> {
  const started = performance.now();
  const totalBytes = inputSize(options.input);
  const result = await runTask(
    new URL('../engine/tar-worker.js', import.meta.url),
    options,
    options.decompress || options.key !== undefined,
    {
      file: reporter.wantsFiles ? (path, bytes) => reporter.file({ path, bytes }) : undefined,
      warning: (message) => reporter.warning(message),
      progress: (bytes) => reporter.progress({ bytes, totalBytes }),
    },
    signal,
  );
  if (result === undefined) {
    signal.throwIfAborted();
    return;
  }
  const [worst, ...others] = result.errors.map(errorFromRecord);
  for (const error of others) reporter.error(error);
  reporter.made({
    ok: worst === undefined && !result.stopped,
    files: result.files,
    bytes: result.bytes,
    outputBytes: result.outputBytes,
    elapsedSeconds: (performance.now() - started) / 1000,
    outputName: outputName(options.output),
  });
  if (worst !== undefined) throw worst;
  if (result.stopped) signal.throwIfAborted();
}
