/** The thread that converts an archive to a tar. */
import type { IndexEntry } from '../archive/index.js';
import { ExtentReader } from '../archive/read-extents.js';
import { Selection } from '../archive/selection.js';
import { readIndexFor, WantedByCurrentName } from '../archive/wanted-entries.js';
import { backupFinding, judgeBackup } from '../backup/backup-state.js';
import type { TarOptions } from './tar-options.js';
import { errorToRecord, XbstreamError } from '../errors.js';
import type { PayloadUse } from '../archive/chunk-reader.js';
import type { ChunkHeader } from '../format/chunk.js';
import type { StoredPath } from '../format/stored-path.js';
import { withParts } from '../input/part-hint.js';
import type { Source } from '../input/source.js';
import { ArchiveTarget } from '../output/archive-target.js';
import { Stopped } from '../output/descriptor-writer.js';
import { Spool } from '../output/spool.js';
import { SpoolOutput } from '../output/spool-output.js';
import type { SpooledFile } from '../output/spooled-file.js';
import { TarWriter } from '../output/tar-writer.js';
import { setUpDecoding } from './decoding-setup.js';
import type { Decoding } from './decoding.js';
import { openArchive } from '../wrapper/open-archive.js';
import { withPlace } from '../wrapper/wrapper-error.js';
import { encryptedAmong, keyRequired } from './encrypted-files.js';
import { Lane, type LaneOptions } from './lane.js';
import { TarCopy, writeSpooled } from './tar-copy.js';
import type { MakeResult } from './task-protocol.js';
import { TaskThread } from './task-thread.js';

const thread = await TaskThread.started<TarOptions, MakeResult>();
const { options } = thread;
const { sparse, absoluteNames, allowEmpty } = options;
const totals = { files: 0, bytes: 0 };

function written(path: string, bytes: number): void {
  totals.files += 1;
  totals.bytes += bytes;
  thread.file(path, bytes);
}

function assertNotStopped(): void {
  if (thread.isStopped()) throw new Stopped();
}

/** @throws XbstreamError `XB_KEY_REQUIRED` for files that would stay as they are stored, though decoding was asked for */
function assertDecodable(files: Iterable<{ path: StoredPath; sizeBytes: number }>): void {
  if (!options.decompress || options.key !== undefined || options.encrypted === 'allow') return;
  const found = encryptedAmong(files);
  if (found !== undefined) throw keyRequired(found, 'the tar would hold what is stored, not decoded');
}

async function put(tar: TarWriter, file: SpooledFile): Promise<void> {
  assertNotStopped();
  await tar.begin(file.path, file.sizeBytes, sparse ? file.extents : undefined);
  await writeSpooled(tar, file);
  written(file.path, file.sizeBytes);
}

/** What is wrong with an archive that has ended well. @param paths its whole files, selected or not */
function backupProblems(paths: Iterable<StoredPath>, archiveBytes: number): XbstreamError[] {
  const { error, warning } = judgeBackup(options.backup, backupFinding(paths), archiveBytes);
  if (warning !== undefined) thread.warning(warning);
  return error === undefined ? [] : [error];
}

/** An input that can be read at any place: first all headers, then what is left when corrections are applied. */
async function copySeekable(source: Source, tar: TarWriter, decoding: Decoding | undefined): Promise<XbstreamError[]> {
  const selection = new Selection(options.selection);
  const { index, errors } = await readIndexFor(selection, source, options.key, {
    absoluteNames,
    leavesOut: (path) => selection.excludes(path),
    allowEmpty,
    wantsExtents: () => true,
  });
  assertNotStopped();
  const isGood = index.problemCount === 0;
  const wanted = index.entries.filter((entry) => selection.wants(entry.path));
  const [missing = errors[0]] = selection.unmatched();
  if (isGood) {
    if (missing !== undefined) throw missing;
    // Now, and not when hours of writing are over.
    assertDecodable(wanted.map(({ path, bytes }) => ({ path, sizeBytes: bytes })));
  }
  warnOf(selection);
  const { control } = thread;
  let doneBytes = 0;
  const onPiece = (bytes: number): void => {
    assertNotStopped();
    control.progressBytes = Math.max(control.progressBytes, doneBytes + bytes);
  };
  const copy = new TarCopy({ tar, extents: new ExtentReader(source), decoding, sparse, onPiece });
  for (const entry of wanted) {
    if (!isGood && !isCertain(entry)) continue;
    assertNotStopped();
    control.path = entry.path;
    const { path, bytes } = await copy.copy(entry);
    doneBytes += entry.bytes;
    control.progressBytes = doneBytes;
    written(path, bytes);
  }
  if (!isGood) return index.problems;
  return backupProblems([...index.entries.map(({ path }) => path), ...index.leftOut], index.archiveBytes);
}

