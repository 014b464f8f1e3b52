/** The thread that converts an archive to a tar. */
import type { IndexEntry } from '../../archive/index.js';
import { ExtentReader } from '../../archive/extents.js';
import { Selection } from '../../archive/selection/selection.js';
import { readIndexFor, WantedByCurrentName } from '../../archive/selection/wanted-entries.js';
import { backupFinding } from '../../backup/backup-state.js';
import { setUpDecoding } from '../../engine/decoding/decoding-setup.js';
import type { Decoding } from '../../engine/decoding/decoding.js';
import type { LaneOptions } from '../../engine/lane.js';
import { ReportingLane } from '../../engine/reporting-lane.js';
import { TarCopy, writeSpooled } from '../../engine/packing/tar-copy.js';
import { isRefusal, XbstreamError } from '../../errors.js';
import type { StoredPath } from '../../format/stored-path.js';
import { stopBy, type Source } from '../../input/source.js';
import type { Outcome } from '../../outcome.js';
import { ArchiveTarget, assertNotRead } from '../../output/archive-target.js';
import { Stopped } from '../../output/sinks.js';
import { Spool } from '../../output/spool/spool.js';
import { SpoolOutput } from '../../output/spool/spooled-files.js';
import type { SpooledFile } from '../../output/spool/spooled-files.js';
import { TarWriter } from '../../tar/writer.js';
import type { TaskThread } from '../../threads/task-thread.js';
import { openArchive } from '../../wrapper/open-archive.js';
import { explained } from '../../wrapper/wrapper-error.js';
import { backupProblems } from '../backup-problems.js';
import type { TarOptions } from '../convert-to-tar.js';
import { leftEncrypted } from '../unpack/unpack-job.js';
import type { MakeTotals } from './making.js';

export async function makeTar(options: TarOptions, thread: TaskThread): Promise<Outcome<MakeTotals>> {
  let target: ArchiveTarget | undefined;
  let making: TarMaking | undefined;
  let problems: readonly XbstreamError[] = [];
  let stopped = false;
  let source: Source | undefined;
  let decoding: Decoding | undefined;
  let isWhole = false;
  try {
    assertNotRead(options.output, options.input);
    const opened = await openArchive(options.input, thread.isStopped);
    source = opened;
    thread.control.totalBytes = opened.totalBytes;
    stopBy(thread.signal, opened);
    target = new ArchiveTarget(options.output, thread.isStopped);
    const writer = new TarWriter(target.sink, { ...options, isStopped: thread.isStopped });
    const slowOutput = { isFull: () => writer.isFull, drain: () => writer.drained() };
    decoding = await setUpDecoding({ ...options, slowOutput }, (message) => thread.warning(message), !source.seekable);
    making = new TarMaking(options, thread, writer, decoding);
    problems = await (source.seekable ? making.copySeekable(source) : making.copyPiped(source));
    if (problems.length === 0) {
      await writer.end();
      target.commit();
      isWhole = true;
    }
  } catch (error) {
    // A source that waits in a call hears of a stop by what it gets.
    if (error instanceof Stopped || thread.isStopped()) stopped = true;
    else if (error instanceof XbstreamError) problems = [error];
    else throw error;
  } finally {
    if (!isWhole) {
      await making?.breakOff(target);
      target?.discard();
    }
    problems = explained(problems, options.input, source);
    source?.close();
    decoding?.close();
  }
  const { files = 0, bytes = 0, archiveBytes = 0 } = making ?? {};
  return { summary: { files, bytes, archiveBytes, outputBytes: target?.sink.bytes ?? 0 }, problems, stopped };
}

class TarMaking {
  readonly #options: TarOptions;
  readonly #thread: TaskThread;
  readonly #tar: TarWriter;
  readonly #decoding: Decoding | undefined;
  files = 0;
  bytes = 0;
  /** How far the archive was read. */
  archiveBytes = 0;

  constructor(options: TarOptions, thread: TaskThread, tar: TarWriter, decoding: Decoding | undefined) {
    this.#options = options;
    this.#thread = thread;
    this.#tar = tar;
    this.#decoding = decoding;
  }

  /** Whoever reads the tar must not take it for whole. */
  async breakOff(target: ArchiveTarget | undefined): Promise<void> {
    try {
      await this.#tar.breakOff();
      target?.flush();
    } catch {
      // Nobody there to be told.
    }
  }

