import type { XbstreamError } from '../errors.js';
import type { BackupDescription } from '../ui/reporter.js';
import { INFO, INFO_OPTIONS } from '../verbs/info.js';
import type { Given } from '../verbs/options/option.js';
import { inThread } from '../verbs/threads/start.js';
import { hintForPrograms } from './caller/hints.js';
import type { ArchiveInput } from './caller/input.js';
import { GOING_ON, toldBy, type Callbacks, type ProblemOptions } from './caller/options.js';
import { failures, runOn } from './caller/caller.js';

/**
 * Tells what backup an archive holds, from the small files in which it tells of itself.
 *
 * @returns what is known; with `keepGoing` look at its `ok`
 * @throws XbstreamError any code (as a rejection)
 * @throws the signal's reason after it was aborted, and whatever a callback threw
 */
export async function info(input: ArchiveInput, options: InfoOptions = {}): Promise<InfoResult> {
  const { keepGoing, ...told } = toldBy(options, { ...INFO_OPTIONS, ...GOING_ON }, 'onProblem');
  return runOn(input, options, async (choice, caller) => {
    const work = inThread(INFO, { ...told, input: choice }, { input: choice }, caller);
    const { summary, problems } = await caller.resultOf(work, choice, failures(keepGoing));
    const { complete, ...description } = summary;
    const unread = description.unread.map(({ path, reason }) => ({ path, reason: hintForPrograms(reason) }));
    return { ...description, unread, ok: problems.length === 0 && complete, problems };
  });
}

/** Options of {@link info}. */
export interface InfoOptions extends Callbacks, ProblemOptions, Given<typeof INFO_OPTIONS>, Given<typeof GOING_ON> {}

/** The result of {@link info}. What is not known is undefined. */
export interface InfoResult extends Omit<BackupDescription, 'complete'> {
  /** Nothing is wrong with the archive, as far as its headers tell. */
  ok: boolean;
  /** What is wrong with it; empty without `keepGoing`. */
  problems: readonly XbstreamError[];
}
