import { extract as verb } from '../verbs/extract.js';
import { EXTRACT_OPTIONS } from '../verbs/unpack/unpack-options.js';
import { checkText } from '../verbs/options/program-options.js';
import type { Given } from '../verbs/options/option.js';
import type { ExtractSummary } from '../ui/reporter.js';
import type { XbstreamError } from '../errors.js';
import type { ArchiveInput } from './caller/input.js';
import { toldBy, type Callbacks, type FileOptions, type ProblemOptions } from './caller/options.js';
import { failures, runOn } from './caller/caller.js';

/**
 * Unpacks an archive into a directory, in threads of its own.
 *
 * A file has its final name only when all of it has come and every checksum has held; until then it is `.NAME.partial`
 * beside its place, and stays that after a failure.
 *
 * @param target the directory to unpack into
 * @returns what was done; with `keepGoing` look at its `ok`
 * @throws XbstreamError any code (as a rejection); unless `keepGoing` for all that is wrong with the archive
 * @throws the signal's reason after it was aborted, and whatever a callback threw
 */
export async function extract(
  input: ArchiveInput,
  target: string,
  options: ExtractOptions = {},
): Promise<ExtractResult> {
  checkText('the target directory', target);
  const told = toldBy(options, EXTRACT_OPTIONS, 'onFile', 'onProblem');
  return runOn(input, options, async (choice, caller) => {
    const work = verb.run({ ...told, input: choice, target }, caller);
    const { summary, problems } = await caller.resultOf(work, choice, failures(told.keepGoing));
    const { files, bytes, archiveBytes, elapsedSeconds, keptFiles, freeBytes, digests } = summary;
    const { lost = [], lostCount = 0, cutAt } = summary;
    const ok = problems.length === 0;
    return {
      ...{ ok, files, bytes, archiveBytes, elapsedSeconds, keptFiles, freeBytes, digests },
      ...{ problems, lost, lostCount, cutAt },
    };
  });
}

/** Options of {@link extract}. */
export interface ExtractOptions extends Callbacks, FileOptions, ProblemOptions, Given<typeof EXTRACT_OPTIONS> {}

/** The result of {@link extract}. */
export interface ExtractResult extends Omit<
  ExtractSummary,
  'target' | 'archiveName' | 'dryRun' | 'lost' | 'lostCount'
> {
  /** What is wrong with the archive; empty without `keepGoing`. */
  problems: readonly XbstreamError[];
  /** Stored names of the files that did not become complete (not all, if there are very many); empty without `keepGoing`. */
  lost: readonly string[];
  /** How many files that are. */
  lostCount: number;
}
