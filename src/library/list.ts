import type { XbstreamError } from '../errors.js';
import type { Listing } from '../ui/reporter.js';
import { LIST, LIST_OPTIONS } from '../verbs/list.js';
import type { Given } from '../verbs/options/option.js';
import { inThread } from '../verbs/threads/start.js';
import type { ArchiveInput } from './caller/input.js';
import { GOING_ON, toldBy, type Callbacks, type ProblemOptions } from './caller/options.js';
import { failures, runOn } from './caller/caller.js';

/**
 * Lists what an archive holds when all corrections are applied. Of a file only the headers are read, so that checksums are
 * not judged: that is for {@link verify}.
 *
 * @returns the files, in the order asked for; with `keepGoing` look at its `ok`
 * @throws XbstreamError any code (as a rejection); `XB_NO_MATCH` for a pattern that matches nothing
 * @throws the signal's reason after it was aborted, and whatever a callback threw
 */
export async function list(input: ArchiveInput, options: ListOptions = {}): Promise<ListResult> {
  const { keepGoing, ...told } = toldBy(options, { ...LIST_OPTIONS, ...GOING_ON }, 'onProblem');
  return runOn(input, options, async (choice, caller) => {
    const work = inThread(LIST, { ...told, input: choice }, { input: choice }, caller);
    const { summary, problems } = await caller.resultOf(work, choice, failures(keepGoing));
    const { entries, corrections, bytes, chunks, archiveBytes, wrappers } = summary;
    return { ok: problems.length === 0, entries, corrections, bytes, chunks, archiveBytes, wrappers, problems };
  });
}

/** Options of {@link list}. */
export interface ListOptions extends Callbacks, ProblemOptions, Given<typeof LIST_OPTIONS>, Given<typeof GOING_ON> {}

/** The result of {@link list}. */
export interface ListResult extends Omit<Listing, 'complete'> {
  /** Nothing is wrong with the archive, as far as its headers tell. */
  ok: boolean;
  /** What is wrong with it; empty without `keepGoing`. */
  problems: readonly XbstreamError[];
}
