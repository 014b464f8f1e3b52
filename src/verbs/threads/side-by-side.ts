/** Makes threads that share a piece of work look like one to whoever it is for. */
import type { Context } from '../../context.js';
import type { ProgressReport } from '../../ui/reporter.js';

/**
 * What each of several threads works for.
 *
 * @param context is told what all of them do together; a warning once, though each of them may come to it
 */
export function sideBySide(context: Context, count: number): Context[] {
  const { signal, isStopped, file } = context;
  const reports: ProgressReport[] = [];
  const warnings = new Set<string>();
  const warning = (message: string): void => {
    if (!warnings.has(message)) context.warning(message);
    warnings.add(message);
  };
  return Array.from({ length: count }, (_, index) => {
    const progress = (report: ProgressReport): void => {
      reports[index] = report;
      context.progress(sumOf(reports, report));
    };
    return { signal, isStopped, file, warning, progress };
  });
}

/**
 * What all of them came to. Waited for also where one has failed: until then the others are at work.
 *
 * @throws what one of them did not catch
 */
export async function allOf<Result>(works: readonly Promise<Result>[]): Promise<Result[]> {
  await Promise.allSettled(works);
  return Promise.all(works);
}

/** How far all of them are; at the file that the last one told of. */
function sumOf(reports: readonly (ProgressReport | undefined)[], last: ProgressReport): ProgressReport {
  const sum = { ...last, bytes: 0, files: 0 };
  for (const report of reports) {
    sum.bytes += report?.bytes ?? 0;
    sum.files += report?.files ?? 0;
  }
  return sum;
}
