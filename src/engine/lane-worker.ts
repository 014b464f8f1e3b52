/** The thread of a lane: opens its input and output, pushes the one through the lane into the other. */
import { availableParallelism } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { backupState } from '../backup/backup-state.js';
import { Selection } from '../archive/selection.js';
import { WantedByCurrentName, WantedByFinalName, type WantedEntries } from '../archive/wanted-entries.js';
import { lookbackOf } from '../archive/source-lookback.js';
import type { ExtractOptions } from '../commands/extract-options.js';
import { errorToRecord, XbstreamError } from '../errors.js';
import type { StoredPath } from '../format/stored-path.js';
import { openSource } from '../input/open-source.js';
import type { ByteSink, Source } from '../input/source.js';
import { DirectoryOutput } from '../output/directory-output.js';
import { DiscardingOutput } from '../output/discarding-output.js';
import { DryRunOutput } from '../output/dry-run-output.js';
import { writeManifest } from '../output/manifest.js';
import { setUpDecoding } from './decoding-setup.js';
import { Lane, type LaneOptions } from './lane.js';
import { encryptedFiles } from './encrypted-files.js';
import { LaneControl, MAX_LOST, type LaneJob, type LaneMessage, type LaneResult, type LaneTask } from './protocol.js';

const port = parentPort!;
const { job, tellFiles, control: controlBuffer } = workerData as LaneTask;
const options = job.options;
const decompress = job.verb === 'verify' ? job.options.deep : job.options.decompress;
const key = job.verb === 'verify' && !job.options.deep ? undefined : options.key;
const isDecoding = decompress || key !== undefined;
const keepsGoing = job.verb === 'verify' || job.options.keepGoing === true;
const control = new LaneControl(controlBuffer);

function post(message: LaneMessage): void {
  port.postMessage(message);
}

/** Completed files are told a piece at a time: a message for each would cost more than a small file itself. */
class FileReports {
  #paths: StoredPath[] = [];
  #bytes: number[] = [];

  add(path: StoredPath, bytes: number): void {
    this.#paths.push(path);
    this.#bytes.push(bytes);
  }

  flush(): void {
    if (this.#paths.length === 0) return;
    post({ type: 'files', paths: this.#paths, bytes: this.#bytes });
    this.#paths = [];
    this.#bytes = [];
  }
}

const reports = new FileReports();

/** A lane that tells how far it has come. */
class ReportingLane extends Lane implements ByteSink {
  override push(piece: Buffer): Promise<void> | undefined {
    const wait = super.push(piece);
    control.archiveBytes = this.archiveBytes;
    reports.flush();
    return wait;
  }
}

type LaneOutput = DirectoryOutput | DryRunOutput | DiscardingOutput;

function openOutput(job: LaneJob): LaneOutput {
  if (job.verb === 'verify') return new DiscardingOutput(job.options.manifest !== undefined);
  return openTarget(job.options);
}

function openTarget(options: ExtractOptions): DirectoryOutput | DryRunOutput {
  const { target, createTarget, allowSymlinks, existing, stripComponents, fsync, manifest } = options;
  if (options.dryRun) {
    return new DryRunOutput({
      target,
      createTarget,
      allowSymlinks,
      refuseExisting: existing === 'refuse',
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
    hash: manifest !== undefined,
    // A second one takes what lies in memory that it shares, and what is decoded does not.
    threads: isDecoding ? 1 : Math.min(options.parallel ?? availableParallelism(), 2),
  });
}

/** How entries are chosen: by final names where the input can be read twice. */
async function chooseEntries(selection: Selection, source: Source): Promise<WantedEntries> {
  if (selection.isEverything || !source.seekable) return new WantedByCurrentName(selection);
  const wanted = await WantedByFinalName.look(source, selection, options.absoluteNames);
  source.rewind?.();
  const unmatched = selection.unmatched();
  if (unmatched !== undefined && !control.stopped) throw unmatched;
  return wanted;
}

function* pathsOf(lane: Lane): Iterable<StoredPath> {
  for (const { path } of lane.files()) yield path;
}

async function run(): Promise<LaneResult> {
  let lane: Lane | undefined;
  let output: LaneOutput | undefined;
  let source: Source | undefined;
  let errors: XbstreamError[] = [];
  /** Not all of the archive was read. */
  let isUnread = false;
  const { decoding, pool } = await setUpDecoding({ ...options, decompress, key }, (message) =>
    post({ type: 'warning', message }),
  );
  try {
    const opened = await openSource(options.input, () => control.stopped);
    source = opened;
    // There is but one command: to stop.
    port.on('message', () => opened.stop());
    const selection = new Selection(job.verb === 'verify' ? { include: [], exclude: [] } : job.options.selection);
    const wanted = await chooseEntries(selection, source);
    output = openOutput(job);
    const laneOptions: LaneOptions = {
      output,
      decoding,
      wanted,
      absoluteNames: options.absoluteNames,
      allowEmpty: options.allowEmpty,
      jump: source.seekable && options.digests.length === 0 && job.verb !== 'verify',
      part: job.verb === 'verify' ? job.part : undefined,
      salvage: keepsGoing ? { lookback: lookbackOf(source), doubtsEmptyFiles: job.verb === 'extract' } : undefined,
      digests: options.digests,
      onFile: tellFiles ? (path, bytes) => reports.add(path, bytes) : () => undefined,
    };
    lane = new ReportingLane(laneOptions);
    await source.run(lane);
    if (!control.stopped) {
      errors = await lane.end();
      if (job.verb === 'verify' && job.options.deep && key === undefined) errors.push(...encryptedFiles(lane.files()));
      const unmatched = selection.unmatched();
      if (errors.length === 0 && unmatched !== undefined) errors.push(unmatched);
      if (options.manifest !== undefined && (errors.length === 0 || keepsGoing))
        writeManifest(options.manifest, lane.files());
    }
  } catch (error) {
    if (!(error instanceof XbstreamError)) throw error;
    errors = [error];
    isUnread = true;
  }
  const stopped = control.stopped && errors.length === 0;
  const lost = keepsGoing ? (lane?.lost ?? []) : [];
  const left = lane?.abandon(errors, job.verb === 'extract' && job.options.removePartial) ?? { errors, partials: [] };
  reports.flush();
  output?.release();
  source?.close();
  pool?.close();
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
    backup: job.verb === 'verify' && lane !== undefined ? backupState(pathsOf(lane)) : undefined,
    errors: (job.verb === 'verify' ? errors : left.errors).map(errorToRecord),
    errorCount: Math.max(errors.length, lane?.problemCount ?? 0),
    lost: lost.slice(0, MAX_LOST),
    lostCount: lost.length,
    partials: left.partials,
    stopped,
    digests: stopped || isUnread || (errors.length > 0 && !keepsGoing) ? {} : (lane?.digests() ?? {}),
    freeBytes: output instanceof DryRunOutput ? output.freeBytes : undefined,
  };
}

post({ type: 'end', result: await run() });
port.close();
