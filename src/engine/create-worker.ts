/** The thread that makes an archive. */
import { ArchiveWriter } from '../archive/writer.js';
import { backupFinding, judgeBackup } from '../backup/backup-state.js';
import { errorToRecord, XbstreamError } from '../errors.js';
import type { StoredPath } from '../format/stored-path.js';
import { FileList, type ListedFile } from '../input/file-list.js';
import { openSource } from '../input/open-source.js';
import { readPathList } from '../input/path-list.js';
import { PIECE_ROOM_BYTES } from '../input/source.js';
import { ArchiveTarget } from '../output/archive-target.js';
import { Stopped } from '../output/descriptor-writer.js';
import type { CreateOptions, CreateSource, FilesSource } from './create-options.js';
import { FilePacker } from './file-packer.js';
import { TarPacker } from './tar-packer.js';
import type { MakeResult } from './task-protocol.js';
import { TaskThread } from './task-thread.js';

const thread = await TaskThread.started<CreateOptions, MakeResult>();
const { options } = thread;
const totals = { files: 0, bytes: 0 };

function packed(path: string, bytes: number): void {
  totals.files += 1;
  totals.bytes += bytes;
  thread.file(path, bytes);
}

/** What is made, and where it goes. */
interface Making {
  target: ArchiveTarget;
  writer: ArchiveWriter;
}

let making: Making | undefined;

/** Opens the output: not before it is known that there is something to write. */
function begun(): Making {
  if (making === undefined) {
    const target = new ArchiveTarget(options.output, thread.isStopped);
    making = { target, writer: new ArchiveWriter(target.sink) };
  }
  return making;
}

async function listFiles(source: FilesSource): Promise<readonly ListedFile[]> {
  const { directory, recurse, paths, list } = source;
  const { absoluteNames } = options;
  const files = new FileList({ directory, recurse, absoluteNames, onWarning: (message) => thread.warning(message) });
  for (const path of paths) files.add(path);
  if (list !== undefined) {
    const named = await readPathList(list.input, list.nullSeparated, thread.isStopped, (reading) =>
      thread.onStop(() => reading.stop()),
    );
    for (const path of named) files.add(path);
  }
  if (thread.isStopped()) throw new Stopped();
  return files.files;
}

/** Finds all files first, then writes. */
async function packFiles(source: FilesSource): Promise<void> {
  const files = await listFiles(source);
  const { chunkBytes, sparse } = options;
  const { target, writer } = begun();
  const packer = new FilePacker(writer, {
    chunkBytes,
    sparse,
    isStopped: thread.isStopped,
    isOutput: (stat) => target.isSame(stat),
    onProgress: (bytes) => {
      thread.control.progressBytes += bytes;
    },
  });
  try {
    for (const file of files) {
      if (thread.isStopped()) throw new Stopped();
      thread.control.path = file.name;
      packed(file.name, packer.pack(file));
    }
  } finally {
    packer.close();
  }
}

/** Packs what a tar archive holds, as it comes. */
async function packTar({ input: choice, backup }: Extract<CreateSource, { kind: 'tar' }>): Promise<void> {
  const { absoluteNames, chunkBytes, sparse } = options;
  // Only this needs tar-stream.
  const { TarReader } = await import('../archive/tar-reader.js');
  const input = await openSource(choice, thread.isStopped);
  thread.onStop(() => input.stop());
  const names: StoredPath[] = [];
  try {
    const reader = new TarReader(
      new TarPacker(begun().writer, {
        ...{ absoluteNames, chunkBytes, sparse },
        onMember: (path) => {
          thread.control.path = path;
        },
        onFile: (path, bytes) => {
          names.push(path);
          packed(path, bytes);
        },
        onWarning: (message) => thread.warning(message),
      }),
    );
    const room = Buffer.allocUnsafeSlow(PIECE_ROOM_BYTES);
    await input.run({
      room: () => room,
      push: (piece) => {
        thread.control.progressBytes += piece.length;
        return reader.push(piece);
      },
      skippableBytes: 0,
      skip: () => undefined,
    });
    if (thread.isStopped()) throw new Stopped();
    reader.end();
  } finally {
    input.close();
  }
  const { error, warning } = judgeBackup(backup, backupFinding(names), undefined);
  if (warning !== undefined) thread.warning(warning);
  if (error !== undefined) throw error;
}

function outcome(errors: XbstreamError[], stopped: boolean): MakeResult {
  return { errors: errors.map(errorToRecord), stopped, ...totals, outputBytes: making?.target.sink.bytes ?? 0 };
}

async function run(): Promise<MakeResult> {
  const { source } = options;
  try {
    if (source.kind === 'files') await packFiles(source);
    else await packTar(source);
    const { target, writer } = begun();
    if (totals.files === 0 && !options.allowEmpty) throw noFiles();
    writer.flush();
    target.commit();
    return outcome([], false);
  } catch (error) {
    if (!(error instanceof XbstreamError) && !(error instanceof Stopped)) throw error;
    breakOff();
    making?.target.discard();
    return outcome(error instanceof XbstreamError ? [error] : [], error instanceof Stopped);
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

/** Whoever reads a stream must not take it for whole, also where nothing has gone into it yet. */
function breakOff(): void {
  const isRead = making === undefined ? options.output.kind !== 'path' : making.target.partial === undefined;
  try {
    if (!isRead) return;
    const { writer, target } = begun();
    writer.breakOff();
    target.flush();
  } catch {
    // Nobody there to be told.
  }
}

thread.end(await run());
