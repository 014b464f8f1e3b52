/** The thread that makes an archive. */
import { ArchiveWriter } from '../../archive/writer.js';
import { backupFinding } from '../../backup/backup-state.js';
import { FilePacker } from '../../engine/packing/file-packer.js';
import { TarPacker } from '../../engine/packing/tar-packer.js';
import { withRawSource } from '../../engine/with-source.js';
import { XbstreamError } from '../../errors.js';
import type { StoredPath } from '../../format/stored-path.js';
import { FileList, type ListedFile } from '../../engine/packing/file-list.js';
import { readPathList } from '../../engine/packing/path-list.js';
import { takeAll, stopBy } from '../../input/source.js';
import type { Outcome } from '../../outcome.js';
import { ArchiveTarget, assertNotRead } from '../../output/archive-target.js';
import { Stopped } from '../../output/sinks.js';
import type { TaskThread } from '../../threads/task-thread.js';
import { backupProblems } from '../backup-problems.js';
import type { CreateOptions, CreateSource, FilesSource } from '../create.js';
import type { MakeTotals } from './making.js';

export async function pack(options: CreateOptions, thread: TaskThread): Promise<Outcome<MakeTotals>> {
  const { source, output } = options;
  // Before it is written to, if only to break it off.
  if (source.kind === 'tar') assertNotRead(output, source.input);
  const packing = new Packing(options, thread);
  try {
    await packing.run();
    return { summary: packing.totals, problems: [], stopped: false };
  } catch (error) {
    if (!(error instanceof XbstreamError) && !(error instanceof Stopped)) throw error;
    packing.breakOff();
    const problems = error instanceof XbstreamError ? [error] : [];
    return { summary: packing.totals, problems, stopped: error instanceof Stopped };
  }
}

/** What is made, and where it goes. */
interface BegunArchive {
  target: ArchiveTarget;
  writer: ArchiveWriter;
}

class Packing {
  readonly #options: CreateOptions;
  readonly #thread: TaskThread;
  #files = 0;
  #bytes = 0;
  #making: BegunArchive | undefined;

  constructor(options: CreateOptions, thread: TaskThread) {
    this.#options = options;
    this.#thread = thread;
  }

  get totals(): MakeTotals {
    const outputBytes = this.#making?.target.sink.bytes ?? 0;
    return { files: this.#files, bytes: this.#bytes, outputBytes, archiveBytes: outputBytes };
  }

  async run(): Promise<void> {
    const { source, allowEmpty } = this.#options;
    if (source.kind === 'files') await this.#packFiles(source);
    else await this.#packTar(source);
    const { target, writer } = this.#begun();
    if (this.#files === 0 && !allowEmpty) throw noFiles();
    writer.flush();
    target.commit();
  }

  /** Whoever reads a stream must not take it for whole, also where nothing has gone into it yet. */
  breakOff(): void {
    const making = this.#making;
    const isRead = making === undefined ? this.#options.output.kind !== 'path' : making.target.partial === undefined;
    try {
      if (isRead) {
        const { writer, target } = this.#begun();
        writer.breakOff();
        target.flush();
      }
    } catch {
      // Nobody there to be told.
    }
    this.#making?.target.discard();
  }

  /** Opens the output: not before it is known that there is something to write. */
  #begun(): BegunArchive {
    if (this.#making === undefined) {
      const target = new ArchiveTarget(this.#options.output, this.#thread.isStopped);
      this.#making = { target, writer: new ArchiveWriter(target.sink) };
    }
    return this.#making;
  }

  #packed(path: StoredPath, bytes: number): void {
    this.#files += 1;
    this.#bytes += bytes;
    this.#thread.file(path, bytes);
  }

  #assertNotStopped(): void {
    if (this.#thread.isStopped()) throw new Stopped();
  }

  async #listFiles({ directory, recurse, paths, list }: FilesSource): Promise<readonly ListedFile[]> {
    const { absoluteNames, output } = this.#options;
    const thread = this.#thread;
    const replaced = output.kind === 'path' && output.overwrite ? output.path : undefined;
    const onWarning = (message: string): void => thread.warning(message);
    const files = new FileList({ directory, recurse, absoluteNames, replaced, onWarning });
    for (const path of paths) files.add(path);
    if (list !== undefined) {
      const named = await readPathList(list.input, list.nullSeparated, thread.isStopped, (reading) =>
        stopBy(thread.signal, reading),
      );
      for (const path of named) files.add(path);
    }
    this.#assertNotStopped();
    return files.files;
  }

  /** Finds all files first, then writes. */
  async #packFiles(source: FilesSource): Promise<void> {
    const files = await this.#listFiles(source);
    const { chunkBytes, sparse } = this.#options;
    const { isStopped, control } = this.#thread;
    const { target, writer } = this.#begun();
    const packer = new FilePacker(writer, {
      ...{ chunkBytes, sparse, isStopped },
      isOutput: (stat) => target.isSame(stat),
      onProgress: (bytes) => {
        control.progressBytes += bytes;
      },
    });
    for (const file of files) {
      this.#assertNotStopped();
      control.path = file.name;
      this.#packed(file.name, packer.pack(file));
    }
  }

  /** Packs what a tar archive holds, as it comes. */
  async #packTar({ input, backup }: Extract<CreateSource, { kind: 'tar' }>): Promise<void> {
    const { absoluteNames, chunkBytes, sparse } = this.#options;
    const thread = this.#thread;
    // Only this needs tar-stream.
    const { TarReader } = await import('../../tar/reader.js');
    const names: StoredPath[] = [];
    await stoppable(
      withRawSource(input, thread, async (source) => {
        const reader = new TarReader(
          new TarPacker(this.#begun().writer, {
            ...{ absoluteNames, chunkBytes, sparse, isStopped: thread.isStopped },
            onMember: (path) => {
              thread.control.path = path;
            },
            onFile: (path, bytes) => {
              names.push(path);
              this.#packed(path, bytes);
            },
            onWarning: (message) => thread.warning(message),
          }),
        );
        await source.run(
          takeAll((piece) => {
            thread.control.progressBytes += piece.length;
            return reader.push(piece);
          }),
        );
        this.#assertNotStopped();
        reader.end();
      }),
      thread,
    );
    const [problem] = backupProblems(backup, backupFinding(names), undefined, thread);
    if (problem !== undefined) throw problem;
  }
}

/** @throws Stopped where that is why it failed */
async function stoppable(work: Promise<void>, { signal }: TaskThread): Promise<void> {
  try {
    await work;
  } catch (error) {
    throw signal.aborted && error === signal.reason ? new Stopped() : error;
  }
}

function noFiles(): XbstreamError {
  return new XbstreamError('XB_EMPTY_ARCHIVE', 'there is no file to put into the archive', {
    hints: [
      'look whether what names the files, or writes the tar, failed',
      'if an empty archive is what you expect: --allow-empty',
    ],
  });
}
