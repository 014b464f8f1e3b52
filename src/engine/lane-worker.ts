/** The thread of a lane: opens its input and output, pushes the one through the lane into the other. */
import * as os from 'node:os';
import { backupFinding } from '../backup/backup-state.js';
import { ForeignInput } from '../archive/foreign.js';
import { Selection } from '../archive/selection.js';
import { WantedByCurrentName, WantedByFinalName, type WantedEntries } from '../archive/wanted-entries.js';
import { lookbackOf } from '../archive/source-lookback.js';
import type { ExtractOptions } from './extract-options.js';
import { errorToRecord, XbstreamError } from '../errors.js';
import type { PayloadUse } from '../archive/chunk-reader.js';
import type { LayerChoice } from '../codec/stored-layers.js';
import type { ChunkHeader } from '../format/chunk.js';
import type { StoredPath } from '../format/stored-path.js';
import { inputSize } from '../input/input-size.js';
import type { ByteSink, Source } from '../input/source.js';
import { DirectoryOutput } from '../output/directory-output.js';
import { DiscardingOutput } from '../output/discarding-output.js';
import { DryRunOutput } from '../output/dry-run-output.js';
import { Manifest } from '../output/manifest.js';
import type { OutputFile } from '../output/output.js';
import { assertMayGive } from '../output/owner.js';
import { openArchive } from '../wrapper/open-archive.js';
import { withPlace, WrapperError } from '../wrapper/wrapper-error.js';
import { ArchiveDigests } from './archive-digests.js';
import { setUpDecoding } from './decoding-setup.js';
import { withCure } from './cure.js';
import { forgetCorrected } from './earlier-run.js';
import { Lane, type LaneOptions } from './lane.js';
import { encryptedAmong, keyRequired, keyWarning } from './encrypted-files.js';
import { runPipeline } from './run-pipeline.js';
import { MAX_LOST, type LaneJob, type LaneResult } from './protocol.js';
import { TaskThread } from './task-thread.js';

const thread = await TaskThread.started<LaneJob, LaneResult>();
const { options: job, control } = thread;
const { options } = job;
const decompress = job.verb === 'verify' ? job.options.deep : job.options.decompress;
const key = job.verb === 'verify' && !job.options.deep ? undefined : options.key;
const isDecoding = decompress || key !== undefined;
const keepsGoing = job.verb === 'verify' || job.options.keepGoing === true;

/** A lane that tells how far it has come. */
class ReportingLane extends Lane implements ByteSink {
  readonly #source: Source;

  constructor(source: Source, options: LaneOptions) {
    super(options);
    this.#source = source;
  }

  override chunk(header: ChunkHeader, spanBytes: number): PayloadUse {
    control.path = header.path;
    return super.chunk(header, spanBytes);
  }

  override push(piece: Buffer): Promise<void> | undefined {
    const wait = super.push(piece);
    control.progressBytes = this.#source.inputBytes ?? this.archiveBytes;
    thread.flush();
    return wait;
  }
}

/** What an extraction with `keepGoing` says of an error that no going on is possible after. */
const UNREAD =
  'the extraction ended here: what comes later in the archive was not looked at, and is not among what is lost';

/** Of a smaller archive all is decoded before another thread has started. */
const HELPED_BYTES_MIN = 2 * 1024 * 1024;

/** Why there is no digest of what was not read to its end. */
const NO_DIGEST = 'there is no digest of it: the rest was not read';

type LaneOutput = DirectoryOutput | DryRunOutput | DiscardingOutput;

function openOutput(job: LaneJob): LaneOutput {
  if (job.verb === 'verify') return new DiscardingOutput(job.options.manifest !== undefined);
  return openTarget(job.options);
}

