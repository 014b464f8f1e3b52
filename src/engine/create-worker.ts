/** The thread that makes an archive. */
import { ArchiveWriter } from '../archive/writer.js';
import type { CreateOptions } from '../commands/create-options.js';
import { errorToRecord, XbstreamError } from '../errors.js';
import { FileList } from '../input/file-list.js';
import { openSource } from '../input/open-source.js';
import { readPathList } from '../input/path-list.js';
import { PIECE_ROOM_BYTES } from '../input/source.js';
import { ArchiveTarget } from '../output/archive-target.js';
import { Stopped } from '../output/descriptor-writer.js';
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

/** Finds all files first, then writes: `begin` opens the output. */
async function packFiles(begin: () => [ArchiveTarget, ArchiveWriter]): Promise<void> {
  const { source, absoluteNames, chunkBytes, sparse } = options;
  if (source.kind !== 'files') return;
  const { directory, recurse } = source;
  const list = new FileList({ directory, recurse, absoluteNames, onWarning: (message) => thread.warning(message) });
  for (const path of source.paths) list.add(path);
  if (source.list !== undefined) {
    const { input, nullSeparated } = source.list;
    const paths = await readPathList(input, nullSeparated, thread.isStopped, (reading) =>
      thread.onStop(() => reading.stop()),
    );
    for (const path of paths) list.add(path);
  }
  if (thread.isStopped()) throw new Stopped();
  const [target, writer] = begin();
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
    for (const file of list.files) {
      if (thread.isStopped()) throw new Stopped();
      packed(file.name, packer.pack(file));
    }
  } finally {
    packer.close();
  }
}

/** Packs what a tar archive holds, as it comes. */
async function packTar(begin: () => [ArchiveTarget, ArchiveWriter]): Promise<void> {
  const { source, absoluteNames, chunkBytes, sparse } = options;
  if (source.kind !== 'tar') return;
  // Only this needs tar-stream.
  const { TarReader } = await import('../archive/tar-reader.js');
  const input = await openSource(source.input, thread.isStopped);
  thread.onStop(() => input.stop());
  const [, writer] = begin();
  const reader = new TarReader(
    new TarPacker(writer, {
      ...{ absoluteNames, chunkBytes, sparse },
      onFile: packed,
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
}

async function run(): Promise<MakeResult> {
  let target: ArchiveTarget | undefined;
  let writer: ArchiveWriter | undefined;
  const begin = (): [ArchiveTarget, ArchiveWriter] => {
    target ??= new ArchiveTarget(options.output, thread.isStopped);
    writer ??= new ArchiveWriter(target.sink);
    return [target, writer];
  };
  const outcome = (errors: XbstreamError[], stopped: boolean): MakeResult => ({
    errors: errors.map(errorToRecord),
    stopped,
    ...totals,
    outputBytes: target?.sink.bytes ?? 0,
  });
  try {
    await packFiles(begin);
    await packTar(begin);
    begin()[1].flush();
    begin()[0].commit();
    return outcome([], false);
  } catch (error) {
    if (!(error instanceof XbstreamError) && !(error instanceof Stopped)) throw error;
    target?.discard();
    if (options.output.kind !== 'path' || (target !== undefined && target.partial === undefined)) breakOff(begin);
    return outcome(error instanceof XbstreamError ? [error] : [], error instanceof Stopped);
  }
}

/** Whoever reads a stream must not take it for whole. */
function breakOff(begin: () => [ArchiveTarget, ArchiveWriter]): void {
  try {
    begin()[1].breakOff();
  } catch {
    // Nobody there to be told.
  }
}

thread.end(await run());
