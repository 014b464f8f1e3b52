import { printable, printablePath } from '../printable.js';
import type { Verification, VerifyReporter } from '../reporter.js';
import { digestLines } from './text.js';
import { TextPrinter } from './text-printer.js';
import { verdict } from './verify-text.js';

/** A verification as commands of a GitHub workflow, which shows them as annotations. */
export class VerifyGithubReporter extends TextPrinter implements VerifyReporter {
  verified(verification: Verification): void {
    const { isWhole, archiveName, problems, problemCount } = verification;
    const file = archiveName === '-' ? '' : `file=${property(archiveName)},`;
    for (const { code, path, message, details } of problems) {
      const title = path === undefined ? code : `${code} in ${printablePath(path)}`;
      this.list(`::error ${file}title=${property(title)}::${data([message, ...details].join('\n'))}\n`);
    }
    const unnamed = problemCount - problems.length;
    if (unnamed > 0) this.list(`::error ${file}title=more::${unnamed} problems more\n`);
    const begin = isWhole ? `::notice ${file}title=archive is whole::` : 'verdict: ';
    this.conclude(`${plain(digestLines(verification))}${begin}${plain(data(verdict(verification)))}\n`);
  }
}

/** What looks for commands finds those of an old form (`##[...]`) also in the middle of a line. */
function plain(text: string): string {
  return text.replaceAll('##[', '# #[');
}

/** The text of a command: lines are kept apart, and nothing in it begins a command of its own. */
function data(text: string): string {
  const lines = text.split('\n').map(printable).join('\n');
  return lines.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

/** A property of a command. */
function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
