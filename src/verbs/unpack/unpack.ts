/**
 * The thread that unpacks or verifies an archive in its own order: opens its input and output, and pushes the one through a
 * lane into the other.
 */
import { ForeignInput } from '../../archive/foreign.js';
import { Selection } from '../../archive/selection/selection.js';
import { viewOf } from '../../archive/salvage/byte-view.js';
import { WantedByCurrentName, WantedByFinalName, type WantedEntries } from '../../archive/selection/wanted-entries.js';
import { backupFinding } from '../../backup/backup-state.js';
import type { DecryptionKey } from '../../codec/codec.js';
import { ArchiveDigests } from '../../engine/archive-digests.js';
import { setUpDecoding } from '../../engine/decoding/decoding-setup.js';
import { forgetCorrected } from '../../engine/earlier-run.js';
import type { Lane, LaneTotals } from '../../engine/lane.js';
import { ReportingLane } from '../../engine/reporting-lane.js';
import { XbstreamError } from '../../errors.js';
import { inputSize } from '../../input/open-source.js';
import { stopBy, type Source } from '../../input/source.js';
import type { Outcome } from '../../outcome.js';
import { DirectoryOutput } from '../../output/directory/directory-output.js';
import { DiscardingOutput } from '../../output/virtual-output.js';
import { DryRunOutput } from '../../output/directory/dry-run-output.js';
import { Manifest } from '../../output/manifest.js';
import { assertMayGive } from '../../output/directory/owner.js';
import { threadCount } from '../../threads/cores.js';
import type { TaskThread } from '../../threads/task-thread.js';
import { openArchive } from '../../wrapper/open-archive.js';
import { InputError } from '../../input/input-error.js';
import { explained } from '../../wrapper/wrapper-error.js';
import { ByProducts } from './by-products.js';
import { withCure } from './cure.js';
import { isSmall } from '../threads/start.js';
import {
  decodes,
  encryptedPolicyOf,
  leftEncrypted,
  NOT_LOOKED_AT,
  undoingOf,
  type UnpackJob,
  type UnpackSummary,
} from './unpack-job.js';
import type { ExtractOptions } from './unpack-options.js';

/** Most lost files that are named. */
const MAX_LOST = 10_000;

/** What an extraction with `keepGoing` says of an error that no going on is possible after. */
const UNREAD =
  'the extraction ended here: what comes later in the archive was not looked at, and is not among what is lost';

/** Why there is no digest of what was not read to its end. */
const NO_DIGEST = 'there is no digest of it: the rest was not read';

const NOTHING: LaneTotals = { files: 0, bytes: 0, keptFiles: 0, archiveBytes: 0, entries: 0, entryBytes: 0 };

type LaneOutput = DirectoryOutput | DryRunOutput | DiscardingOutput;

