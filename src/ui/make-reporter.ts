import { JsonReporter } from './json/json.js';
import type { OutputStream } from './output-stream.js';
import type { ColorChoice, Paint } from './paint.js';
import { ProgressDisplay } from './progress.js';
import type { DecodeReporter, MakeReporter, Reporter, StatusPrinter } from './reporter.js';
import { TextReporter } from './text/text.js';

export type ProgressChoice = 'auto' | 'always' | 'never';

/** What was chosen on the command line about what is shown. */
export interface ReporterChoices {
  json: boolean;
  quiet: boolean;
  verbose: boolean;
  dryRun: boolean;
  /** Say at the end what was done, and say it on stdout. Without it stdout stays empty. */
  closingLine: boolean;
  progress: ProgressChoice;
  color: ColorChoice;
}

/** The streams that printers write to. */
export interface ReporterSurroundings {
  stdout: OutputStream;
  stderr: OutputStream;
}

/** Whether the line that moves is wanted. */
export function isProgressShown(
  { progress, quiet }: Pick<ReporterChoices, 'progress' | 'quiet'>,
  stderr: OutputStream,
): boolean {
  return progress === 'always' || (progress === 'auto' && stderr.isTTY === true && !quiet);
}

/** The printer that fits an extraction, the making of an archive or a tar, or the decoding of files. */
export function makeReporter(
  choices: ReporterChoices,
  { stdout, stderr }: ReporterSurroundings,
  paint: Paint,
): Reporter & MakeReporter & DecodeReporter & StatusPrinter {
  const { json, quiet, verbose, dryRun, closingLine } = choices;
  if (json) {
    return new JsonReporter({
      results: stdout,
      problems: stderr,
      paint,
      progress: choices.progress === 'always',
      verbose,
    });
  }
  return new TextReporter({
    results: closingLine ? stdout : stderr,
    problems: stderr,
    paint,
    quiet,
    verbose,
    dryRun,
    closingLine,
    progress: isProgressShown(choices, stderr) ? new ProgressDisplay(stderr) : undefined,
  });
}
