import { judgeBackup } from '../backup/backup-state.js';
import { errorFromRecord, type XbstreamError } from '../errors.js';
import { pathText } from '../format/stored-path.js';
import { inputName } from '../input/open-source.js';
import { inputSize } from '../input/input-size.js';
import { extractShared } from '../engine/extract-shared.js';
import { runLane } from '../engine/run-lane.js';
import type { TaskListener } from '../engine/task.js';
import type { LaneResult } from '../engine/protocol.js';
import type { Reporter } from '../ui/reporter.js';
import type { ExtractOptions } from '../engine/extract-options.js';

/** A directory that was named without its option is taken for a pattern. */
function withTargetHint(error: XbstreamError, { selection, target }: ExtractOptions): XbstreamError {
  const [pattern, ...others] = selection.include;
  const isPlain = pattern !== undefined && others.length === 0 && !/[*?[{]/.test(pattern);
  if (error.code !== 'XB_NO_MATCH' || !isPlain || target !== '.') return error;
  return error.with({ hints: [`to unpack into a directory: -C ${pattern}`] });
}

/** What there is to say of an archive that was read to its end, with nothing wrong but that a pattern matches nothing. */
function backupProblem(result: LaneResult, { backup, dryRun }: ExtractOptions, reporter: Reporter): XbstreamError[] {
  const isRead = !result.stopped && result.errors.every(({ code }) => code === 'XB_NO_MATCH');
  if (!isRead || result.backup === undefined) return [];
  const { error, warning } = judgeBackup(backup, result.backup, result.archiveBytes);
  if (warning !== undefined) reporter.warning(warning);
  if (error === undefined) return [];
  const { files } = result;
  const tally = `${files === 1 ? '1 file is' : `${files} files are`} whole and in place`;
  return [error.with({ details: dryRun || files === 0 ? [] : [tally] })];
}

/**
 * Unpacks an archive into a directory.
 *
 * @param signal ends it early: files that are not whole keep their partial names
 * @throws XbstreamError any code: the first of all errors, which have been told to `reporter`
 * @throws the signal's reason after it was aborted
 */
export async function extract(options: ExtractOptions, reporter: Reporter, signal: AbortSignal): Promise<void> {
  const started = performance.now();
  const totalBytes = inputSize(options.input);
  const listener: TaskListener = {
    file: reporter.wantsFiles ? (path, bytes) => reporter.file({ path, bytes }) : undefined,
    warning: (message) => reporter.warning(message),
    progress: (progress) => reporter.progress({ ...progress, totalBytes }),
  };
  const result =
    (await extractShared(options, listener, signal)) ?? (await runLane({ verb: 'extract', options }, listener, signal));
  if (result === undefined) signal.throwIfAborted();
  else {
    const errors = [
      ...result.errors.map(errorFromRecord).map((error) => withTargetHint(error, options)),
      ...backupProblem(result, options, reporter),
    ];
    if (errors.length > 0) reporter.errors(errors);
    if (result.stopped && result.partials.length > 0) {
      reporter.warning(`unfinished files were left: ${result.partials.map(pathText).join(', ')}`);
    }
    reporter.extracted({
      ok: errors.length === 0 && !result.stopped,
      files: result.files,
      bytes: result.bytes,
      archiveBytes: result.archiveBytes,
      elapsedSeconds: (performance.now() - started) / 1000,
      target: options.target,
      dryRun: options.dryRun,
      freeBytes: result.freeBytes,
      keptFiles: result.keptFiles,
      digests: result.digests,
      lost: result.lost,
      lostCount: result.lostCount,
      cutAt: result.cutAt,
      archiveName: ['path', 'parts'].includes(options.input.kind) ? inputName(options.input) : '-',
    });
    if (errors.length > 0) throw errors[0]!;
    if (result.stopped) signal.throwIfAborted();
  }
}
