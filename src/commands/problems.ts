import type { XbstreamError } from '../errors.js';
import type { CommonReporter } from '../ui/reporter.js';

/**
 * Tells everything that went wrong.
 *
 * @throws XbstreamError the first of `problems`; the others have been told
 */
export function tellProblems(problems: readonly XbstreamError[], reporter: CommonReporter): void {
  const [first, ...others] = problems;
  for (const error of others) reporter.error(error);
  if (first !== undefined) throw first;
}
