/** The printer that fits an extraction, the making of an archive or a tar, or the decoding of files. */
import type { JsonSettings } from './json/json-printer.js';
import { JsonReporter } from './json/json.js';
import type { ColorChoice, OutputStream, PaintOf } from './paint.js';
import { ProgressDisplay } from './progress.js';
import type { DecodeReporter, MakeReporter, Reporter, StatusPrinter } from './reporter.js';
import type { PrinterSettings } from './text/text-printer.js';
import { TextReporter } from './text/text.js';

type ProgressChoice = 'auto' | 'always' | 'never';

/** What was chosen about what is shown, whatever the verb. */
export interface Shown {
  quiet: boolean;
  verbose: boolean;
  progress: ProgressChoice;
  color: ColorChoice;
}

interface ReporterChoices extends Shown {
  json: boolean;
  dryRun: boolean;
  /** Say at the end what was done, and say it on stdout. Without it stdout stays empty. */
  closingLine: boolean;
}

/** The streams that printers write to. */
export interface ReporterSurroundings {
  stdout: OutputStream;
  stderr: OutputStream;
}

/** What every printer for people is told. */
export function textSettings(
  { progress, quiet, verbose }: Shown,
  { stdout, stderr }: ReporterSurroundings,
  paint: PaintOf,
): PrinterSettings & { quiet: boolean } {
  const isMoving = progress === 'always' || (progress === 'auto' && stderr.isTTY === true && !quiet);
  const display = isMoving ? new ProgressDisplay(stderr) : undefined;
  return { results: stdout, problems: stderr, paint, progress: display, quiet, verbose };
}

/** What every printer for programs is told. */
export function jsonSettings(
  { progress, verbose }: Shown,
  { stdout, stderr }: ReporterSurroundings,
  paint: PaintOf,
): JsonSettings {
  return { results: stdout, problems: stderr, paint, progress: progress === 'always', verbose };
}

export function makeReporter(
  choices: ReporterChoices,
  streams: ReporterSurroundings,
  paint: PaintOf,
): Reporter & MakeReporter & DecodeReporter & StatusPrinter {
  const { json, dryRun, closingLine } = choices;
  if (json) return new JsonReporter(jsonSettings(choices, streams, paint));
  const settings = textSettings(choices, streams, paint);
  return new TextReporter({ ...settings, results: closingLine ? streams.stdout : streams.stderr, dryRun, closingLine });
}
