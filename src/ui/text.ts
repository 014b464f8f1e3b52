import type { XbstreamError } from '../errors.js';
import { errorText, warningText } from './error-text.js';
import type { OutputStream } from './output-stream.js';
import type { Paint } from './paint.js';
import { printable, printablePath } from './printable.js';
import type { ProgressDisplay } from './progress.js';
import type { ExtractSummary, FileReport, ProgressReport, Reporter } from './reporter.js';
import { Screen } from './screen.js';
import { formatBytes, formatCount, formatRate, formatSeconds } from './units.js';

/** What a person wants to read, and where. */
export interface TextSettings {
  /** Where results go: stdout for a verb, stderr for the xbstream form, whose stdout stays empty. */
  results: OutputStream;
  /** Where errors and warnings go. */
  problems: OutputStream;
  paint: Paint;
  /** Nothing but warnings and errors, and the digests that were asked for. */
  quiet: boolean;
  /** Name each file. */
  verbose: boolean;
  /** Nothing is written: name each file and its size. */
  dryRun: boolean;
  /** Say at the end what was done. */
  closingLine: boolean;
  progress?: ProgressDisplay | undefined;
}

/** `9 files (117 MiB)` and what was kept of them. */
function amount({ files, bytes, keptFiles }: ExtractSummary): string {
  const kept = keptFiles === 0 ? '' : `, ${keptFiles.toLocaleString('en-US')} of them kept as they were`;
  return `${formatCount(files, 'file')} (${formatBytes(bytes)}${kept})`;
}

function unpackedLine(summary: ExtractSummary): string {
  const { archiveBytes, elapsedSeconds, target } = summary;
  // Of a fraction of a second no rate can be told that would mean anything.
  const rate = elapsedSeconds < 0.05 ? '' : `, ${formatRate(archiveBytes / elapsedSeconds)}`;
  return `unpacked ${amount(summary)} into ${printable(target)} in ${formatSeconds(elapsedSeconds)}${rate}\n`;
}

function dryRunLine(summary: ExtractSummary): string {
  const { bytes, freeBytes, target } = summary;
  const would = `would unpack ${amount(summary)} into ${printable(target)}`;
  if (freeBytes === undefined) return `${would}\n`;
  const fit = bytes > freeBytes ? `: ${formatBytes(bytes - freeBytes)} too little` : '';
  return `${would}; ${formatBytes(freeBytes)} free there${fit}\n`;
}

/** As `sha1sum` prints it. */
function digestLines({ digests, archiveName }: ExtractSummary): string {
  return Object.values(digests)
    .map((hex) => `${hex}  ${printable(archiveName)}\n`)
    .join('');
}

/** The printer for people. */
export class TextReporter implements Reporter {
  readonly #settings: TextSettings;
  readonly #screen: Screen;

  constructor(settings: TextSettings) {
    this.#settings = settings;
    this.#screen = new Screen(settings.progress);
  }

  get wantsFiles(): boolean {
    const { quiet, verbose, dryRun } = this.#settings;
    return !quiet && (verbose || dryRun);
  }

  file({ path, bytes }: FileReport): void {
    if (!this.wantsFiles) return;
    const { results, dryRun } = this.#settings;
    const size = dryRun ? `${formatBytes(bytes).padStart(9)}  ` : '';
    this.#screen.list(results, `${size}${printablePath(path)}\n`);
  }

  warning(message: string): void {
    const { problems, paint } = this.#settings;
    this.#screen.write(problems, warningText(message, paint));
  }

  error(error: XbstreamError): void {
    const { problems, paint } = this.#settings;
    this.#screen.write(problems, errorText(error, paint));
  }

  progress(report: ProgressReport): void {
    this.#settings.progress?.update(report);
  }

  extracted(summary: ExtractSummary): void {
    // What went wrong is told by the error; a digest of half an archive would only be taken for that of the whole.
    if (!summary.ok) return;
    const { results, quiet, closingLine } = this.#settings;
    // The run is over: whatever is written from here on has the screen to itself.
    this.#screen.close();
    this.#screen.write(results, digestLines(summary));
    if (quiet) return;
    if (summary.dryRun) this.#screen.write(results, dryRunLine(summary));
    else if (closingLine) this.#screen.write(results, unpackedLine(summary));
  }

  close(): void {
    this.#screen.close();
  }
}
