import type { FileReport, MadeSummary, MakeReporter } from '../ui/reporter.js';
import type { CallbackReporter } from './run.js';

/** What {@link create} and {@link writeTar} have done. */
export interface MakeResult {
  files: number;
  /** Bytes of these files. */
  bytes: number;
  /** Bytes that were written. */
  outputBytes: number;
  elapsedSeconds: number;
}

/** Runs a command that makes one file of many. @throws what it throws */
export async function resultOf(
  command: (reporter: MakeReporter) => Promise<void>,
  reporter: CallbackReporter,
  onFile: ((file: FileReport) => void) | undefined,
): Promise<MakeResult> {
  let summary: MadeSummary | undefined;
  await command(
    Object.assign(reporter, {
      wantsFiles: onFile !== undefined,
      file: (report: FileReport) => reporter.tell(onFile, report),
      made: (made: MadeSummary) => {
        summary = made;
      },
    }),
  );
  const { files, bytes, outputBytes, elapsedSeconds } = summary!;
  return { files, bytes, outputBytes, elapsedSeconds };
}
