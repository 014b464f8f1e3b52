import { isPiped } from '../engine/cut-short.js';
import { runTask, type Task } from '../engine/task.js';
import type { MakeResult } from '../engine/task-protocol.js';
import { errorFromRecord } from '../errors.js';
import type { InputChoice } from '../input/open-source.js';
import { outputName, type OutputChoice } from '../output/archive-target.js';
import type { MakeReporter } from '../ui/reporter.js';

/** What the making of one file out of many is about. */
interface Making<Options> extends Omit<Task<Options>, 'ports' | 'piped'> {
  /** Missing where it is made of files. */
  input: InputChoice | undefined;
  /** Bytes of it, where that is known. */
  totalBytes: number | undefined;
}

/**
 * Has one file made out of many, in a thread of its own.
 *
 * @param signal ends it early
 * @throws XbstreamError what the task has found wrong
 * @throws the signal's reason after it was aborted
 */
export async function make<Options extends { output: OutputChoice }>(
  { input, totalBytes, ...task }: Making<Options>,
  reporter: MakeReporter,
  signal: AbortSignal,
): Promise<void> {
  const started = performance.now();
  const { output } = task.options;
  const ports = [input, output].flatMap((choice) => (choice?.kind === 'ring' ? [choice.ring.port] : []));
  const result = await runTask<Options, MakeResult>(
    { ...task, ports, piped: isPiped(input) },
    {
      file: reporter.wantsFiles ? (path, bytes) => reporter.file({ path, bytes }) : undefined,
      warning: (message) => reporter.warning(message),
      progress: (progress) => reporter.progress({ ...progress, totalBytes }),
    },
    signal,
  );
  if (result === undefined) {
    signal.throwIfAborted();
    return;
  }
  const errors = result.errors.map(errorFromRecord);
  // Whoever reads what is made may go away (`| head`): then nobody is left who wants to know.
  const told = errors.filter(({ systemCode }) => systemCode !== 'EPIPE');
  if (told.length > 0) reporter.errors(told);
  reporter.made({
    ok: errors.length === 0 && !result.stopped,
    files: result.files,
    bytes: result.bytes,
    outputBytes: result.outputBytes,
    elapsedSeconds: (performance.now() - started) / 1000,
    outputName: outputName(output),
  });
  if (errors.length > 0) throw errors[0]!;
  if (result.stopped) signal.throwIfAborted();
}
