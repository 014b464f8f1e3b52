import type { XbstreamError } from '../errors.js';
import type { CommonReporter } from '../ui/reporter.js';

/**
 * Tells everything that went wrong, in order.
 *
 * @throws XbstreamError the first of `problems`; it has been told, as the others
 */
export function tellProblems(problems: readonly XbstreamError[], reporter: CommonReporter): void {
  if (problems.length === 0) return;
  reporter.errors(problems);
  throw problems[0]!;
}
