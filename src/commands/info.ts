import { readIndex, type IndexEntry } from '../archive/index.js';
import { factsOf, layersIn, type SmallTexts } from '../backup/describe.js';
import { nextSteps } from '../backup/next-steps.js';
import { smallFileKind, smallFileText } from '../backup/small-files.js';
import { XbstreamError } from '../errors.js';
import { inputSize } from '../input/input-size.js';
import type { BackupDescription, InfoReporter } from '../ui/reporter.js';
import type { InfoOptions } from './info-options.js';
import { interruptibly } from './interruptibly.js';
import { tellProblems } from './problems.js';

/**
 * Tells what backup an archive holds, from the small files in which it tells of itself.
 *
 * @throws XbstreamError any code of a damaged or incomplete archive, after what is known was told; `XB_IO`
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
  const { texts, unread } = await readSmallFiles(index.entries, options);
  const facts = factsOf(texts);
  const paths = index.entries.map(({ path }) => path);
  const layers = layersIn(paths);
  const kind = facts.kind ?? (paths.some((path) => /\.delta(?:\.|$)/.test(path)) ? 'incremental' : undefined);
  const known = { ...facts, ...layers, kind };
  reporter.described({
    ...known,
    files: index.entries.length,
    bytes: index.entries.reduce((sum, { bytes }) => sum + bytes, 0),
    archiveBytes: index.archiveBytes,
    complete: index.problemCount === 0,
    unread,
    next:
      index.entries.length === 0
        ? []
        : nextSteps({ ...known, archive: input.kind === 'path' ? quoted(input.path) : '-' }),
  });
  tellProblems(index.problems, reporter);
}

async function readSmallFiles(
  entries: readonly IndexEntry[],
  { key }: InfoOptions,
): Promise<{ texts: SmallTexts; unread: BackupDescription['unread'] }> {
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
      texts[kind] = await smallFileText(path, content ?? Buffer.alloc(0), key);
    } catch (error) {
      if (!(error instanceof XbstreamError)) throw error;
      unread.push({ path, reason: error.code === 'XB_KEY_REQUIRED' ? NO_KEY : error.message });
    }
  }
  return { texts, unread };
}

const NO_KEY = 'it is encrypted; --decrypt=AES256 --encrypt-key-file=FILE reads it';

/** A word as a shell takes it for itself. */
function quoted(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
