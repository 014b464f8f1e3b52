import { JsonPrinter } from './json-printer.js';
import type { Verification, VerifyReporter } from '../reporter.js';

/** A verification for programs. */
export class VerifyJsonReporter extends JsonPrinter implements VerifyReporter {
  verified({ ok, entries, bytes, problems, problemCount, digests, archiveBytes, report }: Verification): void {
    this.problems(problems);
    const found = Object.keys(digests).length > 0 ? digests : undefined;
    this.conclude('summary', {
      ok,
      entries,
      bytes,
      problems: problemCount,
      digests: found,
      archiveBytes,
      outputBytes: report?.bytes,
    });
  }
}
