import { verify as verifyCommand } from '../commands/verify.js';
import type { Verification } from '../ui/reporter.js';
import type { ArchiveInput } from './input.js';
import {
  checkDigests,
  BACKUP_KINDS,
  checkOptions,
  COMMON_KINDS,
  DECODING_KINDS,
  keyOption,
  type BackupOptions,
  type CommonOptions,
  type DecodingOptions,
  type OptionKind,
} from './options.js';
import type { ProblemOptions } from './problems.js';
import { run } from './run.js';

/** What {@link verify} can be told. */
export interface VerifyOptions extends CommonOptions, DecodingOptions, ProblemOptions, BackupOptions {
  /** Also undo every layer (encryption with `key`), and hold all checksums inside. Default: false. */
  deep?: boolean | undefined;
  /** Take an input without a single chunk for whole. Default: it is a problem, `XB_EMPTY_ARCHIVE`. */
  allowEmpty?: boolean | undefined;
  /** Digests of the raw archive to work out, by their names in `node:crypto`. */
  digests?: readonly string[] | undefined;
  /** Where to write lines for `sha256sum -c` of the files, decoded if `deep`. */
  manifest?: string | undefined;
  /** Replace `manifest` where there is such a file. Default: that is an error, `XB_TARGET_EXISTS`. */
  overwrite?: boolean | undefined;
  /** Most threads. Default: as many as help. */
  parallel?: number | undefined;
}

/** What {@link verify} has found. */
export type VerifyResult = Omit<Verification, 'archiveName'>;

const KINDS = {
  ...COMMON_KINDS,
  ...BACKUP_KINDS,
  ...DECODING_KINDS,
  onProblem: 'function',
  deep: 'boolean',
  allowEmpty: 'boolean',
  digests: 'texts',
  manifest: 'text',
  overwrite: 'boolean',
  parallel: 'count',
} as const satisfies Record<keyof VerifyOptions, OptionKind>;

/**
 * Reads a whole archive, in threads of its own, and tells all that is wrong with it.
 *
 * @returns what was found: look at its `ok`
 * @throws XbstreamError (as a rejection) `XB_IO` when the archive cannot be read; `XB_TARGET_EXISTS` for `manifest`; `XB_USAGE`, `XB_BAD_KEY`; what is wrong
 *   with the archive is in the result
 * @throws the signal's reason after it was aborted, and what a callback threw
 */
export async function verify(input: ArchiveInput, options: VerifyOptions = {}): Promise<VerifyResult> {
  checkOptions(options, KINDS);
  checkDigests(options.digests ?? []);
  const key = keyOption(options.key);
  return run(input, options, async ({ input: choice, signal, reporter }) => {
    let found: Verification | undefined;
    await verifyCommand(
      {
        input: choice,
        deep: options.deep ?? false,
        backup: options.backup ?? 'auto',
        key,
        encrypted: options.allowEncrypted === true ? 'allow' : 'refuse',
        decompressThreads: options.decompressThreads,
        decryptThreads: options.decryptThreads,
        absoluteNames: options.absoluteNames ?? false,
        allowEmpty: options.allowEmpty ?? false,
        digests: options.digests ?? [],
        manifest: options.manifest,
        overwrite: options.overwrite ?? false,
        parallel: options.parallel,
      },
      Object.assign(reporter, {
        verified: (verification: Verification) => {
          found = verification;
        },
      }),
      signal,
    );
    const { ok, entries, bytes, archiveBytes, elapsedSeconds, problems, problemCount, digests } = found!;
    for (const problem of problems) reporter.tell(options.onProblem, problem);
    return { ok, entries, bytes, archiveBytes, elapsedSeconds, problems, problemCount, digests };
  });
}
