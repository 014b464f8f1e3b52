/** What `info` tells of a backup: what its names and small files say, put together. */
import type { DecryptionKey } from '../codec/codec.js';
import { XbstreamError } from '../errors.js';
import type { StoredPath } from '../format/stored-path.js';
import type { BackupDescription } from '../ui/reporter.js';
import type { BackupFinding } from './backup-state.js';
import { contentFacts } from './content-facts.js';
import { factsOf, layersIn, type SmallTexts } from './describe.js';
import { missingFrom } from './missing.js';
import { NO_RECIPE, recipe } from './next-steps.js';
import { smallFileKind, smallFileText } from './small-files.js';

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
  const { texts, unread } = readSmallFiles(found.entries, key);
  const paths = found.entries.map(({ path }) => path);
  const content = contentFacts(paths);
  const facts = factsOf(texts, content.system);
  const known = {
    ...facts,
    ...layersIn(paths),
    kind: facts.kind ?? (content.isIncremental ? 'incremental' : undefined),
  };
  const isBackup = found.problemCount === 0 && finding.state === 'finished' && !finding.isDataDirectory;
  // Galera takes a backup of everything that calls itself partial: what it excludes is no database.
  const importsTables = facts.partial === true && !(facts.system === 'MariaDB' && content.hasAccounts);
  const isReadable = texts.info !== undefined || texts.metadata !== undefined;
  const { isExported } = content;
  const advice = isBackup && isReadable ? recipe({ ...known, archive, importsTables, isExported }) : NO_RECIPE;
  return {
    ...known,
    state: finding.state,
    files: found.entries.length,
    bytes: found.entries.reduce((sum, { bytes }) => sum + bytes, 0),
    archiveBytes: found.archiveBytes,
    wrappers: found.wrappers,
    complete: found.problemCount === 0,
    unread,
    missing: missingFrom(found.problemCount, finding, texts),
    ...advice,
    replication: advice.next.length === 0 || importsTables ? [] : facts.replication,
  };
}

function readSmallFiles(
  entries: readonly DescribedFile[],
  key: DecryptionKey | undefined,
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
