import { ForeignInput } from '../archive/foreign.js';
import type { IndexEntry } from '../archive/index.js';
import { Selection } from '../archive/selection.js';
import { readIndexFor } from '../archive/wanted-entries.js';
import { allLayersOf } from '../codec/stored-layers.js';
import { inputSize } from '../input/input-size.js';
import type { ListReporter } from '../ui/reporter.js';
import { WrapperError } from '../wrapper/wrapper-error.js';
import { interruptibly } from './interruptibly.js';
import type { ListOptions } from './list-options.js';
import { tellProblems } from './problems.js';

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const ORDERS: Readonly<Record<ListOptions['sort'], (a: IndexEntry, b: IndexEntry) => number>> = {
  archive: (a, b) => a.ordinal - b.ordinal,
  size: (a, b) => b.bytes - a.bytes || byText(a.path, b.path),
  name: (a, b) => byText(a.path, b.path),
};

/**
 * Lists what an archive holds. Of a file only headers are read, so that checksums are not judged; see `verify`.
 *
 * @throws XbstreamError any code of a damaged or incomplete archive, after the listing was told; `XB_NO_MATCH`, `XB_IO`
 * @throws the signal's reason after it was aborted
 */
export async function list(options: ListOptions, reporter: ListReporter, signal: AbortSignal): Promise<void> {
  const { absoluteNames, allowEmpty, sort } = options;
  const totalBytes = inputSize(options.input);
  const selection = new Selection(options.selection);
  const { index, errors } = await interruptibly(
    options.input,
    signal,
    (source) =>
      readIndexFor(selection, source, undefined, {
        absoluteNames,
        leavesOut: (path) => selection.excludes(path),
        allowEmpty,
        onProgress: (progress) => reporter.progress({ ...progress, totalBytes }),
      }),
    ({ index: { problems } }) => problems,
  );
  const entries = index.entries.filter(({ path }) => selection.wants(path)).sort(ORDERS[sort]);
  reporter.listed({
    entries: entries.map(({ path, bytes, chunks, complete, sparse, archiveOffset }) => {
      return { path, bytes, chunks, complete, sparse, layers: allLayersOf(path), archiveOffset };
    }),
    corrections: index.corrections,
    bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0),
    chunks: index.chunks,
    archiveBytes: index.archiveBytes,
    wrappers: index.wrappers,
    complete: index.problemCount === 0,
  });
  const isForeign = index.problems.some(
    (problem) => problem instanceof ForeignInput || problem instanceof WrapperError,
  );
  const unmatched = isForeign ? [] : selection.unmatched();
  tellProblems([...index.problems, ...errors, ...unmatched], options.input, reporter);
}
