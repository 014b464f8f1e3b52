/** `info`: what backup an archive holds, and what to do with it. */
import type { Context } from '../context.js';
import { readIndex } from '../archive/index.js';
import { backupFinding } from '../backup/backup-state.js';
import { describeBackup } from '../backup/description.js';
import { smallFileKind } from '../backup/small-files/small-files.js';
import { withSource } from '../engine/with-source.js';
import { archiveName, byIndex, inputSize, isWaitedFor, type InputChoice } from '../input/open-source.js';
import type { Outcome } from '../outcome.js';
import { makeInfoReporter } from '../ui/make-inspect-reporter.js';
import type { BackupDescription, InfoReporter, StatusPrinter } from '../ui/reporter.js';
import { backupProblems } from './backup-problems.js';
import { readArchive } from './options/inputs.js';
import { pick, reworded, type Told } from './options/option.js';
import { COMMON, KEY_FILE_OR_VARIABLE, keyOption, OPTIONS, READING } from './options/table.js';
import { inThread, work } from './threads/start.js';
import { defineVerb, tellProblems } from './verb.js';

const CALL = 'tsxbstream info';

export const INFO_OPTIONS = {
  ...pick(OPTIONS, 'index', 'json', 'allowEmpty', 'backup'),
  ...pick(OPTIONS, ...READING),
  ...pick(OPTIONS, ...COMMON),
  /** For small files that are encrypted, and an archive that is as a whole: 16, 24 or 32 bytes; a string stands for its UTF-8 bytes. */
  key: reworded(
    keyOption(() => 'perhaps'),
    KEY_FILE_OR_VARIABLE,
  ),
};

/** Everything a description of a backup can be told. */
export interface InfoOptions extends Told<typeof INFO_OPTIONS> {
  input: InputChoice;
}

export const INFO = work<InfoOptions, BackupDescription>('info');

export const info = defineVerb({
  call: CALL,
  usage: ['tsxbstream info [options] [ARCHIVE]'],
  summary: 'tell what backup an archive holds, and what to do with it',
  description: [
    'Reads the small files in which xtrabackup and mariabackup tell of a backup: which program wrote it, of which server, full, incremental or partial, with which positions. Of a backup that is whole it says which commands restore it, else what is missing.',
  ],
  examples: [
    { command: 'tsxbstream info backup.xbstream', purpose: 'what is this, and what to do with it?' },
    { command: 'tsxbstream info --json - < backup.xbstream', purpose: 'the same for a program' },
  ],
  options: INFO_OPTIONS,

  read: (options, words, surroundings): InfoOptions => ({
    ...options,
    input: readArchive(options, words, surroundings, { call: CALL }, false).input,
  }),

  run: (options, context) =>
    isWaitedFor(options.input) ? inThread(INFO, options, options, context) : inform(options, context),

  reporter: (options, streams, paint): InfoReporter & StatusPrinter => makeInfoReporter(options, streams, paint),

  tell: ({ summary, problems, stopped }: Outcome<BackupDescription>, reporter) => {
    if (summary !== undefined && !stopped) reporter.described(summary, problems.length === 0);
    tellProblems(problems, reporter);
  },
});

/** What to do with it is told only of a backup that is whole, as far as headers tell. */
export async function inform(options: InfoOptions, context: Context): Promise<Outcome<BackupDescription>> {
  const { absoluteNames, allowEmpty } = options;
  const input = byIndex(options);
  const totalBytes = inputSize(input);
  const index = await withSource(input, context, (source) =>
    readIndex(source, {
      absoluteNames,
      allowEmpty,
      wantsContent: (path) => smallFileKind(path) !== undefined,
      onProgress: (progress) => context.progress({ ...progress, totalBytes: totalBytes ?? source.totalBytes }),
    }),
  );
  const finding = backupFinding(index.entries.map(({ path }) => path));
  const isRead = index.problems.length === 0;
  const problems = isRead ? backupProblems(options.backup, finding, index.archiveBytes, context) : index.problems;
  const description = describeBackup(index, finding, { key: options.key, archive: archiveName(input) });
  return { summary: description, problems, stopped: false };
}
