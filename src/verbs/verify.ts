/** `verify`: reads a whole archive and tells all that is wrong with it. */
import { resolve } from 'node:path';
import type { Context } from '../context.js';
import { looksLikeAddress, shownWord } from '../input/address/address.js';
import { digestedName, type InputChoice } from '../input/open-source.js';
import { errorFromRecord, type XbstreamErrorCode } from '../errors.js';
import type { Outcome } from '../outcome.js';
import { makeVerifyReporter } from '../ui/make-inspect-reporter.js';
import { textSettings } from '../ui/make-reporter.js';
import type { ShardReporter, ShardSummary, StatusPrinter, Verification, VerifyReporter } from '../ui/reporter.js';
import { ShardTextReporter } from '../ui/text/verify-text.js';
import { backupProblems } from './backup-problems.js';
import { readArchive } from './options/inputs.js';
import type { OptionValues } from './options/option-values.js';
import type { Told } from './options/option.js';
import { assertFitShards } from './options/shard-options.js';
import { assertExact } from './options/raw-words.js';
import { usageError } from './options/usage-error.js';
import type { ShardChoice } from './options/value-kinds.js';
import type { CheckShardOptions } from './shards/check-shard.js';
import type { MergeOptions, MergeSummary } from './shards/merge-shards.js';
import { inThisThread, inThread, isSmall, work } from './threads/start.js';
import { defineVerb, tellProblems, type CallWords } from './verb.js';
import { UNPACK, type UnpackJob, type UnpackSummary } from './unpack/unpack-job.js';
import { VERIFY_OPTIONS, type VerifyOptions } from './unpack/unpack-options.js';
import { verifyShared } from './unpack/verify-shared.js';

const CALL = 'tsxbstream verify';

/** What it is told where it judges the results of shards. */
export interface MergeCall extends Told<typeof VERIFY_OPTIONS> {
  input?: never;
  results: readonly string[];
  /** The archive, where it is at hand. */
  whole: InputChoice | undefined;
}

/** What is of use only where files are looked into. */
const DEEP_ONLY = ['encrypt-key', 'encrypt-key-file', 'decrypt', 'allow-encrypted'] as const;

/** What names a file to be written. */
const MADE_FILES = ['manifest', 'index', 'info'] as const;

const STDOUT = 1;

