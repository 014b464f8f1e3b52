import { readIndex, type ArchiveIndex } from '../archive/index.js';
import { ExtentReader } from '../archive/read-extents.js';
import { backupFinding } from '../backup/backup-state.js';
import { setUpDecoding } from '../engine/decoding-setup.js';
import { Pipeline } from '../engine/pipeline.js';
import { WorkBoard } from '../engine/work-board.js';
import { planWork, type WorkPlan } from '../engine/work-plan.js';
import { XbstreamError } from '../errors.js';
import { openSource } from '../input/open-source.js';
import type { Source } from '../input/source.js';
import type { Outcome } from '../outcome.js';
import { DirectoryOutput } from '../output/directory-output.js';
import { assertMayGive } from '../output/owner.js';
import type { TaskThread } from '../threads/task-thread.js';
import { withCure } from './cure.js';
import type { ExtractOptions } from './extract.js';
import { leftEncrypted } from './left-encrypted.js';
import type { UnpackSummary } from './unpack.js';

/** One of the pipelines that share the files of an archive. */
export interface PipelineJob {
  options: ExtractOptions;
  index: number;
  /** See {@link WorkBoard}. */
  board: SharedArrayBuffer;
}

export interface PipelineSummary extends UnpackSummary {
  /** What the archive was shared by: see {@link WorkPlan}; undefined where it was not. */
  plan: { signature: number; files: number } | undefined;
}

/** In the thread of a pipeline: makes the files of an archive that the others have not taken. */
export async function runPipeline(
  { options, index, board }: PipelineJob,
  thread: TaskThread,
): Promise<Outcome<PipelineSummary>> {
  const work = new WorkBoard(board);
  let source: Source | undefined;
  let found: { archive: ArchiveIndex; plan: WorkPlan } | undefined;
  let output: DirectoryOutput | undefined;
  let pipeline: Pipeline | undefined;
  let problems: readonly XbstreamError[] = [];
  try {
    source = await openSource(options.input, thread.isStopped);
    found = await look(source, options);
    if (found !== undefined && !thread.isStopped()) {
      if (options.owner !== undefined) assertMayGive(options.owner);
      output = new DirectoryOutput({ ...options, hash: false, threads: 1, archiveBytes: undefined });
      const decoding = await setUpDecoding(options, (message) => thread.warning(message), false);
      pipeline = new Pipeline({
        ...{ output, decoding, board: work },
        extents: new ExtentReader(source),
        onBegin: (path) => {
          thread.control.path = path;
        },
        onFile: (path, bytes) => thread.file(path, bytes),
        onProgress: (bytes) => {
          thread.control.progressBytes += bytes;
          thread.flush();
          if (thread.isStopped()) work.stop();
        },
      });
      await pipeline.run(found.plan);
      output.close();
      if (index === 0) {
        const files = found.archive.entries.map(({ path, bytes }) => ({ path, sizeBytes: bytes }));
        const policy = options.allowEncrypted ? 'allow' : options.asXbstream === true ? 'warn' : 'refuse';
        problems = leftEncrypted(files, options, policy, 'unpacked as stored, not decoded', thread);
      }
    }
  } catch (error) {
    work.stop();
    if (!(error instanceof XbstreamError)) throw error;
    problems = withCure([error], { verb: 'extract', options });
  }
  const left = pipeline?.abandon(problems, options.removePartial) ?? { errors: problems, partials: [] };
  output?.release();
  source?.close();
  const entries = found?.archive.entries ?? [];
  return {
    problems: left.errors,
    stopped: problems.length === 0 && (work.isStopped || thread.isStopped()),
    summary: {
      files: pipeline?.files ?? 0,
      bytes: pipeline?.bytes ?? 0,
      keptFiles: pipeline?.keptFiles ?? 0,
      archiveBytes: found?.archive.archiveBytes ?? 0,
      entries: entries.length,
      entryBytes: entries.reduce((sum, { bytes }) => sum + bytes, 0),
      problemCount: problems.length,
      ...{ lost: [], lostCount: 0, cutAt: undefined, digests: {}, freeBytes: undefined },
      partials: left.partials,
      backup: found === undefined ? undefined : backupFinding(entries.map(({ path }) => path)),
      plan: found && { signature: found.plan.signature, files: found.plan.files.length },
    },
  };
}

/** All headers, and what follows from them; undefined where the archive has to be read in its own order. */
async function look(
  source: Source,
  { absoluteNames, allowEmpty }: ExtractOptions,
): Promise<{ archive: ArchiveIndex; plan: WorkPlan } | undefined> {
  if (!source.seekable) return undefined;
  const archive = await readIndex(source, { absoluteNames, allowEmpty, wantsExtents: () => true });
  const plan = planWork(archive);
  return plan && { archive, plan };
}