function warnOf({ unpreparable }: Selection): void {
  if (unpreparable !== undefined) thread.warning(unpreparable);
}

/** Whether a file of a damaged archive is whole. An end chunk alone may be what damage to a path elsewhere has left behind. */
function isCertain({ complete, extents }: IndexEntry): boolean {
  return complete && extents !== undefined;
}

/** A pipe: content waits, since corrections may come until the end. */
async function copyPiped(source: Source, tar: TarWriter, decoding: Decoding | undefined): Promise<XbstreamError[]> {
  const spool = new Spool(options.tmpDir);
  const output = new SpoolOutput(spool, options.stream);
  const selection = new Selection(options.selection);
  const passOn = async (): Promise<void> => {
    for (let file = output.takePassed(); file !== undefined; file = output.takePassed()) {
      await put(tar, file);
      file.drop();
    }
  };
  const lane = new TellingLane(
    source,
    {
      output,
      decoding,
      wanted: new WantedByCurrentName(selection, options.key),
      absoluteNames,
      leavesOut: (path) => selection.excludes(path),
      allowEmpty,
      jump: false,
      onFile: () => undefined,
    },
    options.stream ? passOn : undefined,
  );
  let errors: XbstreamError[];
  try {
    try {
      await source.run(lane);
      assertNotStopped();
      errors = await lane.end();
      await passOn();
    } catch (error) {
      if (!(error instanceof XbstreamError) || error.code === 'XB_IO') throw error;
      errors = [error];
    }
    const [missing] = selection.unmatched();
    if (errors.length === 0) {
      if (missing !== undefined) throw missing;
      assertDecodable(lane.files());
    }
    if (errors.length === 0) errors = backupProblems(lane.storedPaths(), lane.archiveBytes);
    warnOf(selection);
    if (options.stream) return errors;
    // The lane knows the order, but of decoded files only what decodes them.
    const waiting = output.byPath();
    for (const { path } of lane.files()) {
      const file = waiting.get(path)?.shift();
      if (file !== undefined) await put(tar, file);
    }
    return errors;
  } finally {
    output.release();
  }
}

/** A lane that says how far it is, and passes files on after each piece. */
class TellingLane extends Lane {
  readonly #source: Source;
  readonly #passOn: (() => Promise<void>) | undefined;

  constructor(source: Source, options: LaneOptions, passOn: (() => Promise<void>) | undefined) {
    super(options);
    this.#source = source;
    this.#passOn = passOn;
  }

  override chunk(header: ChunkHeader, spanBytes: number): PayloadUse {
    thread.control.path = header.path;
    return super.chunk(header, spanBytes);
  }

  override push(piece: Buffer): Promise<void> | undefined {
    const wait = super.push(piece);
    thread.control.progressBytes = this.#source.inputBytes ?? this.archiveBytes;
    return this.#passOn === undefined ? wait : this.#pass(this.#passOn, wait);
  }

  async #pass(passOn: () => Promise<void>, wait: Promise<void> | undefined): Promise<void> {
    await wait;
    await passOn();
  }
}

async function run(): Promise<MakeResult> {
  let target: ArchiveTarget | undefined;
  let tar: TarWriter | undefined;
  let errors: XbstreamError[] = [];
  let stopped = false;
  let source: Source | undefined;
  let decoding: Decoding | undefined;
  try {
    const opened = await openArchive(options.input, thread.isStopped);
    source = opened;
    thread.onStop(() => opened.stop());
    target = new ArchiveTarget(options.output, thread.isStopped);
    const writer = new TarWriter(target.sink, options.mtime, sparse);
    tar = writer;
    const slowOutput = { isFull: () => writer.isFull, drain: () => writer.settled() };
    decoding = await setUpDecoding({ ...options, slowOutput }, (message) => thread.warning(message), !source.seekable);
    errors = await (source.seekable ? copySeekable(source, tar, decoding) : copyPiped(source, tar, decoding));
    if (errors.length === 0) {
      await tar.end();
      target.commit();
    }
  } catch (error) {
    if (error instanceof Stopped) stopped = true;
    else if (error instanceof XbstreamError) errors = [error];
    else throw error;
  }
  errors = [...withParts(withPlace(errors, source), options.input)];
  if (stopped || errors.length > 0) {
    await breakOff(tar, target);
    target?.discard();
  }
  source?.close();
  decoding?.close();
  return { errors: errors.map(errorToRecord), stopped, ...totals, outputBytes: target?.sink.bytes ?? 0 };
}

/** Whoever reads the tar must not take it for whole. */
async function breakOff(tar: TarWriter | undefined, target: ArchiveTarget | undefined): Promise<void> {
  try {
    await tar?.breakOff();
    target?.flush();
  } catch {
    // Nobody there to be told.
  }
}

thread.end(await run());