export const verify = defineVerb({
  call: CALL,
  usage: ['tsxbstream verify [options] [ARCHIVE]'],
  summary: 'prove that an archive is whole',
  description: [
    'Reads all of ARCHIVE, or stdin where ARCHIVE is - or missing, and checks every chunk and every checksum, that no part of a file is missing, and that it ends where it should. Reports all that is wrong, by file. Unpacks nothing.',
    'Exit code 0 means that the archive is whole. With --deep also what is inside of compressed and encrypted files.',
    'With --tee everything is passed on to stdout unchanged while it is verified, to the last byte, whatever is found; the verdict comes on stderr. Who reads stdout sets the pace; one that goes away, or cannot be written to, does not end the verification, and makes the exit code 1.',
    'Many machines can share the work: each checks one shard of the archive, and --merge judges by their results as one run does.',
  ],
  examples: [
    { command: 'tsxbstream verify backup.xbstream', purpose: 'is it whole?' },
    {
      command: 'tsxbstream verify --deep -f KEYFILE backup.xbstream',
      purpose: 'also inside of compressed and encrypted files',
    },
    {
      command: 'tsxbstream verify --format github backup.xbstream',
      purpose: 'problems as annotations of a workflow',
    },
    {
      command: 'ssh db1 cat backup.xbstream | tsxbstream verify --digest sha256',
      purpose: 'of a stream, with its checksum',
    },
    {
      command: 'mariadb-backup --backup --stream=xbstream | tsxbstream verify --tee > full.xb',
      purpose: 'prove at the source what is uploaded (with set -o pipefail)',
    },
    {
      command: 'tsxbstream verify --shard 3/8 backup.xbstream > result-3',
      purpose: 'the share of one of eight machines',
    },
    {
      command: 'tsxbstream verify --merge --archive backup.xbstream result-*',
      purpose: 'and what all of them come to',
    },
  ],
  options: VERIFY_OPTIONS,

  check: (values) => {
    assertFitShards(values);
    const format = values.last('format');
    if (values.has('json') && format !== undefined && format !== 'json') {
      throw usageError(`--json and --format=${format} exclude each other`, 'leave out one of them');
    }
    const shown = values.has('json') ? 'json' : format;
    if (values.has('tee') && shown !== undefined && shown !== 'text') {
      throw usageError(
        `--tee gives stdout to the archive, and --${values.has('json') ? 'json' : `format=${shown}`} wants it`,
        'the exit code says whether it is whole; what backup it is, as JSON: --info FILE',
      );
    }
    if (values.has('overwrite') && !MADE_FILES.some((name) => values.has(name))) {
      throw usageError(
        '--overwrite replaces a file that is written, and there is none',
        `it is of use with ${MADE_FILES.map((name) => `--${name}`).join(', ')}`,
      );
    }
    const made = MADE_FILES.flatMap((name) => values.last(name) ?? []).map((path) => resolve(path));
    if (!values.has('shard') && new Set(made).size < made.length) {
      throw usageError(
        `${MADE_FILES.map((name) => `--${name}`).join(', ')} are files of their own`,
        'give each another name',
      );
    }
    const idle =
      values.has('deep') || values.has('merge')
        ? undefined
        : DEEP_ONLY.find((name) => values.has(name) && !isKeyForInfo(name, values));
    if (idle !== undefined) {
      throw usageError(
        `--${idle} is of use only with --deep`,
        'add --deep to look inside of compressed and encrypted files, or of an archive that is encrypted as a whole',
      );
    }
  },

  read: (options, words, surroundings): VerifyOptions | MergeCall => {
    const archiveOf = (archive: CallWords, parts: boolean): InputChoice =>
      readArchive({ ...options, parts }, archive, surroundings, { call: CALL }, false).input;
    if (options.merge) {
      const { values, operands: results } = words;
      if (results.length === 0) throw usageError('no result of a shard is named', `${CALL} --merge RESULT...`);
      const address = results.find(looksLikeAddress);
      if (address !== undefined) throw usageError(`results are files, and ${shownWord(address)} is an address`);
      for (const result of results) assertExact('the name of a result', result, surroundings.typed);
      const { archive } = options;
      const whole = archive.length === 0 ? undefined : archiveOf({ values, operands: archive }, archive.length > 1);
      return { ...options, results, whole };
    }
    const input = archiveOf(words, options.parts);
    if (options.tee && surroundings.isTerminal(STDOUT)) {
      throw usageError(
        'stdout is a terminal, and --tee passes the archive on to it',
        'into a file: tsxbstream verify --tee > COPY',
        'into a pipe: tsxbstream verify --tee | ...',
      );
    }
    return { ...options, input };
  },

  run: async (options, context): Promise<Outcome<Verification | ShardSummary>> => {
    if (options.input === undefined) return proveByShards(options, context);
    return options.shard === undefined ? prove(options, context) : checkOne(options, options.shard, context);
  },

  reporter: (options, { stdout, stderr }, paint): (VerifyReporter | ShardReporter) & StatusPrinter => {
    // What it found is a matter of programs.
    if (options.shard !== undefined) return new ShardTextReporter(textSettings(options, { stdout, stderr }, paint));
    const { tee, format = options.json ? 'json' : 'text' } = options;
    return makeVerifyReporter({ ...options, format }, { stdout: tee ? stderr : stdout, stderr }, paint);
  },

  tell: ({ summary, problems }, reporter) => {
    const verification = summary !== undefined && 'isWhole' in summary ? summary : undefined;
    if (verification !== undefined && 'verified' in reporter) reporter.verified(verification);
    const told = new Set(verification?.problems);
    tellProblems(
      problems.filter((problem) => !told.has(problem)),
      reporter,
    );
    if (summary !== undefined && 'result' in summary && 'shardChecked' in reporter) reporter.shardChecked(summary);
  },
});

