import { abortedSoon, isOfOthersEnd, isPiped } from '../engine/cut-short.js';
import type { XbstreamError } from '../errors.js';
import type { InputChoice } from '../input/open-source.js';
import { caught, type Outcome } from '../outcome.js';

/**
 * What work comes to, however it ends: what it throws is among the problems; and a signal that has ended the other processes
 * of a pipeline, too, explains the end of an input.
 *
 * @param input what it reads
 * @param signal what may have told it to stop
 * @throws what is neither an XbstreamError nor the signal's reason: a bug
 */
export async function outcomeOf<Summary>(
  work: Promise<Outcome<Summary>>,
  input: InputChoice | undefined,
  signal: AbortSignal,
): Promise<Outcome<Summary>> {
  const outcome = await caught(work, signal);
  const isUnexplained = (error: XbstreamError): boolean => !isOfOthersEnd(error, isPiped(input));
  const problems = outcome.problems.filter(isUnexplained);
  if (problems.length === outcome.problems.length || !(await abortedSoon(signal))) return outcome;
  return { ...outcome, problems, stopped: true };
}
