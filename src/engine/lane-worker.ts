/** The thread of a lane: opens its input and output, pushes the one through the lane into the other. */
import { availableParallelism } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { Selection } from '../archive/selection.js';
import { WantedByCurrentName, WantedByFinalName, type WantedEntries } from '../archive/wanted-entries.js';
import type { ExtractOptions } from '../commands/extract-options.js';
import { errorToRecord, XbstreamError } from '../errors.js';
import type { StoredPath } from '../format/stored-path.js';
import { openSource } from '../input/open-source.js';
import type { ByteSink, Source } from '../input/source.js';
import { DirectoryOutput } from '../output/directory-output.js';
import { DryRunOutput } from '../output/dry-run-output.js';
import { writeManifest } from '../output/manifest.js';
import type { DecodePool } from './decode-pool.js';
import type { Decoding } from './decoding.js';
import { Lane, type LaneOptions } from './lane.js';
import { LaneControl, type LaneMessage, type LaneResult, type LaneTask } from './protocol.js';

const port = parentPort!;
const { options, tellFiles, control: controlBuffer } = workerData as LaneTask;
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

const DECODING_THREADS_MAX = 4;

/** A lane that tells how far it has come. */
class ReportingLane extends Lane implements ByteSink {
  override push(piece: Buffer): Promise<void> | undefined {
    const wait = super.push(piece);
    control.archiveBytes = this.archiveBytes;
    reports.flush();
    return wait;
  }
}

function openOutput(options: ExtractOptions): DirectoryOutput | DryRunOutput {
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
    threads: Math.min(options.parallel ?? availableParallelism(), 2),
  });
}

/** How entries are chosen: by final names where the input can be read twice. */
async function chooseEntries(selection: Selection, source: Source): Promise<WantedEntries> {
  if (selection.isEverything || !source.seekable) return new WantedByCurrentName(selection);
  const wanted = await WantedByFinalName.look(
    await openSource(options.input, () => control.stopped),
    selection,
    options.absoluteNames,
  );
  const unmatched = selection.unmatched();
  if (unmatched !== undefined && !control.stopped) throw unmatched;
  return wanted;
}

/** Threads that undo layers beside this one, where any can help. */
async function makePool(): Promise<DecodePool | undefined> {
  const threads = decodingThreads();
  if (threads < 2) return undefined;
  const { DecodePool } = await import('./decode-pool.js');
  return new DecodePool(threads - 1);
}

/** How many threads may undo layers: the upper limits that were given, and never more than there are cores. */
function decodingThreads(): number {
  const { parallel, decompress, decompressThreads, key, decryptThreads } = options;
  if (!decompress && key === undefined) return 1;
  const limits = [decompress ? decompressThreads : undefined, key === undefined ? undefined : decryptThreads];
  const asked = Math.max(...limits.map((limit) => limit ?? parallel ?? DECODING_THREADS_MAX));
  return Math.min(asked, availableParallelism(), DECODING_THREADS_MAX);
}

/** Decoders are loaded only where something is to be decoded. */
async function makeDecoding(pool: DecodePool | undefined): Promise<Decoding | undefined> {
  const { decompress, key } = options;
  if (!decompress && key === undefined) return undefined;
  const { Decoding } = await import('./decoding.js');
  return new Decoding(
    { decompress, key },
    {
      pool,
      onUnprovenKey: () => {
        post({
          type: 'warning',
          message:
            'these files are encrypted in an old format that cannot prove a key: with a wrong one they are garbage',
        });
      },
    },
  );
}

async function run(): Promise<LaneResult> {
  let lane: Lane | undefined;
  let output: DirectoryOutput | DryRunOutput | undefined;
  let errors: XbstreamError[] = [];
  const pool = await makePool();
  try {
    const source = await openSource(options.input, () => control.stopped);
    // There is but one command: to stop.
    port.on('message', () => source.stop());
    const selection = new Selection(options.selection);
    const wanted = await chooseEntries(selection, source);
    output = openOutput(options);
    const laneOptions: LaneOptions = {
      output,
      decoding: await makeDecoding(pool),
      wanted,
      absoluteNames: options.absoluteNames,
      allowEmpty: options.allowEmpty,
      jump: source.seekable && options.digests.length === 0,
      digests: options.digests,
      onFile: tellFiles ? (path, bytes) => reports.add(path, bytes) : () => undefined,
    };
    lane = new ReportingLane(laneOptions);
    await source.run(lane);
    if (!control.stopped) {
      errors = await lane.end();
      const unmatched = selection.unmatched();
      if (errors.length === 0 && unmatched !== undefined) errors.push(unmatched);
      if (options.manifest !== undefined && errors.length === 0) writeManifest(options.manifest, lane.files());
    }
  } catch (error) {
    if (!(error instanceof XbstreamError)) throw error;
    errors = [error];
  }
  const stopped = control.stopped && errors.length === 0;
  const left = lane?.abandon(errors, options.removePartial) ?? { errors, partials: [] };
  reports.flush();
  output?.release();
  pool?.close();
  const totals = lane?.totals() ?? { files: 0, bytes: 0, keptFiles: 0, archiveBytes: 0 };
  return {
    ...totals,
    errors: left.errors.map(errorToRecord),
    partials: left.partials,
    stopped,
    digests: stopped || errors.length > 0 ? {} : (lane?.digests() ?? {}),
    freeBytes: output instanceof DryRunOutput ? output.freeBytes : undefined,
  };
}

post({ type: 'end', result: await run() });
port.close();
