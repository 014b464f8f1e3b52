import type { Verification } from '../ui/reporter.js';
import type { Given } from '../verbs/options/option.js';
import { VERIFY_OPTIONS } from '../verbs/unpack/unpack-options.js';
import { prove } from '../verbs/verify.js';
import type { ArchiveInput } from './caller/input.js';
import { toldBy, type Callbacks, type ProblemOptions } from './caller/options.js';
import { runOn } from './caller/caller.js';

/**
 * Reads a whole archive, in threads of its own, and tells all that is wrong with it.
 *
 * @returns what was found: look at its `ok`
 * @throws XbstreamError (as a rejection) `XB_IO` when the archive cannot be read; `XB_TARGET_EXISTS` for `manifest`, `index` and `info`; `XB_USAGE`, `XB_BAD_KEY`; what is wrong
 *   with the archive is in the result
 * @throws the signal's reason after it was aborted, and whatever a callback threw
 */
export async function verify(input: ArchiveInput, options: VerifyOptions = {}): Promise<VerifyResult> {
  const told = toldBy(options, VERIFY_OPTIONS, 'onProblem');
  return runOn(input, options, async (choice, caller) => {
    const work = prove({ ...told, input: choice }, caller);
    const { summary, problems } = await caller.resultOf(work, choice, () => false);
    const { ok, isWhole, entries, bytes, archiveBytes, elapsedSeconds, digests } = summary;
    // What was to be made beside may have failed, too.
    const problemCount = summary.problemCount + problems.length - summary.problems.length;
    return { ok, isWhole, entries, bytes, archiveBytes, elapsedSeconds, problems, problemCount, digests };
  });
}

/** Options of {@link verify}. */
export interface VerifyOptions extends Callbacks, ProblemOptions, Given<typeof VERIFY_OPTIONS> {}

/** The result of {@link verify}. */
export type VerifyResult = Omit<Verification, 'archiveName' | 'report'>;
