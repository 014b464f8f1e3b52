/** What `info` tells of a backup: what its names and small files say, put together. */
import type { DecryptionKey } from '../codec/codec.js';
import { DecodedBudget } from '../codec/small-content.js';
import { XbstreamError } from '../errors.js';
import type { StoredPath } from '../format/stored-path.js';
import type { BackupDescription } from '../ui/reporter.js';
import type { BackupFinding } from './backup-state.js';
import { contentFacts } from './content-facts.js';
import { factsOf, layersIn, type SmallTexts } from './describe.js';
import { isKnown, missingFrom } from './missing.js';
import { NO_RECIPE, recipe } from './next-steps.js';
import { externalDirectories, linkedDirectory } from './small-files/links.js';
import { smallFileKind, smallFileText } from './small-files/small-files.js';

/** A file of an archive. */
export interface DescribedFile {
  path: StoredPath;
  bytes: number;
  complete: boolean;
  /** As it is stored; of small files that tell of the backup, where they are not too large. */
  content: Buffer | undefined;
}

/** What there is to know of an archive. */
export interface DescribedArchive {
  entries: readonly DescribedFile[];
  problemCount: number;
  archiveBytes: number;
  wrappers: readonly string[];
}

/**
 * @param key reads small files that are encrypted
 * @param archive what commands call it
 */
export function describeBackup(
  found: DescribedArchive,
  finding: BackupFinding,
  { key, archive }: { key: DecryptionKey | undefined; archive: string },
): BackupDescription {
  const { texts, unread, elsewhere } = readSmallFiles(found.entries, key);
  const paths = found.entries.map(({ path }) => path);
  const content = contentFacts(paths);
  const facts = factsOf(texts, content.system);
  const known = {
    ...facts,
    ...layersIn(paths),
    kind: kindOf(facts.kind, content.isIncremental),
  };
  const isBackup = found.problemCount === 0 && finding.state === 'finished' && !finding.isDataDirectory;
  // Galera takes a backup of everything that calls itself partial: what it excludes is no database.
  const importsTables = facts.partial === true && !(facts.system === 'MariaDB' && content.hasAccounts);
  const hasLinks = content.hasLinks || elsewhere.length > 0;
  const { isExported, hasPartitions, hasFullText } = content;
  // What to do with it hangs on what it is.
  const advice =
    isBackup && isKnown(texts, known)
      ? recipe({ ...known, archive, importsTables, isExported, hasLinks, hasPartitions, hasFullText })
      : NO_RECIPE;
  return {
    ...known,
    state: finding.state,
    files: found.entries.length,
    bytes: found.entries.reduce((sum, { bytes }) => sum + bytes, 0),
    archiveBytes: found.archiveBytes,
    wrappers: found.wrappers,
    elsewhere,
    complete: found.problemCount === 0,
    unread,
    missing: missingFrom(found.problemCount, finding, texts, known),
    ...advice,
    replication: advice.next.length === 0 || importsTables ? [] : facts.replication,
  };
}

/** What it is by what it says of itself, which the names of its files may contradict. */
function kindOf(said: BackupDescription['kind'], hasIncrements: boolean): BackupDescription['kind'] {
  if (!hasIncrements) return said;
  return said === 'full' ? undefined : 'incremental';
}

interface SmallFilesRead extends Pick<BackupDescription, 'unread' | 'elsewhere'> {
  texts: SmallTexts;
}

function readSmallFiles(entries: readonly DescribedFile[], key: DecryptionKey | undefined): SmallFilesRead {
  const texts: SmallTexts = {};
  const contradicted = new Map<string, StoredPath>();
  const unread: { path: string; reason: string }[] = [];
  const elsewhere = new Set<string>();
  let hasUnreadLink = false;
  const budget = new DecodedBudget();
  for (const entry of entries) {
    const kind = smallFileKind(entry.path);
    if (kind === undefined) continue;
    const { text, reason } = readSmallFile(entry, key, budget);
    if (kind !== 'link' && text !== undefined) {
      // The files of two backups in one place: nobody knows which of them is meant.
      if ((texts[kind] ?? text) !== text) contradicted.set(kind, entry.path);
      texts[kind] ??= text;
    }
    const directory = kind === 'link' && text !== undefined ? linkedDirectory(text) : undefined;
    if (directory !== undefined) elsewhere.add(directory);
    // There may be a link for each table: one of them tells what is the matter with all.
    if (reason !== undefined && !(kind === 'link' && hasUnreadLink)) unread.push({ path: entry.path, reason });
    hasUnreadLink ||= kind === 'link' && reason !== undefined;
  }
  for (const path of contradicted.values()) {
    unread.push({ path, reason: 'another file of its kind says something else' });
  }
  const agreed = Object.entries(texts).filter(([kind]) => !contradicted.has(kind));
  for (const directory of externalDirectories(texts.tablespaces ?? '')) elsewhere.add(directory);
  return { texts: Object.fromEntries(agreed), unread, elsewhere: [...elsewhere].sort() };
}

function readSmallFile(
  { path, content, bytes, complete }: DescribedFile,
  key: DecryptionKey | undefined,
  budget: DecodedBudget,
): { text?: string; reason?: string } {
  if (!complete || (content === undefined && bytes > 0)) {
    return { reason: complete ? 'it is too large' : 'it is not whole' };
  }
  try {
    return { text: smallFileText(path, content ?? Buffer.alloc(0), key, budget) };
  } catch (error) {
    if (!(error instanceof XbstreamError)) throw error;
    return { reason: error.code === 'XB_KEY_REQUIRED' ? NO_KEY : error.message };
  }
}

const NO_KEY = 'it is encrypted; --encrypt-key-file=FILE reads it';