  /** An input that can be read at any place: first all headers, then what is left when corrections are applied. */
  async copySeekable(source: Source): Promise<XbstreamError[]> {
    const { absoluteNames, allowEmpty, sparse, key } = this.#options;
    const selection = new Selection(this.#options);
    const { index, errors } = await readIndexFor(selection, source, key, {
      ...{ absoluteNames, allowEmpty },
      leavesOut: (path) => selection.excludes(path),
      wantsExtents: () => true,
    });
    this.archiveBytes = index.archiveBytes;
    this.#assertNotStopped();
    const isGood = index.problemCount === 0;
    const wanted = index.entries.filter((entry) => selection.wants(entry.path));
    const [missing = errors[0]] = selection.unmatched();
    if (isGood) {
      if (missing !== undefined) throw missing;
      // Now, and not when hours of writing are over.
      this.#assertDecodable(wanted.map(({ path, bytes }) => ({ path, sizeBytes: bytes })));
    }
    this.#warnOf(selection);
    const { control } = this.#thread;
    let doneBytes = 0;
    const onPiece = (bytes: number): void => {
      this.#assertNotStopped();
      control.progressBytes = Math.max(control.progressBytes, doneBytes + bytes);
    };
    const extents = new ExtentReader(source);
    const copy = new TarCopy({ tar: this.#tar, extents, decoding: this.#decoding, sparse, onPiece });
    for (const entry of wanted) {
      if (!isGood && !isCertain(entry)) continue;
      this.#assertNotStopped();
      control.path = entry.path;
      const { path, bytes } = await copy.copy(entry);
      doneBytes += entry.bytes;
      control.progressBytes = doneBytes;
      this.#written(path, bytes);
    }
    if (!isGood) return index.problems;
    return this.#backupProblems([...index.entries.map(({ path }) => path), ...index.leftOut], index.archiveBytes);
  }

  /** A pipe: content waits, since corrections may come until the end. */
  async copyPiped(source: Source): Promise<XbstreamError[]> {
    const { absoluteNames, allowEmpty, stream, tmpDir, key } = this.#options;
    const output = new SpoolOutput(new Spool(tmpDir), stream);
    const selection = new Selection(this.#options);
    const passOn = async (): Promise<void> => {
      for (let file = output.takePassed(); file !== undefined; file = output.takePassed()) {
        await this.#put(file);
        file.drop();
      }
    };
    const lane = new PassingLane(
      {
        ...{ output, absoluteNames, allowEmpty },
        decoding: this.#decoding,
        wanted: new WantedByCurrentName(selection, key),
        leavesOut: (path) => selection.excludes(path),
        jump: false,
        onFile: () => undefined,
      },
      source,
      this.#thread,
      stream ? passOn : undefined,
    );
    let errors: XbstreamError[];
    try {
      try {
        await source.run(lane);
        this.#assertNotStopped();
        errors = await lane.end();
        await passOn();
      } catch (error) {
        if (!(error instanceof XbstreamError) || isRefusal(error)) throw error;
        errors = [error];
      }
      const [missing] = selection.unmatched();
      if (errors.length === 0) {
        if (missing !== undefined) throw missing;
        this.#assertDecodable(lane.files());
        errors = this.#backupProblems(lane.storedPaths(), lane.archiveBytes);
      }
      this.#warnOf(selection);
      if (stream) return errors;
      // The lane knows the order, but of decoded files only what decodes them.
      const waiting = output.byPath();
      for (const { path } of lane.files()) {
        const file = waiting.get(path)?.shift();
        if (file !== undefined) await this.#put(file);
      }
      return errors;
    } finally {
      this.archiveBytes = lane.archiveBytes;
      output.release();
    }
  }

  async #put(file: SpooledFile): Promise<void> {
    this.#assertNotStopped();
    await this.#tar.begin(file.path, file.sizeBytes, this.#options.sparse ? file.extents : undefined);
    await writeSpooled(this.#tar, file);
    this.#written(file.path, file.sizeBytes);
  }

  #written(path: StoredPath, bytes: number): void {
    this.files += 1;
    this.bytes += bytes;
    this.#thread.file(path, bytes);
  }

  #assertNotStopped(): void {
    if (this.#thread.isStopped()) throw new Stopped();
  }

  /** @throws XbstreamError `XB_KEY_REQUIRED` for files that would stay as they are stored, though decoding was asked for */
  #assertDecodable(files: Iterable<{ path: StoredPath; sizeBytes: number }>): void {
    const options = this.#options;
    const consequence = 'the tar would hold what is stored, not decoded';
    const policy = options.allowEncrypted ? 'allow' : 'refuse';
    const [problem] = leftEncrypted(files, options, policy, consequence, this.#thread);
    if (problem !== undefined) throw problem;
  }

  /** @param paths whole files of the archive, selected or not */
  #backupProblems(paths: Iterable<StoredPath>, archiveBytes: number): XbstreamError[] {
    return backupProblems(this.#options.backup, backupFinding(paths), archiveBytes, this.#thread);
  }

  #warnOf({ unpreparable }: Selection): void {
    if (unpreparable !== undefined) this.#thread.warning(unpreparable);
  }
}

/** Whether a file of a damaged archive is whole. An end chunk alone may be what damage to a path elsewhere has left behind. */
function isCertain({ complete, extents }: IndexEntry): boolean {
  return complete && extents !== undefined;
}

/** Passes files on after each piece, where somebody waits for them. */
class PassingLane extends ReportingLane {
  readonly #passOn: (() => Promise<void>) | undefined;

  constructor(options: LaneOptions, source: Source, thread: TaskThread, passOn: (() => Promise<void>) | undefined) {
    super(options, source, thread);
    this.#passOn = passOn;
  }

  override push(piece: Buffer): Promise<void> | undefined {
    const wait = super.push(piece);
    return this.#passOn === undefined ? wait : this.#pass(this.#passOn, wait);
  }

  async #pass(passOn: () => Promise<void>, wait: Promise<void> | undefined): Promise<void> {
    await wait;
    await passOn();
  }
}
