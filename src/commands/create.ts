import { errorFromRecord } from '../errors.js';
import { runTask } from '../engine/task.js';
import { outputName } from '../output/archive-target.js';
import type { MakeReporter } from '../ui/reporter.js';
import type { CreateOptions } from './create-options.js';

/**
 * Makes an archive of files, byte for byte what the C tools write for them.
 *
 * @param signal ends it early; nothing is left under the final name
 * @throws XbstreamError `XB_IO`, `XB_TARGET_EXISTS`
 * @throws the signal's reason after it was aborted
 */
export async function create(options: CreateOptions, reporter: MakeReporter, signal: AbortSignal): Promise<void> {
  const started = performance.now();
  const result = await runTask(
    new URL('../engine/create-worker.js', import.meta.url),
    options,
    false,
    {
      file: reporter.wantsFiles ? (path, bytes) => reporter.file({ path, bytes }) : undefined,
      warning: (message) => reporter.warning(message),
      progress: (bytes) => reporter.progress({ bytes }),
    },
    signal,
  );
  if (result === undefined) {
    signal.throwIfAborted();
    return;
  }
  const [worst] = result.errors.map(errorFromRecord);
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
