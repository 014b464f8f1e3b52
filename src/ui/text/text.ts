import { printable, printablePath } from '../printable.js';
import type {
  DecodeReporter,
  DecodeSummary,
  ExtractSummary,
  FileReport,
  MadeSummary,
  MakeReporter,
  Reporter,
} from '../reporter.js';
import { TextPrinter, type PrinterSettings } from './text-printer.js';
import { formatBytes, formatCount, formatRate, formatSeconds } from '../units.js';

/** What a person wants to read, and where. Results go to stdout for a verb, to stderr for the xbstream form. */
export interface TextSettings extends PrinterSettings {
  /** Nothing but warnings and errors, and the digests that were asked for. */
  quiet: boolean;
  /** Nothing is written: name each file and its size. */
  dryRun: boolean;
  /** Say at the end what was done. */
  closingLine: boolean;
}

/** `9 files (117 MiB)` and what was kept of them. */
function amount({ files, bytes, keptFiles }: Pick<ExtractSummary, 'files' | 'bytes' | 'keptFiles'>): string {
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
export function digestLines({ digests, archiveName }: Pick<ExtractSummary, 'digests' | 'archiveName'>): string {
  return Object.values(digests)
    .map((hex) => `${hex}  ${printable(archiveName)}\n`)
    .join('');
}

/** Most lost files that are named without being asked to. */
const MOST_LOST_TOLD = 20;

/** What did not become complete though the reading went on; empty where nothing was lost. */
function lostLines({ lost = [], lostCount = 0, cutAt, files, bytes }: ExtractSummary, verbose: boolean): string {
  if (lostCount === 0 && cutAt === undefined) return '';
  const told = verbose || lost.length <= MOST_LOST_TOLD ? lost : lost.slice(0, MOST_LOST_TOLD);
  const how = told.length < lost.length ? ' (-v names them, --json too)' : '';
  const left = lostCount - told.length;
  const more = left > 0 ? `  and ${left.toLocaleString('en-US')} more${how}\n` : '';
  const names = told.map((path) => `  ${printablePath(path)}\n`).join('') + more;
  const whole = `${formatCount(files, 'file')} (${formatBytes(bytes)}) are whole`;
  if (cutAt === undefined) return `lost ${formatCount(lostCount, 'file')}; ${whole}. Lost:\n${names}`;
  const cut = `the archive is cut at byte ${cutAt}: what would have followed is not known`;
  return names === '' ? `${cut}. ${whole}\n` : `${cut}. ${whole}. Not complete:\n${names}`;
}

/** The printer for people of the verbs that go from file to file. */
export class TextReporter extends TextPrinter implements Reporter, MakeReporter, DecodeReporter {
  readonly #settings: TextSettings;

  constructor(settings: TextSettings) {
    super(settings);
    this.#settings = settings;
  }

  get wantsFiles(): boolean {
    const { quiet, verbose, dryRun } = this.#settings;
    return !quiet && (verbose || dryRun);
  }

  file({ path, bytes }: FileReport): void {
    if (!this.wantsFiles) return;
    const size = this.#settings.dryRun ? `${formatBytes(bytes).padStart(9)}  ` : '';
    this.list(`${size}${printablePath(path)}\n`);
  }

  extracted(summary: ExtractSummary): void {
    const { quiet, closingLine } = this.#settings;
    if (!summary.ok) {
      // What went wrong is told by the errors; a digest of half an archive would only be taken for that of the whole.
      const lines = lostLines(summary, this.#settings.verbose);
      if (lines !== '') this.conclude(lines);
      return;
    }
    const closing = summary.dryRun ? dryRunLine(summary) : closingLine ? unpackedLine(summary) : '';
    this.conclude(digestLines(summary) + (quiet ? '' : closing));
  }

  made({ ok, files, bytes, elapsedSeconds, outputName }: MadeSummary): void {
    const { quiet, closingLine } = this.#settings;
    if (!ok || quiet || !closingLine) return;
    const rate = elapsedSeconds < 0.05 ? '' : `, ${formatRate(bytes / elapsedSeconds)}`;
    const what = `${formatCount(files, 'file')} (${formatBytes(bytes)})`;
    this.conclude(`wrote ${what} to ${printable(outputName)} in ${formatSeconds(elapsedSeconds)}${rate}\n`);
  }

  decoded(summary: DecodeSummary): void {
    const { ok, files, keptFiles, archiveBytes, elapsedSeconds } = summary;
    if (this.#settings.quiet) return;
    if (!ok) {
      if (files > 0) this.conclude(`${amount(summary)} are decoded; the same command goes on with the others\n`);
      return;
    }
    if (files === 0 && keptFiles === 0) {
      this.conclude('nothing to decode\n');
      return;
    }
    const rate = elapsedSeconds < 0.05 ? '' : `, ${formatRate(archiveBytes / elapsedSeconds)}`;
    this.conclude(`decoded ${amount(summary)} in ${formatSeconds(elapsedSeconds)}${rate}\n`);
  }
}