/** Opened before the work begins: an archive of hours must not end in a name that cannot be had. */
function openManifest(job: LaneJob): Manifest | undefined {
  const path = job.options.manifest;
  if (path === undefined || (job.verb === 'extract' && job.options.dryRun)) return undefined;
  const overwrite = job.verb === 'extract' ? job.options.existing === 'overwrite' : job.options.overwrite;
  return new Manifest(path, overwrite, thread.isStopped);
}

function openTarget(options: ExtractOptions): DirectoryOutput | DryRunOutput {
  const { target, createTarget, allowSymlinks, existing, stripComponents, fsync, owner, manifest } = options;
  if (owner !== undefined) assertMayGive(owner);
  if (options.dryRun) {
    return new DryRunOutput({
      target,
      createTarget,
      allowSymlinks,
      existing,
      stripComponents,
    });
  }
  return new DirectoryOutput({
    target,
    createTarget,
    allowSymlinks,
    existing,
    stripComponents,
    fsync,
    owner,
    hash: manifest !== undefined,
    // A second one takes what lies in memory that it shares, and what is decoded does not.
    threads: isDecoding ? 1 : Math.min(options.parallel ?? os.availableParallelism(), 2),
    archiveBytes: inputSize(options.input),
  });
}

/** How entries are chosen: by final names where the input can be read twice. */
async function chooseEntries(
  selection: Selection,
  source: Source,
): Promise<{ wanted: WantedEntries; uncertain: XbstreamError[] }> {
  if (selection.isEverything || !source.seekable)
    return { wanted: new WantedByCurrentName(selection, key), uncertain: [] };
  const { wanted, errors } = await WantedByFinalName.look(source, selection, key, options.absoluteNames);
  source.rewind?.();
  // Where something is found it is written, as it is from a pipe, and what is missing is told at the end.
  const [unmatched] = selection.unmatched();
  if (unmatched !== undefined && selection.isWithoutMatch && !control.stopped) throw unmatched;
  return { wanted, uncertain: errors };
}

/** Files that stay as they are stored, though decoding was asked for: the error, if that is one. */
function leftEncrypted(files: Iterable<OutputFile>): XbstreamError[] {
  if (!decompress || key !== undefined || options.encrypted === 'allow') return [];
  const found = encryptedAmong(files);
  if (found === undefined) return [];
  if (options.encrypted === 'refuse') return [keyRequired(found, consequence())];
  thread.warning(keyWarning(found, consequence()));
  return [];
}

function consequence(): string {
  if (job.verb === 'verify') return 'what is inside was not looked at';
  return job.options.dryRun ? 'would be unpacked as stored, not decoded' : 'unpacked as stored, not decoded';
}

/** @returns what is wrong with what the archive is wrapped in, where the files before that place are wanted all the same */
async function readAll(source: Source, lane: Lane): Promise<WrapperError | undefined> {
  try {
    await source.run(lane);
    return undefined;
  } catch (error) {
    if (!keepsGoing || !(error instanceof WrapperError) || lane.archiveBytes === 0) throw error;
    return options.digests.length === 0 ? error : error.with({ details: [NO_DIGEST] });
  }
}

