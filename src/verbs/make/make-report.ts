/** The thread that reads an archive, checks it, and writes a page about it. */
import type { Context } from '../../context.js';
import { ArchiveMap } from '../../archive/archive-map.js';
import { readIndex } from '../../archive/index.js';
import { backupFinding } from '../../backup/backup-state.js';
import { describeBackup } from '../../backup/description.js';
import { smallFileKind } from '../../backup/small-files/small-files.js';
import { withSource } from '../../engine/with-source.js';
import { archiveName, digestedName } from '../../input/open-source.js';
import { type Outcome } from '../../outcome.js';
import { ArchiveTarget, assertNotRead } from '../../output/archive-target.js';
import { reportPage } from '../../report/page.js';
import { pageData } from '../../report/report-data.js';
import type { Verification } from '../../ui/reporter.js';
import { backupProblems } from '../backup-problems.js';
import type { ReportOptions, ReportTotals } from '../report.js';
import { withCure } from '../unpack/cure.js';

export async function makeReport(options: ReportOptions, context: Context): Promise<Outcome<ReportTotals>> {
  const { output, input } = options;
  assertNotRead(output, input);
  // Before the work begins: an archive of hours must not end in a name that cannot be had.
  const target = new ArchiveTarget(output, context.isStopped);
  let isMade = false;
  try {
    const { verification, page } = await examine(options, context);
    const bytes = Buffer.from(page);
    target.sink.write(bytes);
    target.commit();
    isMade = true;
    const { problems, ...totals } = verification;
    return { summary: { ...totals, report: { name: target.name, bytes: bytes.length } }, problems, stopped: false };
  } finally {
    if (!isMade) target.discard();
  }
}

async function examine(
  options: ReportOptions,
  context: Context,
): Promise<{ verification: Verification; page: string }> {
  const { absoluteNames, allowEmpty, input } = options;
  const readAt = new Date();
  const started = performance.now();
  const map = new ArchiveMap();
  const index = await withSource(input, context, (source) =>
    readIndex(source, {
      ...{ absoluteNames, allowEmpty, map },
      checks: true,
      wantsContent: (path) => smallFileKind(path) !== undefined,
      onProgress: (progress) => context.progress(progress),
    }),
  );
  const finding = backupFinding(index.entries.map(({ path }) => path));
  const isRead = index.problems.length === 0;
  const found = isRead ? backupProblems(options.backup, finding, index.archiveBytes, context) : index.problems;
  const problems = withCure(
    found,
    { verb: 'verify', options },
    index.entries.some(({ complete }) => complete),
  );
  const verification: Verification = {
    ok: problems.length === 0,
    isWhole: problems.length === 0,
    entries: index.entries.length,
    bytes: index.entries.reduce((sum, { bytes }) => sum + bytes, 0),
    archiveBytes: index.archiveBytes,
    elapsedSeconds: (performance.now() - started) / 1000,
    problems,
    problemCount: Math.max(problems.length, index.problemCount),
    digests: {},
    archiveName: digestedName(input),
  };
  const description = describeBackup(index, finding, { key: options.key, archive: archiveName(input) });
  return { verification, page: reportPage({ verification, description, data: pageData(index, map), readAt }) };
}
