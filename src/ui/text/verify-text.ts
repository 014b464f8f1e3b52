/** Prints what a verification has found, for people. */
import type { XbstreamError } from '../../errors.js';
import { plainPaint, type Paint } from '../paint.js';
import { likeProblems, othersLine } from './like-problems.js';
import { printable, printablePath } from '../printable.js';
import type { FileReport, ShardReporter, ShardSummary, Verification, VerifyReporter } from '../reporter.js';
import { digestLines } from './text.js';
import { TextPrinter, type PrinterSettings } from './text-printer.js';
import { formatBytes, formatCount, formatNumber, formatPace } from '../units.js';

export interface VerifyTextSettings extends PrinterSettings {
  /** Nothing when all is well. */
  quiet: boolean;
}

/** The heading for what belongs to no file in particular. */
const THE_ARCHIVE = 'the archive itself';

/** The problems of each file, in the order in which the files came up; those of none under a heading of their own. */
export function byFile(problems: readonly XbstreamError[]): Map<string, XbstreamError[]> {
  const groups = new Map<string, XbstreamError[]>();
  for (const problem of problems) {
    const name = problem.path === undefined ? THE_ARCHIVE : printablePath(problem.path);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [problem]);
    else group.push(problem);
  }
  return groups;
}

/** Where in the archive a problem lies. */
export function placeOf({ archiveOffset }: XbstreamError): string {
  return archiveOffset === undefined ? '' : ` at archive byte ${archiveOffset}`;
}

/** What a verification comes to, in a line. */
export function verdict(verification: Verification, paint: Paint = plainPaint): string {
  const { isWhole, entries, bytes, archiveBytes, elapsedSeconds, problems, problemCount, archiveName } = verification;
  const name = archiveName === '-' ? 'the archive on stdin' : printable(archiveName);
  const pace = formatPace(elapsedSeconds, archiveBytes, 'archive');
  const amount = `${formatCount(entries, 'file')} (${formatBytes(bytes)} in ${formatBytes(archiveBytes)} of archive)`;
  if (isWhole) return `${name} is ${paint.success('whole')}: ${amount}, every checksum held, ${pace}`;
  const not = isOnlyUnread(problems) ? paint.caution('NOT proven whole') : paint.failure('NOT whole');
  return `${name} is ${not}: ${formatCount(problemCount, 'problem')}; ${amount} ${pace}`;
}

/** Nothing was found damaged, but something could not be looked into. */
function isOnlyUnread(problems: readonly XbstreamError[]): boolean {
  return problems.every(({ code }) => code === 'XB_KEY_REQUIRED' || code.startsWith('XB_UNSUPPORTED'));
}

/** A verification for people: what is wrong, by file. */
export class VerifyTextReporter extends TextPrinter implements VerifyReporter {
  readonly #settings: VerifyTextSettings;

  constructor(settings: VerifyTextSettings) {
    super(settings);
    this.#settings = settings;
  }

  /** With `-v` each file is named as it is found whole. */
  get wantsFiles(): boolean {
    return this.#settings.verbose;
  }

  file({ path }: FileReport): void {
    this.list(`${this.paint.success('whole')}  ${printablePath(path)}\n`);
  }

  verified(verification: Verification): void {
    const { paint } = this;
    const { quiet, verbose } = this.#settings;
    const { ok, problems, problemCount } = verification;
    const alike = verbose ? [] : likeProblems(problems).filter(({ others }) => others.length > 0);
    const untold = new Set(alike.flatMap(({ others }) => others));
    const othersOf = new Map(alike.map((group) => [group.first, othersLine(group)]));
    for (const [name, group] of byFile(problems.filter((problem) => !untold.has(problem)))) {
      this.list(`${paint.failure(name)}\n`);
      for (const problem of group) {
        this.list(problemText(problem));
        const others = othersOf.get(problem);
        if (others !== undefined) this.list(`    ${others}\n`);
      }
    }
    if (problemCount > problems.length) {
      this.list(`and ${formatNumber(problemCount - problems.length)} problems more\n`);
    }
    // What to do next, once: thousands of problems may share it.
    const hints = new Set(problems.flatMap((problem) => problem.hints));
    for (const hint of hints) this.list(`  ${paint.advice(printable(hint))}\n`);
    const closing = quiet && ok ? '' : `${verdict(verification, paint)}\n${writtenLine(verification)}`;
    this.conclude(digestLines(verification) + closing);
  }
}

function writtenLine({ report }: Verification): string {
  return report === undefined ? '' : `wrote ${printable(report.name)} (${formatBytes(report.bytes)})\n`;
}

function problemText(problem: XbstreamError): string {
  const { code, message, details } = problem;
  const first = `  ${code}${placeOf(problem)}: ${printable(message)}\n`;
  return first + details.map((line) => `    ${printable(line)}\n`).join('');
}

/** Prints what was found in a shard: the result goes to stdout as it is, a line about it to people. */
export class ShardTextReporter extends TextPrinter implements ShardReporter {
  readonly #quiet: boolean;

  constructor(settings: PrinterSettings & { quiet: boolean }) {
    super(settings);
    this.#quiet = settings.quiet;
  }

  shardChecked({ shard, shards, chunks, bytes, files, result }: ShardSummary): void {
    for (const piece of result) this.list(piece);
    if (this.#quiet) return;
    const inside = files === undefined ? '' : `, and ${formatCount(files, 'file')} looked into`;
    const checked = `${formatCount(chunks, 'chunk')} (${formatBytes(bytes)}) were checked`;
    this.status(`shard ${shard}/${shards}: ${checked}${inside}`);
  }
}
