import type { Listing } from '../ui/reporter.js';
import type { XbstreamError } from '../errors.js';
import type { ArchiveInput } from './input.js';
import {
  checkOptions,
  COMMON_KINDS,
  SELECTION_KINDS,
  selectionOption,
  type CommonOptions,
  type OptionKind,
  type SelectionOptions,
} from './options.js';
import { outcomeOf, type ProblemOptions } from './problems.js';
import { run } from './run.js';
import { listInThread } from './verb-thread.js';

/** What {@link list} can be told. */
export interface ListOptions extends CommonOptions, SelectionOptions, ProblemOptions {
  /** Default: `archive`, the order in which the archive first mentions them. */
  sort?: 'archive' | 'size' | 'name' | undefined;
  /** Take an input without a single chunk for whole. Default: it is an error, `XB_EMPTY_ARCHIVE`. */
  allowEmpty?: boolean | undefined;
  /** For an archive that is encrypted as a whole: as of {@link DecodingOptions}. */
  key?: Uint8Array | string | undefined;
  /** Damage is no failure: what there is comes in the result, and what is wrong with it too. Default: false. */
  keepGoing?: boolean | undefined;
}

/** What {@link list} has found. */
export interface ListResult extends Omit<Listing, 'complete'> {
  /** Nothing is wrong with the archive, as far as its headers tell. */
  ok: boolean;
  /** What is wrong with it; empty without `keepGoing`. */
  problems: readonly XbstreamError[];
}

const KINDS = {
  ...COMMON_KINDS,
  ...SELECTION_KINDS,
  onProblem: 'function',
  sort: ['archive', 'size', 'name'],
  allowEmpty: 'boolean',
  key: 'key',
  keepGoing: 'boolean',
} as const satisfies Record<keyof ListOptions, OptionKind>;

/**
 * Lists what an archive holds when all corrections are applied. Of a file only the headers are read, so that checksums are
 * not judged: that is for {@link verify}.
 *
 * @returns the files, in the order asked for; with `keepGoing` look at its `ok`
 * @throws XbstreamError any code (as a rejection); `XB_NO_MATCH` for a pattern that matches nothing
 * @throws the signal's reason after it was aborted, and what a callback threw
 */
export async function list(input: ArchiveInput, options: ListOptions = {}): Promise<ListResult> {
  checkOptions(options, KINDS);
  const { keepGoing = false, onProblem } = options;
  return run(input, options, async ({ input: choice, signal, reporter }) => {
    const { result, ok, problems } = await outcomeOf<Listing>(
      (done) =>
        listInThread(
          {
            input: choice,
            selection: selectionOption(options),
            sort: options.sort ?? 'archive',
            absoluteNames: options.absoluteNames ?? false,
            allowEmpty: options.allowEmpty ?? false,
          },
          Object.assign(reporter, { listed: done }),
          signal,
        ),
      reporter,
      { keepGoing, onProblem },
    );
    const { entries, corrections, bytes, chunks, archiveBytes, wrappers } = result;
    return { ok, entries, corrections, bytes, chunks, archiveBytes, wrappers, problems };
  });
}
