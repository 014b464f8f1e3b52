import { isSalvageable } from '../archive/salvage/salvage.js';
import { XbstreamError } from '../errors.js';
import type { CallbackReporter } from './run.js';

/** What a function that goes on after damage can be told. */
export interface ProblemOptions {
  /** Told each thing that is wrong with the archive, before the function ends. */
  onProblem?: ((problem: XbstreamError) => void) | undefined;
}

/** What a command came to. */
export interface Outcome<Result> {
  result: Result;
  /** Nothing is wrong with the archive, as far as was looked. */
  ok: boolean;
  /** What is wrong. */
  problems: readonly XbstreamError[];
}

/**
 * Runs a command that reports what it has found, and then throws when something is wrong.
 *
 * @param command calls `done` with its result
 * @param keepGoing damage is no failure: it is in the outcome
 * @throws what the command throws; the first problem, unless `keepGoing`
 */
export async function outcomeOf<Result>(
  command: (done: (result: Result) => void) => Promise<unknown>,
  reporter: CallbackReporter,
  { keepGoing, onProblem }: ProblemOptions & { keepGoing: boolean },
): Promise<Outcome<Result>> {
  const results: Result[] = [];
  let thrown: unknown;
  try {
    await command((result) => results.push(result));
  } catch (error) {
    thrown = error;
    if (!isSalvageable(error)) throw error;
  }
  const untold = thrown instanceof XbstreamError && !reporter.problems.includes(thrown) ? [thrown] : [];
  const problems = [...untold, ...reporter.problems];
  for (const problem of problems) reporter.tell(onProblem, problem);
  const refusal = keepGoing ? problems.find((problem): boolean => !isSalvageable(problem)) : problems[0];
  const [result] = results;
  if (refusal !== undefined) throw refusal;
  if (result === undefined) throw problems[0] ?? new Error('a command ended without a result');
  return { result, ok: problems.length === 0, problems };
}