async function run(): Promise<LaneResult> {
  let lane: Lane | undefined;
  let output: LaneOutput | undefined;
  let manifest: Manifest | undefined;
  let source: Source | undefined;
  let errors: readonly XbstreamError[] = [];
  /** Not all of the archive was read. */
  let isUnread = true;
  const isSmall = (inputSize(options.input) ?? Infinity) < HELPED_BYTES_MIN;
  const decoding = await setUpDecoding({ ...options, decompress, key }, (message) => thread.warning(message), !isSmall);
  try {
    const digests = new ArchiveDigests(options.digests);
    const opened = await openArchive(options.input, thread.isStopped, (piece) => digests.updateWrapped(piece));
    source = opened;
    thread.onStop(() => opened.stop());
    const selection = new Selection(job.verb === 'verify' ? { include: [], exclude: [] } : job.options.selection);
    const { wanted, uncertain } = await chooseEntries(selection, source);
    output = openOutput(job);
    manifest = openManifest(job);
    if (job.verb === 'extract' && source.seekable && job.options.existing.startsWith('keep-')) {
      const leavesOut = (path: StoredPath): boolean => selection.excludes(path);
      const covers = (path: StoredPath): boolean => selection.covers(path);
      const { absoluteNames } = options;
      const files = output as DirectoryOutput | DryRunOutput;
      const choose = (): LayerChoice => ({ decompress, decrypt: key !== undefined });
      await forgetCorrected(source, files, { choose, key, absoluteNames, leavesOut, covers });
      source.rewind?.();
    }
    const laneOptions: LaneOptions = {
      output,
      decoding,
      wanted,
      absoluteNames: options.absoluteNames,
      leavesOut: (path) => selection.excludes(path),
      allowEmpty: options.allowEmpty,
      jump: source.seekable && options.digests.length === 0 && job.verb !== 'verify',
      part: job.verb === 'verify' ? job.part : undefined,
      salvage: keepsGoing ? { lookback: lookbackOf(source) } : undefined,
      digests,
      onFile: (path, bytes) => thread.file(path, bytes),
    };
    lane = new ReportingLane(source, laneOptions);
    const outer = await readAll(source, lane);
    isUnread = control.stopped || outer !== undefined;
    if (!control.stopped) {
      errors = await lane.end();
      errors = [...(outer === undefined ? [] : [outer]), ...withPlace(errors, source), ...uncertain];
      if (errors.every(({ code }) => code === 'XB_NO_MATCH')) errors = [...errors, ...selection.unmatched()];
      if (selection.unpreparable !== undefined) thread.warning(selection.unpreparable);
      if (errors.length === 0 || keepsGoing) {
        manifest?.write(lane.files());
        manifest = undefined;
      }
      errors = [...errors, ...leftEncrypted(lane.files())];
    }
  } catch (error) {
    if (!(error instanceof XbstreamError)) throw error;
    const details = keepsGoing && isUnread && job.verb === 'extract' ? [UNREAD] : [];
    const isOuter = error instanceof ForeignInput || error instanceof WrapperError;
    if (options.digests.length > 0 && isOuter) details.push(NO_DIGEST);
    errors = withPlace([...(lane?.problems ?? []), error.with({ details })], source);
  }
  const stopped = control.stopped && errors.length === 0;
  const isOuterAlone = lane?.archiveBytes === 0 && errors[0] instanceof WrapperError;
  if (!isOuterAlone) errors = withCure(errors, job);
  const left = lane?.abandon(errors, job.verb === 'extract' && job.options.removePartial) ?? { errors, partials: [] };
  // Not before: jobs that were under way are done now.
  const lost = keepsGoing ? (lane?.lost ?? []) : [];
  manifest?.discard();
  output?.release();
  source?.close();
  decoding?.close();
  const totals = lane?.totals() ?? {
    files: 0,
    bytes: 0,
    keptFiles: 0,
    archiveBytes: 0,
    entries: 0,
    entryBytes: 0,
  };
  return {
    ...totals,
    backup: lane === undefined ? undefined : backupFinding(lane.storedPaths()),
    errors: (job.verb === 'verify' ? errors : left.errors).map(errorToRecord),
    errorCount: Math.max(errors.length, lane?.problemCount ?? 0),
    lost: lost.slice(0, MAX_LOST),
    lostCount: lost.length,
    cutAt: keepsGoing ? lane?.cutAt : undefined,
    partials: left.partials,
    stopped,
    digests: stopped || isUnread || (errors.length > 0 && !keepsGoing) ? {} : (lane?.digests() ?? {}),
    freeBytes: output instanceof DryRunOutput ? output.freeBytes : undefined,
    plan: undefined,
  };
}

const share = job.verb === 'extract' ? job.share : undefined;
thread.end(await (job.verb === 'extract' && share !== undefined ? runPipeline(job, share, thread) : run()));