/** What keeps an archive from being looked at. */
const REFUSALS: ReadonlySet<XbstreamErrorCode> = new Set(['XB_IO', 'XB_CHANGED', 'XB_USAGE', 'XB_TARGET_EXISTS']);

/** What is encrypted of what --info reads is read with a key. */
function isKeyForInfo(name: string, values: OptionValues): boolean {
  return values.has('info') && name !== 'allow-encrypted';
}

export const CHECK_SHARD = work<CheckShardOptions, ShardSummary>('check-shard');
export const MERGE_SHARDS = work<MergeOptions, MergeSummary>('merge-shards');

/** Verifies an archive in one piece. */
export async function prove(options: VerifyOptions, context: Context): Promise<Outcome<Verification>> {
  const started = performance.now();
  const outcome = (await verifyShared(options, context)) ?? (await verifyInOrder(options, context));
  return judged(outcome, options, started, context);
}

/**
 * Verifies an archive in its own order. A small one is only read, in this thread: until another has started takes longer. What is
 * decoded may be a thousand times as much, and no signal is heard meanwhile in the thread that decodes.
 */
function verifyInOrder(options: VerifyOptions, context: Context): Promise<Outcome<UnpackSummary>> {
  const job: UnpackJob = { verb: 'verify', options };
  const { input, deep, tee, manifest, index, info } = options;
  const isOnlyRead = !deep && !tee && [manifest, index, info].every((path) => path === undefined);
  return context.isAlone === true && isOnlyRead && isSmall(input)
    ? inThisThread(UNPACK, job, context)
    : inThread(UNPACK, job, options, context);
}

/** Verifies an archive by the results of its shards. */
async function proveByShards(options: MergeCall, context: Context): Promise<Outcome<Verification>> {
  const started = performance.now();
  const { results, whole: archive } = options;
  const { allowEmpty, allowEncrypted } = options;
  const job = { results, archive, allowEmpty, allowEncrypted };
  const outcome = await inThread(MERGE_SHARDS, job, { input: archive }, context);
  const { summary } = outcome;
  if (summary === undefined) return { ...outcome, summary };
  return judged(outcome, { ...options, input: summary.input }, started, context);
}

/** Checks one shard of an archive. */
function checkOne(
  { input, absoluteNames, deep, key, index }: VerifyOptions,
  choice: ShardChoice,
  context: Context,
): Promise<Outcome<ShardSummary>> {
  const job = { input, absoluteNames, choice, deep, key: deep ? key : undefined, index };
  return inThread(CHECK_SHARD, job, job, context);
}

/** What all that was found comes to. */
function judged(
  outcome: Outcome<Omit<MergeSummary, 'input'>>,
  { input, backup }: Pick<VerifyOptions, 'input' | 'backup'>,
  started: number,
  context: Context,
): Outcome<Verification> {
  const { summary, stopped } = outcome;
  const refusal = outcome.problems.find(({ code }) => REFUSALS.has(code));
  if (refusal !== undefined) return { summary: undefined, problems: [refusal], stopped };
  if (summary === undefined || stopped) return { ...outcome, summary: undefined };
  const { backup: finding } = summary;
  const unfinished =
    outcome.problems.length === 0 && finding !== undefined
      ? backupProblems(backup, finding, summary.archiveBytes, context)
      : [];
  const problems = [...outcome.problems, ...unfinished];
  const problemCount = summary.problemCount + unfinished.length;
  const { entries, entryBytes, archiveBytes, digests } = summary;
  const besides = summary.besides.map(errorFromRecord);
  const all = [...problems, ...besides];
  return {
    problems: all,
    stopped,
    summary: {
      ok: all.length === 0,
      isWhole: problems.length === 0,
      ...{ entries, archiveBytes, problems, problemCount, digests },
      bytes: entryBytes,
      elapsedSeconds: (performance.now() - started) / 1000,
      archiveName: digestedName(input),
    },
  };
}
