import { extract as extractCommand } from '../commands/extract.js';
import type { ExistingFilePolicy } from '../output/output.js';
import type { Owner } from '../output/directory/owner.js';
import type { ExtractSummary, FileReport } from '../ui/reporter.js';
import type { XbstreamError } from '../errors.js';
import type { ArchiveInput } from './input.js';
import {
  checkDigests,
  BACKUP_KINDS,
  checkOptions,
  checkText,
  COMMON_KINDS,
  DECODING_KINDS,
  keyOption,
  SELECTION_KINDS,
  selectionOption,
  type BackupOptions,
  type CommonOptions,
  type DecodingOptions,
  type OptionKind,
  type SelectionOptions,
} from './options.js';
import { outcomeOf, type ProblemOptions } from './problems.js';
import { run } from './run.js';

/** What {@link extract} can be told. */
export interface ExtractOptions
  extends CommonOptions, SelectionOptions, DecodingOptions, ProblemOptions, BackupOptions {
  /** Told of each file that has its final name. */
  onFile?: ((file: FileReport) => void) | undefined;
  /** Undo compression, by the stored names' suffixes. Default: false. (Encryption is undone where a `key` is given.) */
  decompress?: boolean | undefined;
  /** Make the target directory, and its parents, when it is missing. Default: true. */
  createTarget?: boolean | undefined;
  /** What to do when a file is in the target already. Default: `refuse`. */
  existing?: ExistingFilePolicy | undefined;
  /** How many leading directories each stored name loses. Default: 0. */
  stripComponents?: number | undefined;
  /** Follow symbolic links inside the target. Default: they are an error. */
  allowSymlinks?: boolean | undefined;
  /** Take an input without a single chunk for whole. Default: it is an error, `XB_EMPTY_ARCHIVE`. */
  allowEmpty?: boolean | undefined;
  /** Write nothing; check everything and say what would be written. Default: false. */
  dryRun?: boolean | undefined;
  /** Have every file on the disk, not only in its cache, before its name is final. Default: false. */
  fsync?: boolean | undefined;
  /**
   * Who gets the files, each when it is whole, and the directories that are made: `uid` and `gid`, of which one may be
   * missing. Only root can give to somebody else. Default: they stay this process's user's.
   */
  owner?: Owner | undefined;
  /** After damage go on, and give every undamaged file its final name; damage is then in the result. Default: false. */
  keepGoing?: boolean | undefined;
  /** After a failure remove the partial files of this run. Default: false. */
  removePartial?: boolean | undefined;
  /** Digests of the raw archive to work out, by their names in `node:crypto`. */
  digests?: readonly string[] | undefined;
  /** Where to write lines for `sha256sum -c` of the files as written. */
  manifest?: string | undefined;
  /** Most threads. Default: as many as help. */
  parallel?: number | undefined;
}

/** What {@link extract} has done. */
export interface ExtractResult extends Omit<
  ExtractSummary,
  'target' | 'archiveName' | 'dryRun' | 'lost' | 'lostCount'
> {
  /** What is wrong with the archive; empty without `keepGoing`. */
  problems: readonly XbstreamError[];
  /** Stored names of the files that did not become complete (not all, if there are very many); empty without `keepGoing`. */
  lost: readonly string[];
  /** How many files that are. */
  lostCount: number;
}

const KINDS = {
  ...COMMON_KINDS,
  ...BACKUP_KINDS,
  ...SELECTION_KINDS,
  ...DECODING_KINDS,
  onFile: 'function',
  onProblem: 'function',
  decompress: 'boolean',
  createTarget: 'boolean',
  existing: ['refuse', 'overwrite', 'keep-same-size', 'keep-same-content'],
  stripComponents: 'count',
  allowSymlinks: 'boolean',
  allowEmpty: 'boolean',
  dryRun: 'boolean',
  fsync: 'boolean',
  owner: 'owner',
  keepGoing: 'boolean',
  removePartial: 'boolean',
  digests: 'texts',
  manifest: 'text',
  parallel: 'count',
} as const satisfies Record<keyof ExtractOptions, OptionKind>;

/**
 * Unpacks an archive into a directory, in threads of its own.
 *
 * A file has its final name only when all of it has come and every checksum has held; until then it is `.NAME.partial`
 * beside its place, and stays that after a failure.
 *
 * @param target the directory to unpack into
 * @returns what was done; with `keepGoing` look at its `ok`
 * @throws XbstreamError any code (as a rejection); unless `keepGoing` for all that is wrong with the archive
 * @throws the signal's reason after it was aborted, and what a callback threw
 */
export async function extract(
  input: ArchiveInput,
  target: string,
  options: ExtractOptions = {},
): Promise<ExtractResult> {
  checkText('the target directory', target);
  checkOptions(options, KINDS);
  checkDigests(options.digests ?? []);
  const { onFile, onProblem, keepGoing = false } = options;
  const key = keyOption(options.key);
  return run(input, options, async ({ input: choice, signal, reporter }) => {
    const { result, ok, problems } = await outcomeOf<ExtractSummary>(
      (done) =>
        extractCommand(
          {
            input: choice,
            target,
            createTarget: options.createTarget ?? true,
            selection: selectionOption(options),
            existing: options.existing ?? 'refuse',
            decompress: options.decompress ?? false,
            key,
            encrypted: options.allowEncrypted === true ? 'allow' : 'refuse',
            decompressThreads: options.decompressThreads,
            decryptThreads: options.decryptThreads,
            stripComponents: options.stripComponents ?? 0,
            absoluteNames: options.absoluteNames ?? false,
            allowSymlinks: options.allowSymlinks ?? false,
            allowEmpty: options.allowEmpty ?? false,
            backup: options.backup ?? 'auto',
            dryRun: options.dryRun ?? false,
            fsync: options.fsync ?? false,
            owner: options.owner,
            keepGoing,
            removePartial: options.removePartial ?? false,
            digests: options.digests ?? [],
            manifest: options.manifest,
            parallel: options.parallel,
          },
          Object.assign(reporter, {
            wantsFiles: onFile !== undefined,
            file: (report: FileReport) => reporter.tell(onFile, report),
            extracted: done,
          }),
          signal,
        ),
      reporter,
      { keepGoing, onProblem },
    );
    const {
      files,
      bytes,
      archiveBytes,
      elapsedSeconds,
      keptFiles,
      freeBytes,
      digests,
      lost = [],
      lostCount = 0,
    } = result;
    return { ok, files, bytes, archiveBytes, elapsedSeconds, keptFiles, freeBytes, digests, problems, lost, lostCount };
  });
}
