/** `info`: what backup an archive holds, and what to do with it. */
import { readIndex, type ArchiveIndex, type IndexEntry } from '../archive/index.js';
import { backupFinding, judgeBackup, type BackupFinding } from '../backup/backup-state.js';
import { contentFacts } from '../backup/content-facts.js';
import { factsOf, layersIn, type SmallTexts } from '../backup/describe.js';
import { missingFrom } from '../backup/missing.js';
import { NO_RECIPE, recipe } from '../backup/next-steps.js';
import { smallFileKind, smallFileText } from '../backup/small-files.js';
import { withSource } from '../engine/with-source.js';
import { XbstreamError } from '../errors.js';
import { inputName, isWaitedFor, type InputChoice } from '../input/open-source.js';
import { inputSize } from '../input/input-size.js';
import { withParts } from '../input/parts/part-hint.js';
import type { Outcome } from '../outcome.js';
import { makeInfoReporter } from '../ui/make-inspect-reporter.js';
import type { BackupDescription, InfoReporter, StatusPrinter } from '../ui/reporter.js';
import { readArchive } from './options/inputs.js';
import { pick, reworded, type Told } from './options/option.js';
import { COMMON, KEY_FILE_OR_VARIABLE, keyOption, OPTIONS, READING } from './options/table.js';
import { inThread } from './threads/start.js';
import { defineVerb, tellProblems, type Context } from './verb.js';

const CALL = 'tsxbstream info';

export const INFO_OPTIONS = {
  ...pick(OPTIONS, 'json', 'allowEmpty', 'backup'),
  ...pick(OPTIONS, ...READING),
  ...pick(OPTIONS, ...COMMON),
  /** For small files that are encrypted, and an archive that is as a whole: 16, 24 or 32 bytes; a string stands for its UTF-8 bytes. */
  key: reworded(
    keyOption(() => true),
    KEY_FILE_OR_VARIABLE,
  ),
};

/** Everything a description of a backup can be told. */
export interface InfoOptions extends Told<typeof INFO_OPTIONS> {
  input: InputChoice;
}

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
    isWaitedFor(options.input)
      ? inThread('info', options, { input: options.input }, context)
      : describeBackup(options, context),

  reporter: (options, streams, paint): InfoReporter & StatusPrinter => makeInfoReporter(options, streams, paint),

  tell: ({ summary, problems, stopped }: Outcome<BackupDescription>, reporter) => {
    if (summary !== undefined && !stopped) reporter.described(summary, problems.length === 0);
    tellProblems(problems, reporter);
  },
});

/** What to do with it is told only of a backup that is whole, as far as headers tell. */
export async function describeBackup(options: InfoOptions, context: Context): Promise<Outcome<BackupDescription>> {
  const { absoluteNames, allowEmpty, input } = options;
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
  const problems = [...index.problems];
  if (problems.length === 0) {
    const { error, warning } = judgeBackup(options.backup, finding, index.archiveBytes);
    if (warning !== undefined) context.warning(warning);
    if (error !== undefined) problems.push(error);
  }
  return { summary: describe(index, finding, options), problems: withParts(problems, input), stopped: false };
}

function describe(index: ArchiveIndex, finding: BackupFinding, options: InfoOptions): BackupDescription {
  const { texts, unread } = readSmallFiles(index.entries, options);
  const paths = index.entries.map(({ path }) => path);
  const content = contentFacts(paths);
  const facts = factsOf(texts, content.system);
  const known = {
    ...facts,
    ...layersIn(paths),
    kind: facts.kind ?? (content.isIncremental ? 'incremental' : undefined),
  };
  const isBackup = index.problemCount === 0 && finding.state === 'finished' && !finding.isDataDirectory;
  // Galera takes a backup of everything that calls itself partial: what it excludes is no database.
  const importsTables = facts.partial === true && !(facts.system === 'MariaDB' && content.hasAccounts);
  const isReadable = texts.info !== undefined || texts.metadata !== undefined;
  const { isExported } = content;
  const advice =
    isBackup && isReadable ? recipe({ ...known, archive: archiveName(options), importsTables, isExported }) : NO_RECIPE;
  return {
    ...known,
    state: finding.state,
    files: index.entries.length,
    bytes: index.entries.reduce((sum, { bytes }) => sum + bytes, 0),
    archiveBytes: index.archiveBytes,
    wrappers: index.wrappers,
    complete: index.problemCount === 0,
    unread,
    missing: missingFrom(index.problemCount, finding, texts),
    ...advice,
    replication: advice.next.length === 0 || importsTables ? [] : facts.replication,
  };
}

/** As the next command takes it. */
function archiveName({ input }: InfoOptions): string {
  return input.kind === 'path' || input.kind === 'address' ? inputName(input) : '-';
}

function readSmallFiles(
  entries: readonly IndexEntry[],
  { key }: InfoOptions,
): { texts: SmallTexts; unread: BackupDescription['unread'] } {
  const texts: SmallTexts = {};
  const unread: { path: string; reason: string }[] = [];
  for (const { path, content, bytes, complete } of entries) {
    const kind = smallFileKind(path);
    if (kind === undefined || texts[kind] !== undefined) continue;
    if (!complete || (content === undefined && bytes > 0)) {
      unread.push({ path, reason: complete ? 'it is too large' : 'it is not whole' });
      continue;
    }
    try {
      texts[kind] = smallFileText(path, content ?? Buffer.alloc(0), key);
    } catch (error) {
      if (!(error instanceof XbstreamError)) throw error;
      unread.push({ path, reason: error.code === 'XB_KEY_REQUIRED' ? NO_KEY : error.message });
    }
  }
  return { texts, unread };
}

const NO_KEY = 'it is encrypted; --encrypt-key-file=FILE reads it';
