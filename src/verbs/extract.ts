/** `extract`: unpacks an archive into a directory. */
import type { Context } from '../context.js';
import type { BackupFinding } from '../backup/backup-state.js';
import type { XbstreamError } from '../errors.js';
import { shellWord } from '../format/shell-word.js';
import { pathText } from '../format/stored-path.js';
import { looksLikeAddress, shownWord } from '../input/address/address.js';
import { lookAt } from '../input/look.js';
import { byIndex, digestedName } from '../input/open-source.js';
import { isGood, type Outcome } from '../outcome.js';
import { makeReporter } from '../ui/make-reporter.js';
import type { ExtractSummary, Reporter, StatusPrinter } from '../ui/reporter.js';
import { backupProblems } from './backup-problems.js';
import { readArchive } from './options/inputs.js';
import { extractShared } from './unpack/extract-shared.js';
import { inThread } from './threads/start.js';
import { UNPACK, type UnpackSummary } from './unpack/unpack-job.js';
import { EXTRACT_OPTIONS, type ExtractOptions } from './unpack/unpack-options.js';
import { usageError } from './options/usage-error.js';
import { defineVerb, tellProblems } from './verb.js';

const CALL = 'tsxbstream extract';

export const extract = defineVerb({
  call: CALL,
  usage: ['tsxbstream extract [options] [ARCHIVE] [PATTERN...]'],
  summary: 'unpack an archive, or some of its files',
  description: [
    'Unpacks ARCHIVE, or stdin where ARCHIVE is - or missing. With PATTERNs only the files that match one of them: "**/*.ibd" is the tables of InnoDB. A database or a table with all that a prepare needs is chosen by --databases or --tables. The target directory is made when it is missing.',
    'Exit code 0 means that the whole archive was read and every checksum held. A file that is not whole never gets its final name: it stays behind as .NAME.partial.',
  ],
  examples: [
    { command: 'tsxbstream extract backup.xbstream -C restored', purpose: 'unpack everything' },
    {
      command: 'tsxbstream extract backup.xbstream --databases shop -C restored',
      purpose: 'unpack the files of one database',
    },
    {
      command: 'ssh db1 cat full.xb | tsxbstream extract - --databases shop -C restored',
      purpose: 'the same from a pipe: - stands for stdin',
    },
    {
      command: 'tsxbstream extract --dry-run backup.xbstream -C /var/lib/mysql',
      purpose: 'check everything and see whether it would fit, without writing',
    },
  ],
  options: EXTRACT_OPTIONS,

  read: (options, words, surroundings): ExtractOptions => {
    const { input, patterns } = readArchive(options, words, surroundings, { call: CALL, more: ' -C DIR' });
    const include = [...patterns, ...options.include];
    return { ...options, input, include, target: options.directory ?? '.' };
  },

  run: unpackInto,

  reporter: (options, streams, paint): Reporter & StatusPrinter =>
    makeReporter({ ...options, closingLine: options.asXbstream !== true }, streams, paint),

  tell: (outcome: Outcome<ExtractSummary>, reporter) => {
    tellProblems(outcome.problems, reporter);
    if (outcome.summary !== undefined) reporter.extracted(outcome.summary);
  },

  leavesFiles: () => true,
});

async function unpackInto(options: ExtractOptions, context: Context): Promise<Outcome<ExtractSummary>> {
  const started = performance.now();
  if (options.index !== undefined && options.keepGoing) {
    throw usageError(
      '--index and --keep-going exclude each other',
      'an index is of use only for an archive that is whole',
    );
  }
  if (options.index !== undefined && options.digests.length > 0) {
    throw usageError(
      '--index and --digest exclude each other',
      'a digest is of all of an archive, and by an index not all is read: leave out --index',
    );
  }
  if (options.dryRun && options.manifest !== undefined) {
    throw usageError(
      '--dry-run and --manifest exclude each other',
      'what is written into a manifest is known of files that are written: leave out one of them',
    );
  }
  const { input } = options;
  const outcome =
    (await extractShared(options, context)) ??
    (await inThread(UNPACK, { verb: 'extract', options: { ...options, input: byIndex(options) } }, { input }, context));
  const { summary, stopped } = outcome;
  if (summary === undefined) return { ...outcome, summary };
  const problems = outcome.problems.map((error) => withTargetHint(error, options));
  const isRead = !stopped && problems.every(({ code }) => code === 'XB_NO_MATCH');
  if (isRead && summary.backup !== undefined) problems.push(...unfinished(summary, summary.backup, options, context));
  if (stopped && summary.partials.length > 0) {
    context.warning(`unfinished files were left: ${summary.partials.map(pathText).join(', ')}`);
  }
  const { files, bytes, archiveBytes, keptFiles, freeBytes, digests, lost, lostCount, cutAt } = summary;
  return {
    problems,
    stopped,
    summary: {
      ok: isGood({ ...outcome, problems }),
      ...{ files, bytes, archiveBytes, keptFiles, freeBytes, digests, lost, lostCount, cutAt },
      elapsedSeconds: (performance.now() - started) / 1000,
      target: options.target,
      dryRun: options.dryRun,
      archiveName: digestedName(options.input),
    },
  };
}

/** A directory that was named without its option is taken for a pattern. */
function withTargetHint(error: XbstreamError, { include, target }: ExtractOptions): XbstreamError {
  const [pattern, ...others] = include;
  const isPlain = pattern !== undefined && others.length === 0 && !/[*?[{]/.test(pattern);
  if (error.code !== 'XB_NO_MATCH' || !isPlain || target !== '.' || lookAt(pattern)?.isFile() === true) return error;
  return error.with({ hints: [`to unpack into a directory: -C ${shellWord(pattern)}`] });
}

/** What there is to say of an archive that was read to its end, with nothing wrong but that a pattern matches nothing. */
function unfinished(
  { files, archiveBytes }: UnpackSummary,
  finding: BackupFinding,
  { backup, dryRun }: ExtractOptions,
  context: Context,
): XbstreamError[] {
  const problems = backupProblems(backup, finding, archiveBytes, context);
  const tally = `${files === 1 ? '1 file is' : `${files} files are`} whole and in place`;
  return problems.map((error) => error.with({ details: dryRun || files === 0 ? [] : [tally] }));
}

/** What to say of words that `-x` ignores, as xbstream does: they were typed for a reason. */
export function ignoredWords(operands: readonly string[], directory: string | undefined): string[] {
  if (operands.length === 0) return [];
  const ignored = `-x reads stdin and ignores words that are no options: ${operands.map(shownWord).join(' ')}`;
  const meant = operands.find(looksLikeDirectory);
  if (meant === undefined || directory !== undefined) return [ignored];
  return [looksLikeAddress(meant) ? ignored : `${ignored}; to unpack into a directory: -C ${shellWord(meant)}`];
}

function looksLikeDirectory(word: string): boolean {
  return lookAt(word)?.isDirectory() ?? word.includes('/');
}
