import type { XbstreamError } from '../errors.js';
import type { InputChoice } from '../input/open-source.js';
import { withParts } from '../input/part-hint.js';
import type { CommonReporter } from '../ui/reporter.js';

/**
 * Tells everything that went wrong, in order.
 *
 * @throws XbstreamError the first of them; it has been told, as the others
 */
export function tellProblems(found: readonly XbstreamError[], input: InputChoice, reporter: CommonReporter): void {
  if (found.length === 0) return;
  const problems = withParts(found, input);
  reporter.errors(problems);
  throw problems[0]!;
}
