import type { XbstreamError } from '../../errors.js';
import { likeProblems, othersLine } from './like-problems.js';
import { printable, printablePath } from '../printable.js';
import type { Verification, VerifyReporter } from '../reporter.js';
import { digestLines } from './text.js';
import { TextPrinter, type PrinterSettings } from './text-printer.js';
import { formatBytes, formatCount, formatRate, formatSeconds } from '../units.js';

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
export function verdict(verification: Verification): string {
  const { isWhole, entries, bytes, archiveBytes, elapsedSeconds, problems, problemCount, archiveName } = verification;
  const name = archiveName === '-' ? 'the archive on stdin' : printable(archiveName);
  const rate = elapsedSeconds < 0.05 ? '' : `, ${formatRate(archiveBytes / elapsedSeconds)}`;
  const amount = `${formatCount(entries, 'file')} (${formatBytes(bytes)})`;
  if (isWhole) return `${name} is whole: ${amount}, every checksum held, in ${formatSeconds(elapsedSeconds)}${rate}`;
  return `${name} is NOT ${isOnlyUnread(problems) ? 'proven ' : ''}whole: ${formatCount(problemCount, 'problem')}; ${amount} in ${formatSeconds(elapsedSeconds)}${rate}`;
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

  verified(verification: Verification): void {
    const { paint, quiet, verbose } = this.#settings;
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
      this.list(`and ${(problemCount - problems.length).toLocaleString('en-US')} problems more\n`);
    }
    // What to do next, once: thousands of problems may share it.
    const hints = new Set(problems.flatMap((problem) => problem.hints));
    for (const hint of hints) this.list(`  ${paint.advice(printable(hint))}\n`);
    const closing = quiet && ok ? '' : `${verdict(verification)}\n${writtenLine(verification)}`;
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
