import { type ArchiveIndex, readIndex } from '../archive/index.js';
import { ExtentReader } from '../archive/extents.js';
import { backupFinding } from '../backup/backup-state.js';
import { errorToRecord, XbstreamError } from '../errors.js';
import { openSource } from '../input/open-source.js';
import type { Source } from '../input/source.js';
import { DirectoryOutput } from '../output/directory/directory-output.js';
import { assertMayGive } from '../output/directory/owner.js';
import { withCure } from './cure.js';
import { setUpDecoding } from './decoding-setup.js';
import { encryptedAmong, keyRequired, keyWarning } from './encrypted-files.js';
import type { ExtractOptions } from './extract-options.js';
import { Pipeline } from './pipeline.js';
import type { ExtractJob, LaneResult, PipelineShare } from './protocol.js';
import type { TaskThread } from './task-thread.js';
import { WorkBoard } from './work-board.js';
import { planWork, type WorkPlan } from './work-plan.js';

type Thread = TaskThread<unknown, LaneResult>;

/** In the thread of a pipeline: makes the files of an archive that the others have not taken. */
export async function runPipeline(
  job: ExtractJob,
  { index, board }: PipelineShare,
  thread: Thread,
): Promise<LaneResult> {
  const { options } = job;
  const work = new WorkBoard(board);
  let source: Source | undefined;
  let found: { archive: ArchiveIndex; plan: WorkPlan } | undefined;
  let output: DirectoryOutput | undefined;
  let pipeline: Pipeline | undefined;
  let errors: readonly XbstreamError[] = [];
  try {
    source = await openSource(options.input, thread.isStopped);
    found = await look(source, options);
    if (found !== undefined && !thread.isStopped()) {
      output = openTarget(options);
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
      if (index === 0) errors = leftEncrypted(found.archive, options, thread);
    }
  } catch (error) {
    work.stop();
    if (!(error instanceof XbstreamError)) throw error;
    errors = withCure([error], job);
  }
  const left = pipeline?.abandon(errors, options.removePartial) ?? { errors, partials: [] };
  output?.release();
  source?.close();
  const entries = found?.archive.entries ?? [];
  return {
    files: pipeline?.files ?? 0,
    bytes: pipeline?.bytes ?? 0,
    keptFiles: pipeline?.keptFiles ?? 0,
    archiveBytes: found?.archive.archiveBytes ?? 0,
    entries: entries.length,
    entryBytes: entries.reduce((sum, { bytes }) => sum + bytes, 0),
    errors: left.errors.map(errorToRecord),
    errorCount: errors.length,
    ...{ lost: [], lostCount: 0, cutAt: undefined, digests: {}, freeBytes: undefined },
    partials: left.partials,
    stopped: errors.length === 0 && (work.isStopped || thread.isStopped()),
    backup: found === undefined ? undefined : backupFinding(entries.map(({ path }) => path)),
    plan: found && { signature: found.plan.signature, files: found.plan.files.length },
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

function openTarget(options: ExtractOptions): DirectoryOutput {
  const { target, createTarget, allowSymlinks, existing, stripComponents, fsync, owner } = options;
  if (owner !== undefined) assertMayGive(owner);
  return new DirectoryOutput({
    ...{ target, createTarget, allowSymlinks, existing, stripComponents, fsync, owner },
    hash: false,
    threads: 1,
    archiveBytes: undefined,
  });
}

/** Files that stay as they are stored, though decoding was asked for: the error, if that is one. */
function leftEncrypted(archive: ArchiveIndex, options: ExtractOptions, thread: Thread): XbstreamError[] {
  const { decompress, key, encrypted } = options;
  if (!decompress || key !== undefined || encrypted === 'allow') return [];
  const found = encryptedAmong(archive.entries.map(({ path, bytes }) => ({ path, sizeBytes: bytes })));
  if (found === undefined) return [];
  const consequence = 'unpacked as stored, not decoded';
  if (encrypted === 'refuse') return [keyRequired(found, consequence)];
  thread.warning(keyWarning(found, consequence));
  return [];
}
