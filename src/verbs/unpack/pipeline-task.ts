/** The work of a pipeline: its share of the files of an archive. */
import { readIndex, type ArchiveIndex, type IndexEntry } from '../../archive/index.js';
import { ExtentReader } from '../../archive/extents.js';
import { backupFinding } from '../../backup/backup-state.js';
import { layersOf } from '../../codec/stored-layers.js';
import { setUpDecoding } from '../../engine/decoding/decoding-setup.js';
import { Pipeline } from '../../engine/pipeline/pipeline.js';
import type { PipelineShare } from '../../engine/pipeline/share.js';
import { SharedFiles } from '../../engine/pipeline/shared-files.js';
import { WorkBoard } from '../../engine/pipeline/work-board.js';
import { planWork, type WorkPlan } from '../../engine/pipeline/work-plan.js';
import type { LeftFile } from '../../engine/residue.js';
import { XbstreamError } from '../../errors.js';
import type { StoredPath } from '../../format/stored-path.js';
import { openSource } from '../../input/open-source.js';
import type { Source } from '../../input/source.js';
import type { Outcome } from '../../outcome.js';
import { DiscardingOutput } from '../../output/virtual-output.js';
import { DirectoryOutput } from '../../output/directory/directory-output.js';
import { assertMayGive } from '../../output/directory/owner.js';
import type { TaskThread } from '../../threads/task-thread.js';
import { explained } from '../../wrapper/wrapper-error.js';
import { withCure } from './cure.js';
import { encryptedPolicyOf, leftEncrypted, undoingOf, type UnpackJob, type UnpackSummary } from './unpack-job.js';

export type PipelineJob = UnpackJob & { share: PipelineShare };

export interface PipelineSummary extends UnpackSummary {
  /** What the archive was shared by: see {@link WorkPlan}; undefined where it was not. */
  plan: { signature: number; files: number } | undefined;
  /** What it has left unfinished. */
  left: LeftFile[];
}

/** What a pipeline needs of its thread. */
export type PipelineThread = Pick<TaskThread, 'control' | 'file' | 'flush' | 'isStopped' | 'warning'>;

/** In the thread of a pipeline: makes, or verifies, the files of an archive that the others have not taken. */
export async function runPipeline(job: PipelineJob, thread: PipelineThread): Promise<Outcome<PipelineSummary>> {
  const { options } = job;
  const { index, pipelines, board, shared } = job.share;
  const work = new WorkBoard(board);
  let source: Source | undefined;
  let found: { archive: ArchiveIndex; plan: WorkPlan } | undefined;
  let output: DirectoryOutput | DiscardingOutput | undefined;
  let pipeline: Pipeline | undefined;
  let problems: readonly XbstreamError[] = [];
  try {
    source = await openSource(options.input, thread.isStopped);
    found = await look(source, job);
    if (found !== undefined && !thread.isStopped()) {
      if (job.verb === 'extract' && job.options.owner !== undefined) assertMayGive(job.options.owner);
      output =
        job.verb === 'verify'
          ? new DiscardingOutput(false)
          : new DirectoryOutput({ ...job.options, hash: false, threads: 1, archiveBytes: undefined });
      const undoing = { ...options, ...undoingOf(job) };
      const decoding = await setUpDecoding(undoing, (message) => thread.warning(message), false);
      pipeline = new Pipeline({
        ...{ output, decoding, board: work },
        shared: new SharedFiles(pipelines, index, shared),
        isStopped: thread.isStopped,
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
      if (index === 0 && job.verb === 'extract') problems = stillEncrypted(found.archive.entries, job, thread);
    }
  } catch (error) {
    work.stop();
    if (!(error instanceof XbstreamError)) throw error;
    problems = withCure(explained([error], options.input, source), job);
  }
  const removes = job.verb === 'extract' && job.options.removePartial;
  const left = pipeline?.abandon(removes) ?? [];
  output?.release();
  source?.close();
  const entries = found?.archive.entries ?? [];
  return {
    problems,
    stopped: problems.length === 0 && (work.isStopped || thread.isStopped()),
    summary: {
      files: pipeline?.files ?? 0,
      bytes: pipeline?.bytes ?? 0,
      keptFiles: pipeline?.keptFiles ?? 0,
      archiveBytes: found?.archive.archiveBytes ?? 0,
      entries: entries.length,
      entryBytes: entries.reduce((sum, { bytes }) => sum + bytes, 0),
      problemCount: problems.length,
      ...{ lost: [], lostCount: 0, cutAt: undefined, digests: {}, freeBytes: undefined, besides: [] },
      ...{ partials: left.map(({ partial }) => partial), left },
      backup: found === undefined ? undefined : backupFinding(entries.map(({ path }) => path)),
      plan: found && { signature: found.plan.signature, files: found.plan.files.length },
    },
  };
}

/** All headers, and what follows from them; undefined where the archive has to be read in its own order. */
async function look(source: Source, job: PipelineJob): Promise<{ archive: ArchiveIndex; plan: WorkPlan } | undefined> {
  if (!source.seekable) return undefined;
  const { absoluteNames, allowEmpty } = job.options;
  const archive = await readIndex(source, { absoluteNames, allowEmpty, wantsExtents: () => true });
  if (job.verb === 'verify' && job.options.deep && isKnownToFail(archive.entries, job)) return undefined;
  const { chunkBytesMin, pipelines } = job.share;
  const { decompress, key } = undoingOf(job);
  const choice = { decompress, decrypt: key !== undefined };
  const finalNameOf = (path: StoredPath): StoredPath => layersOf(path, choice).finalName;
  const inParts = job.verb === 'verify' && !job.options.deep;
  const plan = planWork(archive, chunkBytesMin, inParts, pipelines, job.verb === 'extract' ? finalNameOf : undefined);
  return plan && { archive, plan };
}

/** What a lane would find wrong when it decodes, and pipelines, which read in the order of each file, would not. */
function isKnownToFail(entries: readonly IndexEntry[], job: UnpackJob): boolean {
  const silent = { warning: () => undefined };
  if (stillEncrypted(entries, job, silent).length > 0) return true;
  return entries.some(({ extents }) => extents?.areInFileOrder === false);
}

function stillEncrypted(
  entries: readonly IndexEntry[],
  job: UnpackJob,
  thread: Pick<PipelineThread, 'warning'>,
): XbstreamError[] {
  const files = entries.map(({ path, bytes }) => ({ path, sizeBytes: bytes }));
  return leftEncrypted(files, undoingOf(job), encryptedPolicyOf(job), 'unpacked as stored, not decoded', thread);
}
