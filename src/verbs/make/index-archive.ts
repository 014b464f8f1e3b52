/** The thread that makes the index of an archive. */
import { readIndex } from '../../archive/index.js';
import { withSource } from '../../engine/with-source.js';
import { XbstreamError } from '../../errors.js';
import { IndexMaker } from '../../input/indexed/index-maker.js';
import type { Outcome } from '../../outcome.js';
import { ArchiveTarget, assertNotRead } from '../../output/archive-target.js';
import { Stopped } from '../../output/sinks.js';
import type { TaskThread } from '../../threads/task-thread.js';
import type { IndexOptions } from '../make-index.js';
import { noIndexOf } from '../unpack/by-products.js';
import type { MakeTotals } from './making.js';

/** Of a file only headers are read, so that checksums are not judged; of an archive that is not whole by these there is no index. */
export async function indexArchive(options: IndexOptions, thread: TaskThread): Promise<Outcome<MakeTotals>> {
  const totals: MakeTotals = { files: 0, bytes: 0, outputBytes: 0, archiveBytes: 0 };
  let target: ArchiveTarget | undefined;
  try {
    const { output, input } = options;
    assertNotRead(output, input);
    target = new ArchiveTarget(output, thread.isStopped);
    const { pieces, problems } = await lookThrough(options, thread, totals);
    if (problems.length > 0) return { summary: totals, problems, stopped: false };
    for (const piece of pieces) target.sink.write(piece);
    target.commit();
    totals.outputBytes = target.sink.bytes;
    target = undefined;
    return { summary: totals, problems: [], stopped: false };
  } catch (error) {
    if (error instanceof Stopped) return { summary: totals, problems: [], stopped: true };
    if (!(error instanceof XbstreamError)) throw error;
    return { summary: totals, problems: [error], stopped: false };
  } finally {
    target?.discard();
  }
}

/** @param totals is filled in */
function lookThrough(
  { input, absoluteNames, allowEmpty }: IndexOptions,
  thread: TaskThread,
  totals: MakeTotals,
): Promise<{ pieces: readonly Buffer[]; problems: readonly XbstreamError[] }> {
  return withSource(input, thread, async (source) => {
    const maker = new IndexMaker();
    const index = await readIndex(source, {
      absoluteNames,
      allowEmpty,
      maker,
      onProgress: (progress) => thread.progress(progress),
    });
    const { entries, archiveBytes, problems, wrappers } = index;
    totals.files = entries.length;
    totals.bytes = entries.reduce((sum, { bytes }) => sum + bytes, 0);
    totals.archiveBytes = archiveBytes;
    if (problems.length > 0) return { pieces: [], problems };
    if (wrappers.length > 0) throw noIndexOf(wrappers);
    thread.signal.throwIfAborted();
    return { pieces: maker.finish(source, archiveBytes, false), problems };
  });
}
