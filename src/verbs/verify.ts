/** `verify`: reads a whole archive and tells all that is wrong with it. */
import { judgeBackup } from '../backup/backup-state.js';
import { digestedName, type InputChoice } from '../input/open-source.js';
import { errorFromRecord, type XbstreamErrorCode } from '../errors.js';
import type { Outcome } from '../outcome.js';
import { makeVerifyReporter } from '../ui/make-inspect-reporter.js';
import type { StatusPrinter, Verification, VerifyReporter } from '../ui/reporter.js';
import { readArchive } from './options/inputs.js';
import type { OptionValues } from './options/option-values.js';
import { pick, reworded, type Told } from './options/option.js';
import { COMMON, DECODING, KEY_FILE_OR_VARIABLE, OPTIONS, READING } from './options/table.js';
import { usageError } from './options/usage-error.js';
import { inThread } from './threads/start.js';
import { defineVerb, tellProblems, type Context } from './verb.js';
import { verifyShared } from './unpack/verify-shared.js';

const CALL = 'tsxbstream verify';

export const VERIFY_OPTIONS = {
  ...pick(OPTIONS, 'tee', 'deep', 'digests', 'manifest', 'info', 'overwrite', 'allowEmpty', 'backup', 'format', 'json'),
  ...pick(OPTIONS, ...DECODING),
  ...pick(OPTIONS, ...READING),
  ...pick(OPTIONS, ...COMMON),
  index: OPTIONS.madeIndex,
  overwrite: reworded(OPTIONS.overwrite, {
    overwrite: 'replace FILE of --manifest, --index and --info when the new one is whole',
  }),
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

const STDOUT = 1;

export const verify = defineVerb({
  call: CALL,
  usage: ['tsxbstream verify [options] [ARCHIVE]'],
  summary: 'prove that an archive is whole',
  description: [
    'Reads all of ARCHIVE, or stdin where ARCHIVE is - or missing, and checks every chunk and every checksum, that no part of a file is missing, and that it ends where it should. Reports all that is wrong, by file. Writes nothing.',
    'Exit code 0 means that the archive is whole. With --deep also what is inside of compressed and encrypted files.',
    'With --tee everything is passed on to stdout unchanged while it is verified, to the last byte, whatever is found; the verdict comes on stderr. Who reads stdout sets the pace; one that goes away, or cannot be written to, does not end the verification, and makes the exit code 1.',
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
      command: 'mariadb-backup ... | tsxbstream verify --tee | aws s3 cp - s3://...',
      purpose: 'prove at the source what is uploaded (with set -o pipefail)',
    },
  ],
  options: VERIFY_OPTIONS,

  check: (values) => {
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
    const idle = values.has('deep')
      ? undefined
      : DEEP_ONLY.find((name) => values.has(name) && !isKeyForInfo(name, values));
    if (idle !== undefined) {
      throw usageError(
        `--${idle} is of use only with --deep`,
        'add --deep to look inside of compressed and encrypted files',
      );
    }
  },

  read: (options, words, surroundings): VerifyOptions => {
    const { input } = readArchive(options, words, surroundings, { call: CALL }, false);
    if (options.tee && surroundings.isTerminal(STDOUT)) {
      throw usageError(
        'stdout is a terminal, and --tee passes the archive on to it',
        'into a file: tsxbstream verify --tee > COPY',
        'into a pipe: tsxbstream verify --tee | ...',
      );
    }
    return { ...options, input };
  },

  run: prove,

  reporter: (options, { stdout, stderr }, paint): VerifyReporter & StatusPrinter => {
    const { tee, format = options.json ? 'json' : 'text' } = options;
    return makeVerifyReporter({ ...options, format }, { stdout: tee ? stderr : stdout, stderr }, paint);
  },

  tell: ({ summary, problems }: Outcome<Verification>, reporter) => {
    if (summary !== undefined) reporter.verified(summary);
    const told = new Set(summary?.problems);
    tellProblems(
      problems.filter((problem) => !told.has(problem)),
      reporter,
    );
  },
});

/** What keeps an archive from being looked at. */
const REFUSALS: ReadonlySet<XbstreamErrorCode> = new Set(['XB_IO', 'XB_CHANGED', 'XB_USAGE', 'XB_TARGET_EXISTS']);

/** What is encrypted of what --info reads is read with a key. */
function isKeyForInfo(name: string, values: OptionValues): boolean {
  return values.has('info') && name !== 'allow-encrypted';
}

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