export async function unpack(job: UnpackJob, thread: TaskThread): Promise<Outcome<UnpackSummary>> {
  const { options } = job;
  const isVerifying = job.verb === 'verify';
  const undoing = undoingOf(job);
  const keepsGoing = isVerifying || job.options.keepGoing;
  let lane: Lane | undefined;
  let output: LaneOutput | undefined;
  let manifest: Manifest | undefined;
  let source: Source | undefined;
  let problems: readonly XbstreamError[] = [];
  /** Not all of the archive was read. */
  let isUnread = true;
  let byProducts: ByProducts | undefined;
  const decoding = await setUpDecoding(
    { ...options, ...undoing },
    (message) => thread.warning(message),
    !isSmall(options.input),
  );
  try {
    const digests = new ArchiveDigests(options.digests);
    if (job.verb === 'verify') byProducts = new ByProducts(job.options, thread);
    const opened = await openArchive(options.input, thread.isStopped, {
      onRaw: (piece) => digests.updateWrapped(piece),
      over: byProducts?.over,
    });
    source = opened;
    thread.control.totalBytes = opened.totalBytes;
    stopBy(thread.signal, opened);
    const selection = new Selection(isVerifying ? { include: [], exclude: [] } : job.options);
    const { wanted, uncertain } = await chooseEntries(selection, source, thread, { ...options, key: undoing.key });
    output = isVerifying ? new DiscardingOutput(options.manifest !== undefined) : openTarget(job.options);
    manifest = openManifest(job, thread);
    if (!isVerifying && source.seekable && job.options.existing.startsWith('keep-')) {
      await forgetCorrected(source, output as DirectoryOutput | DryRunOutput, {
        choose: () => ({ decompress: undoing.decompress, decrypt: undoing.key !== undefined }),
        key: undoing.key,
        absoluteNames: options.absoluteNames,
        leavesOut: (path) => selection.excludes(path),
        covers: (path) => selection.covers(path),
      });
      source.rewind?.();
    }
    lane = new ReportingLane(
      {
        ...{ output, decoding, wanted: byProducts?.notes ?? wanted },
        maker: byProducts?.maker,
        absoluteNames: options.absoluteNames,
        leavesOut: (path) => selection.excludes(path),
        allowEmpty: options.allowEmpty,
        jump: source.seekable && options.digests.length === 0 && !isVerifying,
        salvage: keepsGoing ? { view: viewOf(source) } : undefined,
        digests,
        onFile: (path, bytes) => thread.file(path, bytes),
      },
      source,
      thread,
    );
    const outer = await readAll(source, lane, keepsGoing, options.digests.length > 0);
    isUnread = thread.isStopped() || outer !== undefined;
    if (!thread.isStopped()) {
      problems = [...(outer === undefined ? [] : [outer]), ...(await lane.end()), ...uncertain];
      if (problems.every(({ code }) => code === 'XB_NO_MATCH')) problems = [...problems, ...selection.unmatched()];
      if (selection.unpreparable !== undefined) thread.warning(selection.unpreparable);
      if (problems.length === 0 || keepsGoing) {
        manifest?.write(lane.files());
        manifest = undefined;
      }
      byProducts?.write(lane, source, problems);
      problems = [
        ...problems,
        ...leftEncrypted(lane.files(), undoing, encryptedPolicyOf(job), consequenceOf(job), thread),
      ];
    }
  } catch (error) {
    if (!(error instanceof XbstreamError)) throw error;
    const details = keepsGoing && isUnread && !isVerifying ? [UNREAD] : [];
    const isOuter = error instanceof ForeignInput || error instanceof InputError;
    if (options.digests.length > 0 && isOuter) details.push(NO_DIGEST);
    // An input that is told to stop gives nothing more, which may be taken for its end.
    if (!thread.isStopped()) problems = [...(lane?.problems ?? []), error.with({ details })];
  }
  const stopped = thread.isStopped() && problems.length === 0;
  problems = explained(problems, options.input, source);
  const isOuterAlone = lane?.archiveBytes === 0 && problems[0] instanceof InputError;
  // A verification has looked at everything.
  const hasWhole = !isVerifying || (lane !== undefined && lane.storedPaths().length > 0);
  if (!isOuterAlone) problems = withCure(problems, job, hasWhole);
  const left = lane?.abandon(problems, !isVerifying && job.options.removePartial) ?? { errors: problems, partials: [] };
  await byProducts?.passedOn();
  byProducts?.close();
  // Not before: jobs that were under way are done now.
  const lost = keepsGoing ? (lane?.lost ?? []) : [];
  manifest?.discard();
  output?.release();
  source?.close();
  decoding?.close();
  return {
    problems: isVerifying ? problems : left.errors,
    stopped,
    summary: {
      ...(lane?.totals() ?? NOTHING),
      problemCount: Math.max(problems.length, lane?.problemCount ?? 0),
      backup: lane === undefined ? undefined : backupFinding(lane.storedPaths()),
      lost: lost.slice(0, MAX_LOST),
      lostCount: lost.length,
      cutAt: keepsGoing ? lane?.cutAt : undefined,
      partials: left.partials,
      digests: stopped || isUnread || (problems.length > 0 && !keepsGoing) ? {} : (lane?.digests() ?? {}),
      freeBytes: output instanceof DryRunOutput ? output.freeBytes : undefined,
      besides: byProducts?.problems ?? [],
    },
  };
}

/** @returns what is wrong with what the archive is wrapped in, where the files before that place are wanted all the same */
async function readAll(
  source: Source,
  lane: Lane,
  keepsGoing: boolean,
  wantsDigest: boolean,
): Promise<InputError | undefined> {
  try {
    await source.run(lane);
    return undefined;
  } catch (error) {
    if (!keepsGoing || !(error instanceof InputError) || lane.archiveBytes === 0) throw error;
    return wantsDigest ? error.with({ details: [NO_DIGEST] }) : error;
  }
}

/** How entries are chosen: by final names where the input can be read twice. */
async function chooseEntries(
  selection: Selection,
  source: Source,
  thread: TaskThread,
  { key, absoluteNames }: { key: DecryptionKey | undefined; absoluteNames: boolean },
): Promise<{ wanted: WantedEntries; uncertain: XbstreamError[] }> {
  if (selection.isEverything || !source.seekable)
    return { wanted: new WantedByCurrentName(selection, key), uncertain: [] };
  const { wanted, errors } = await WantedByFinalName.look(source, selection, key, absoluteNames);
  source.rewind?.();
  // Where something is found it is written, as it is from a pipe, and what is missing is told at the end.
  const [unmatched] = selection.unmatched();
  if (unmatched !== undefined && selection.isWithoutMatch && !thread.isStopped()) throw unmatched;
  return { wanted, uncertain: errors };
}

function openTarget(options: ExtractOptions): DirectoryOutput | DryRunOutput {
  if (options.owner !== undefined) assertMayGive(options.owner);
  if (options.dryRun) return new DryRunOutput(options);
  return new DirectoryOutput({
    ...options,
    hash: options.manifest !== undefined,
    // A second one takes what lies in memory that it shares, and what is decoded does not.
    threads: decodes(options) ? 1 : threadCount(options.parallel),
    archiveBytes: inputSize(options.input),
  });
}

/** Opened before the work begins: an archive of hours must not end in a name that cannot be had. */
function openManifest(job: UnpackJob, thread: TaskThread): Manifest | undefined {
  const path = job.options.manifest;
  if (path === undefined || (job.verb === 'extract' && job.options.dryRun)) return undefined;
  const overwrite = job.verb === 'extract' ? job.options.existing === 'overwrite' : job.options.overwrite;
  const filesIn = job.verb === 'extract' ? job.options.target : undefined;
  return new Manifest(path, overwrite, filesIn, job.options.input, thread.isStopped);
}

function consequenceOf(job: UnpackJob): string {
  if (job.verb === 'verify') return NOT_LOOKED_AT;
  return job.options.dryRun ? 'would be unpacked as stored, not decoded' : 'unpacked as stored, not decoded';
}
