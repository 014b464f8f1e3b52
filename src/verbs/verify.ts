/** `verify`: reads a whole archive and tells all that is wrong with it. */
import { judgeBackup } from '../backup/backup-state.js';
import type { XbstreamErrorCode } from '../errors.js';
import { digestedName, type InputChoice } from '../input/open-source.js';
import type { Outcome } from '../outcome.js';
import { makeVerifyReporter } from '../ui/make-inspect-reporter.js';
import type { StatusPrinter, Verification, VerifyReporter } from '../ui/reporter.js';
import { readArchive } from './options/inputs.js';
import { pick, reworded, type Told } from './options/option.js';
import { COMMON, DECODING, KEY_FILE_OR_VARIABLE, OPTIONS, READING } from './options/table.js';
import { usageError } from './options/usage-error.js';
import { inThread } from './threads/start.js';
import { defineVerb, tellProblems, type Context } from './verb.js';
import { verifyShared } from './unpack/verify-shared.js';

const CALL = 'tsxbstream verify';

export const VERIFY_OPTIONS = {
  ...pick(OPTIONS, 'deep', 'digests', 'manifest', 'overwrite', 'allowEmpty', 'backup', 'format', 'json'),
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

/** What is of use only where files are looked into. */
const DEEP_ONLY = ['encrypt-key', 'encrypt-key-file', 'decrypt', 'allow-encrypted'] as const;

export const verify = defineVerb({
  call: CALL,
  usage: ['tsxbstream verify [options] [ARCHIVE]'],
  summary: 'prove that an archive is whole',
  description: [
    'Reads all of ARCHIVE, or stdin where ARCHIVE is - or missing, and checks every chunk and every checksum, that no part of a file is missing, and that it ends where it should. Reports all that is wrong, by file. Writes nothing.',
    'Exit code 0 means that the archive is whole. With --deep also what is inside of compressed and encrypted files.',
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
  ],
  options: VERIFY_OPTIONS,

  check: (values) => {
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

  read: (options, words, surroundings): VerifyOptions => ({
    ...options,
    input: readArchive(options, words, surroundings, { call: CALL }, false).input,
  }),

  run: prove,

  reporter: (options, streams, paint): VerifyReporter & StatusPrinter => {
    const { format = options.json ? 'json' : 'text' } = options;
    return makeVerifyReporter({ ...options, format }, streams, paint);
  },

  tell: ({ summary, problems }: Outcome<Verification>, reporter) => {
    if (summary === undefined) tellProblems(problems, reporter);
    else reporter.verified(summary);
  },
});

/** What keeps an archive from being looked at. */
const REFUSALS: ReadonlySet<XbstreamErrorCode> = new Set(['XB_IO', 'XB_CHANGED', 'XB_USAGE', 'XB_TARGET_EXISTS']);

async function prove(options: VerifyOptions, context: Context): Promise<Outcome<Verification>> {
  const started = performance.now();
  const { input } = options;
  const outcome =
    (await verifyShared(options, context)) ??
    (await inThread('unpack', { verb: 'verify', options }, { input }, context));
  const { summary, stopped } = outcome;
  const refusal = outcome.problems.find(({ code }) => REFUSALS.has(code));
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
