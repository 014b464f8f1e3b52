import type { BackupDescription } from '../ui/reporter.js';
import type { XbstreamError } from '../errors.js';
import type { ArchiveInput } from './input.js';
import {
  BACKUP_KINDS,
  checkOptions,
  COMMON_KINDS,
  keyOption,
  type BackupOptions,
  type CommonOptions,
  type OptionKind,
} from './options.js';
import { outcomeOf, type ProblemOptions } from './problems.js';
import { run } from './run.js';
import { infoInThread } from './verb-thread.js';

/** What {@link info} can be told. */
export interface InfoOptions extends CommonOptions, ProblemOptions, BackupOptions {
  /** For small files that are encrypted, and an archive that is as a whole: as of {@link DecodingOptions}. */
  key?: Uint8Array | string | undefined;
  /** Damage is no failure: what is known comes in the result, and what is wrong too. Default: false. */
  keepGoing?: boolean | undefined;
}

/** What {@link info} has found. What is not known is undefined. */
export interface InfoResult extends Omit<BackupDescription, 'complete'> {
  /** Nothing is wrong with the archive, as far as its headers tell. */
  ok: boolean;
  /** What is wrong with it; empty without `keepGoing`. */
  problems: readonly XbstreamError[];
}

const KINDS = {
  ...COMMON_KINDS,
  ...BACKUP_KINDS,
  onProblem: 'function',
  key: 'key',
  keepGoing: 'boolean',
} as const satisfies Record<keyof InfoOptions, OptionKind>;

/**
 * Tells what backup an archive holds, from the small files in which it tells of itself.
 *
 * @returns what is known; with `keepGoing` look at its `ok`
 * @throws XbstreamError any code (as a rejection)
 * @throws the signal's reason after it was aborted, and what a callback threw
 */
export async function info(input: ArchiveInput, options: InfoOptions = {}): Promise<InfoResult> {
  checkOptions(options, KINDS);
  const { keepGoing = false, onProblem, absoluteNames = false, backup = 'auto' } = options;
  const key = keyOption(options.key);
  return run(input, options, async ({ input: choice, signal, reporter }) => {
    const { result, ok, problems } = await outcomeOf<BackupDescription>(
      (done) =>
        infoInThread(
          { input: choice, key, absoluteNames, allowEmpty: false, backup },
          Object.assign(reporter, { described: done }),
          signal,
        ),
      reporter,
      { keepGoing, onProblem },
    );
    const { complete, ...description } = result;
    return { ...description, ok: ok && complete, problems };
  });
}
