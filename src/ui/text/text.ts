/** The printer for people of the verbs that go from file to file. */
import type { Paint } from '../paint.js';
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
import { formatBytes, formatCount, formatNumber, formatPace } from '../units.js';

/** What a person wants to read, and where. Results go to stdout for a verb, to stderr for the xbstream form. */
export interface TextSettings extends PrinterSettings {
  /** Nothing but warnings and errors, and the digests that were asked for. */
  quiet: boolean;
  /** Nothing is written: name each file and its size. */
  dryRun: boolean;
  /** Say at the end what was done. */
  closingLine: boolean;
}

/** `9 files (117 MiB)` and what was kept of them. @param from behind the amount */
function amount(
  { files, bytes, keptFiles }: Pick<ExtractSummary, 'files' | 'bytes' | 'keptFiles'>,
  from: string,
): string {
  const kept = keptFiles === 0 ? '' : `, ${formatNumber(keptFiles)} of them kept as they were`;
  return `${formatCount(files, 'file')}${kept} (${formatBytes(bytes)}${from})`;
}

function fromArchive({ archiveBytes }: ExtractSummary): string {
  return ` from ${formatBytes(archiveBytes)} of archive`;
}

function unpackedLine(summary: ExtractSummary): string {
  const { archiveBytes, elapsedSeconds, target } = summary;
  const pace = formatPace(elapsedSeconds, archiveBytes, 'archive');
  return `unpacked ${amount(summary, fromArchive(summary))} into ${printable(target)} ${pace}\n`;
}

function dryRunLine(summary: ExtractSummary): string {
  const { bytes, freeBytes, target } = summary;
  const would = `would unpack ${amount(summary, fromArchive(summary))} into ${printable(target)}`;
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

const isOrAre = (count: number): string => (count === 1 ? 'is' : 'are');

/** What did not become complete though the reading went on; empty where nothing was lost. */
function lostLines(
  { lost = [], lostCount = 0, cutAt, files, bytes }: ExtractSummary,
  verbose: boolean,
  paint: Paint,
): string {
  if (lostCount === 0 && cutAt === undefined) return '';
  const told = verbose || lost.length <= MOST_LOST_TOLD ? lost : lost.slice(0, MOST_LOST_TOLD);
  const how = told.length < lost.length ? ' (-v names them, --json too)' : '';
  const left = lostCount - told.length;
  const more = left > 0 ? `  and ${formatNumber(left)} more${how}\n` : '';
  const names = told.map((path) => `  ${printablePath(path)}\n`).join('') + more;
  const whole = `${formatCount(files, 'file')} (${formatBytes(bytes)}) ${isOrAre(files)} whole`;
  if (cutAt === undefined)
    return `${paint.failure(`lost ${formatCount(lostCount, 'file')}`)}; ${whole}. Lost:\n${names}`;
  const cut = `${paint.caution(`the archive is cut at byte ${cutAt}`)}: what would have followed is not known`;
  return names === '' ? `${cut}. ${whole}\n` : `${cut}. ${whole}. Not complete:\n${names}`;
}

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
      const lines = lostLines(summary, this.#settings.verbose, this.paint);
      if (lines !== '') this.conclude(lines);
      return;
    }
    const closing = summary.dryRun ? dryRunLine(summary) : closingLine ? unpackedLine(summary) : '';
    this.conclude(digestLines(summary) + (quiet ? '' : closing));
  }

  made({ ok, files, bytes, outputBytes, elapsedSeconds, outputName }: MadeSummary): void {
    const { quiet, closingLine } = this.#settings;
    if (!ok || quiet || !closingLine) return;
    const what = `${formatCount(files, 'file')} (${formatBytes(bytes)})`;
    const output = `${printable(outputName)} (${formatBytes(outputBytes)})`;
    this.conclude(`wrote ${what} to ${output} ${formatPace(elapsedSeconds, bytes, 'files')}\n`);
  }

  decoded(summary: DecodeSummary): void {
    const { ok, files, keptFiles, archiveBytes, elapsedSeconds } = summary;
    if (this.#settings.quiet) return;
    if (!ok) {
      if (files > 0)
        this.conclude(`${amount(summary, '')} ${isOrAre(files)} decoded; the same command goes on with the others\n`);
      return;
    }
    if (files === 0 && keptFiles === 0) {
      this.conclude('nothing to decode\n');
      return;
    }
    const from = ` from ${formatBytes(archiveBytes)}`;
    this.conclude(`decoded ${amount(summary, from)} ${formatPace(elapsedSeconds, archiveBytes, 'files')}\n`);
  }
}
