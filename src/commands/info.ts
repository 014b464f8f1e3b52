import { readIndex, type ArchiveIndex, type IndexEntry } from '../archive/index.js';
import { backupFinding, judgeBackup, type BackupFinding } from '../backup/backup-state.js';
import { contentFacts } from '../backup/content-facts.js';
import { factsOf, layersIn, type SmallTexts } from '../backup/describe.js';
import { missingFrom } from '../backup/missing.js';
import { NO_RECIPE, recipe } from '../backup/next-steps.js';
import { smallFileKind, smallFileText } from '../backup/small-files.js';
import { XbstreamError } from '../errors.js';
import { inputSize } from '../input/input-size.js';
import type { BackupDescription, InfoReporter } from '../ui/reporter.js';
import type { InfoOptions } from './info-options.js';
import { interruptibly } from './interruptibly.js';
import { tellProblems } from './problems.js';

/**
 * Tells what backup an archive holds, from the small files in which it tells of itself and the names of the others. What to
 * do with it is told only of a backup that is whole, as far as headers tell.
 *
 * @throws XbstreamError any code of a damaged or incomplete archive, after what is known was told; `XB_UNFINISHED_BACKUP`; `XB_IO`
 * @throws the signal's reason after it was aborted
 */
export async function info(options: InfoOptions, reporter: InfoReporter, signal: AbortSignal): Promise<void> {
  const { absoluteNames, input } = options;
  const totalBytes = inputSize(input);
  const index = await interruptibly(
    input,
    signal,
    (source) =>
      readIndex(source, {
        absoluteNames,
        allowEmpty: options.allowEmpty,
        wantsContent: (path) => smallFileKind(path) !== undefined,
        onProgress: (progress) => reporter.progress({ ...progress, totalBytes }),
      }),
    ({ problems }) => problems,
  );
  const finding = backupFinding(index.entries.map(({ path }) => path));
  reporter.described(describe(index, finding, options));
  tellProblems(index.problems, input, reporter);
  const { error, warning } = judgeBackup(options.backup, finding, index.archiveBytes);
  if (warning !== undefined) reporter.warning(warning);
  if (error !== undefined) throw error;
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
  return input.kind === 'path' ? input.path : '-';
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
