/** What a verification makes beside its verdict: the copy that is passed on, an index, a description of the backup. */
import { IndexMaker } from '../../input/indexed/index-maker.js';
import { archiveName } from '../../input/open-source.js';
import { TeeSource } from '../../input/tee-source.js';
import type { Source } from '../../input/source.js';
import { backupFinding, judgeBackup } from '../../backup/backup-state.js';
import { describeBackup } from '../../backup/description.js';
import { SmallFileNotes } from '../../backup/small-files/small-file-notes.js';
import type { Lane } from '../../engine/lane.js';
import { errorToRecord, XbstreamError, type ErrorRecord } from '../../errors.js';
import { ArchiveTarget, assertNotRead } from '../../output/archive-target.js';
import { PassedOn } from '../../output/passed-on.js';
import type { TaskThread } from '../../threads/task-thread.js';
import { infoFields } from '../../ui/json/inspect-json.js';
import { jsonLine } from '../../ui/json/json-line.js';
import type { VerifyOptions } from './unpack-options.js';

/** A reader that goes away may have been ended by what ends this process, too: for so long, in milliseconds, nothing is said of it. */
const WARNING_WAIT_MS = 200;

/** Where the copy goes. */
const STDOUT = 1;

export class ByProducts {
  /** Is given all of the archive; undefined where no index is wanted. */
  readonly maker: IndexMaker | undefined;
  /** Keeps small files; undefined where nobody wants to know what they say. */
  readonly notes: SmallFileNotes | undefined;
  readonly #options: VerifyOptions;
  readonly #thread: TaskThread;
  readonly #started = performance.now();
  #index: ArchiveTarget | undefined;
  #info: ArchiveTarget | undefined;
  readonly #copy: PassedOn | undefined;
  #tee: TeeSource | undefined;
  #warning: NodeJS.Timeout | undefined;
  readonly #problems: ErrorRecord[] = [];

  /**
   * Opened before the work begins: an archive of hours must not end in a name that cannot be had.
   *
   * @throws XbstreamError `XB_IO`, `XB_TARGET_EXISTS`
   */
  constructor(options: VerifyOptions, thread: TaskThread) {
    this.#options = options;
    this.#thread = thread;
    const { input, tee, index, info, overwrite } = options;
    if (tee) assertNotRead({ kind: 'descriptor', fd: STDOUT }, input);
    const target = (path: string | undefined): ArchiveTarget | undefined => {
      if (path === undefined) return undefined;
      const output = { kind: 'path', path, overwrite } as const;
      assertNotRead(output, input);
      return new ArchiveTarget(output, thread.isStopped);
    };
    this.#index = target(index);
    try {
      this.#info = target(info);
    } catch (error) {
      this.#index?.discard();
      throw error;
    }
    if (index !== undefined) this.maker = new IndexMaker();
    if (info !== undefined) this.notes = new SmallFileNotes();
    if (!tee) return;
    this.#copy = new PassedOn(thread.isStopped, ({ message }) => {
      const warning = `${message}: the copy there ends here; the archive is read to its end all the same`;
      this.#warning = setTimeout(() => thread.warning(warning), WARNING_WAIT_MS);
    });
  }

  /** Passes a source on, where that is asked for. */
  readonly over = (source: Source): Source => {
    const copy = this.#copy;
    if (copy === undefined) return source;
    return (this.#tee = new TeeSource(source, (piece) => copy.write(piece), this.#thread.isStopped));
  };

  /** Resolves when all of the input has been passed on. */
  async passedOn(): Promise<void> {
    await this.#tee?.passedOn();
  }

  /** The archive was read to its end. */
  write(lane: Lane, source: Source, problems: readonly XbstreamError[]): void {
    const wrappers = source.wrappers ?? [];
    if (this.#index !== undefined && problems.length > 0) {
      this.#thread.warning('no index was written: there is one only of an archive that is whole');
    } else if (this.#index !== undefined) {
      const isWritten = this.#commit(this.#index, () => {
        if (wrappers.length > 0) throw noIndexOf(wrappers);
        return this.maker!.finish(source, lane.archiveBytes, true);
      });
      if (isWritten) this.#index = undefined;
    }
    if (this.#info === undefined) return;
    const described = (): Buffer[] => [Buffer.from(this.#described(lane, wrappers, problems))];
    if (this.#commit(this.#info, described)) this.#info = undefined;
  }

  #commit(target: ArchiveTarget, pieces: () => Buffer[]): boolean {
    try {
      for (const piece of pieces()) target.sink.write(piece);
      target.commit();
      return true;
    } catch (error) {
      if (!(error instanceof XbstreamError)) throw error;
      this.#problems.push(errorToRecord(error));
      return false;
    }
  }

  /** The line that `info --json` prints. */
  #described(lane: Lane, wrappers: readonly string[], problems: readonly XbstreamError[]): string {
    const { key, backup, input } = this.#options;
    const entries = lane.entries().map(({ entry, complete }) => {
      const { path, sizeBytes } = entry;
      return { path, bytes: sizeBytes, complete, content: this.notes!.contentOf(entry) };
    });
    const { archiveBytes } = lane;
    const finding = backupFinding(entries.map(({ path }) => path));
    const found = { entries, problemCount: problems.length, archiveBytes, wrappers };
    const description = describeBackup(found, finding, { key, archive: archiveName(input) });
    const ok = problems.length === 0 && judgeBackup(backup, finding, archiveBytes).error === undefined;
    const elapsedSeconds = Math.round(performance.now() - this.#started) / 1000;
    return jsonLine('info', { ...infoFields(description, ok), elapsedSeconds });
  }

  /** What went wrong with these, and not with the archive: good after {@link close}. */
  get problems(): readonly ErrorRecord[] {
    const copy = this.#copy?.problem;
    return copy === undefined ? this.#problems : [copy, ...this.#problems];
  }

  /** Takes away what is not whole. */
  close(): void {
    clearTimeout(this.#warning);
    this.#index?.discard();
    this.#info?.discard();
    this.#copy?.close();
  }
}

/** Positions in what is inside of a wrapper are of no use to anybody. */
export function noIndexOf(wrappers: readonly string[]): XbstreamError {
  return new XbstreamError(
    'XB_UNSUPPORTED_LAYER',
    `there is no index of an archive that is ${wrappers.join(', ')} as a whole`,
    {
      details: ['nothing inside of it can be read by position'],
      hints: ['an archive whose files are compressed or encrypted each by itself has one'],
    },
  );
}
