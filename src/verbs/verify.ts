/** `verify`: reads a whole archive and tells all that is wrong with it. */
import { judgeBackup } from '../backup/backup-state.js';
import { digestedName, type InputChoice } from '../input/open-source.js';
import type { Outcome } from '../outcome.js';
import { makeShardReporter, makeVerifyReporter } from '../ui/make-inspect-reporter.js';
import type { ShardReporter, ShardSummary, StatusPrinter, Verification, VerifyReporter } from '../ui/reporter.js';
import { readArchive } from './options/inputs.js';
import { pick, reworded, type Told } from './options/option.js';
import { COMMON, DECODING, KEY_FILE_OR_VARIABLE, OPTIONS, READING } from './options/table.js';
import { assertFitShards } from './options/shard-options.js';
import { usageError } from './options/usage-error.js';
import type { ShardChoice } from './shards/check-shard.js';
import { inThread } from './threads/start.js';
import { defineVerb, tellProblems, type CallWords, type Context } from './verb.js';
import type { UnpackSummary } from './unpack/unpack.js';
import { verifyShared } from './unpack/verify-shared.js';

const CALL = 'tsxbstream verify';

export const VERIFY_OPTIONS = {
  ...pick(OPTIONS, 'deep', 'digests', 'manifest', 'overwrite', 'allowEmpty', 'backup', 'format', 'json'),
  ...pick(OPTIONS, 'shard', 'merge', 'archive'),
  ...pick(OPTIONS, ...DECODING),
  ...pick(OPTIONS, ...READING),
  ...pick(OPTIONS, ...COMMON),
  overwrite: reworded(OPTIONS.overwrite, { overwrite: 'replace FILE of --manifest when the new one is whole' }),
  key: reworded(OPTIONS.key, KEY_FILE_OR_VARIABLE),
  allowEncrypted: reworded(OPTIONS.allowEncrypted, {
    'allow-encrypted': 'with --deep and no key: encrypted files need not be looked into',
  }),
};

/** Everything a verification can be told. */
export interface VerifyOptions extends Told<typeof VERIFY_OPTIONS> {
  input: InputChoice;
}

/** What it is told where it judges the results of shards. */
export interface MergeCall extends Told<typeof VERIFY_OPTIONS> {
  input?: never;
  results: readonly string[];
  /** The archive, where it is at hand. */
  whole: InputChoice | undefined;
}

/** What is found, in one piece or by shards. */
type Found = Pick<UnpackSummary, 'entries' | 'entryBytes' | 'archiveBytes' | 'problemCount' | 'backup' | 'digests'>;

/** What is of use only where files are looked into. */
const DEEP_ONLY = ['encrypt-key', 'encrypt-key-file', 'decrypt', 'allow-encrypted'] as const;

export const verify = defineVerb({
  call: CALL,
  usage: ['tsxbstream verify [options] [ARCHIVE]'],
  summary: 'prove that an archive is whole',
  description: [
    'Reads all of ARCHIVE, or stdin where ARCHIVE is - or missing, and checks every chunk and every checksum, that no part of a file is missing, and that it ends where it should. Reports all that is wrong, by file. Writes nothing.',
    'Exit code 0 means that the archive is whole. With --deep also what is inside of compressed and encrypted files.',
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
    const idle = values.has('deep') ? undefined : DEEP_ONLY.find((name) => values.has(name));
    if (idle !== undefined) {
      throw usageError(
        `--${idle} is of use only with --deep`,
        'add --deep to look inside of compressed and encrypted files',
      );
    }
  },

  read: (options, words, surroundings): VerifyOptions | MergeCall => {
    const archiveOf = (archive: CallWords, parts: boolean): InputChoice =>
      readArchive({ ...options, parts }, archive, surroundings, { call: CALL }, false).input;
    if (!options.merge) return { ...options, input: archiveOf(words, options.parts) };
    const { values, operands: results } = words;
    if (results.length === 0) throw usageError('no result of a shard is named', `${CALL} --merge RESULT...`);
    const { archive } = options;
    const whole = archive.length === 0 ? undefined : archiveOf({ values, operands: archive }, archive.length > 1);
    return { ...options, results, whole };
  },

  run: async (options, context): Promise<Outcome<Verification | ShardSummary>> => {
    if (options.input === undefined) return proveByShards(options, context);
    return options.shard === undefined ? prove(options, context) : checkOne(options, options.shard, context);
  },

  reporter: (options, streams, paint): (VerifyReporter | ShardReporter) & StatusPrinter => {
    if (options.shard !== undefined) return makeShardReporter(options, streams, paint);
    const { format = options.json ? 'json' : 'text' } = options;
    return makeVerifyReporter({ ...options, format }, streams, paint);
  },

  tell: ({ summary, problems }, reporter) => {
    if (summary !== undefined && 'ok' in summary && 'verified' in reporter) reporter.verified(summary);
    else tellProblems(problems, reporter);
    if (summary !== undefined && 'result' in summary && 'shardChecked' in reporter) reporter.shardChecked(summary);
  },
});

/** Verifies an archive in one piece. */
export async function prove(options: VerifyOptions, context: Context): Promise<Outcome<Verification>> {
  const started = performance.now();
  const { input } = options;
  const outcome =
    (await verifyShared(options, context)) ??
    (await inThread('unpack', { verb: 'verify', options }, { input }, context));
  return judged(outcome, { ...options, input }, started, context);
}

/** Verifies an archive by the results of its shards. */
async function proveByShards(options: MergeCall, context: Context): Promise<Outcome<Verification>> {
  const started = performance.now();
  const { results, whole: archive } = options;
  const outcome = await inThread('merge-shards', { results, archive, verify: options }, { input: archive }, context);
  const { summary, problems } = outcome;
  if (summary === undefined) return { ...outcome, summary: undefined, problems };
  return judged(outcome, { ...options, input: summary.input }, started, context);
}

/** Checks one shard of an archive. */
function checkOne(
  { input, absoluteNames }: VerifyOptions,
  choice: ShardChoice,
  context: Context,
): Promise<Outcome<ShardSummary>> {
  return inThread('check-shard', { input, absoluteNames, choice }, { input }, context);
}

/** What all that was found comes to. */
function judged(
  outcome: Outcome<Found>,
  options: Pick<VerifyOptions, 'input' | 'backup'>,
  started: number,
  context: Context,
): Outcome<Verification> {
  const { input } = options;
  const { summary, stopped } = outcome;
  const refusal = outcome.problems.find(({ code }) => code === 'XB_IO' || code === 'XB_TARGET_EXISTS');
  if (refusal !== undefined) return { summary: undefined, problems: [refusal], stopped };
  if (summary === undefined || stopped) return { ...outcome, summary: undefined };
  const problems = [...outcome.problems];
  let { problemCount } = summary;
  if (problems.length === 0 && summary.backup !== undefined) {
    const { error, warning } = judgeBackup(options.backup, summary.backup, summary.archiveBytes);
    if (warning !== undefined) context.warning(warning);
    if (error !== undefined) {
      problems.push(error);
      problemCount += 1;
    }
  }
  const { entries, entryBytes, archiveBytes, digests } = summary;
  return {
    problems,
    stopped,
    summary: {
      ok: problems.length === 0,
      ...{ entries, archiveBytes, problems, problemCount, digests },
      bytes: entryBytes,
      elapsedSeconds: (performance.now() - started) / 1000,
      archiveName: digestedName(input),
    },
  };
}
