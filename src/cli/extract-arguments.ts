import { existsSync } from 'node:fs';
import { readKey } from '../codec/key.js';
import type { ExistingFilePolicy, ExtractOptions } from '../commands/extract-options.js';
import type { InputChoice } from '../input/open-source.js';
import type { ColorChoice } from '../ui/paint.js';
import type { ProgressChoice, ReporterChoices } from '../ui/make-reporter.js';
import type { OptionValues } from './option-values.js';
import type { Form } from './options.js';
import { closest } from './suggestion.js';
import { usageError } from './usage-error.js';

/** The descriptor of stdin. */
const STDIN = 0;

/** What a printer needs to know of an extraction's command line. */
export function reporterChoices(values: OptionValues, form: Form): ReporterChoices {
  return {
    json: values.has('json'),
    quiet: values.has('quiet'),
    verbose: values.has('verbose'),
    dryRun: values.has('dry-run'),
    closingLine: form !== 'xbstream',
    // The table has had both checked.
    progress: (values.last('progress') ?? 'auto') as ProgressChoice,
    color: (values.last('color') ?? 'auto') as ColorChoice,
  };
}

/**
 * What an extraction is told to do.
 *
 * @param operands the words that are no options; the xbstream form ignores them, as xbstream does
 * @param surroundings tells whether a descriptor is a terminal, and where a key may be found
 * @throws XbstreamError `XB_USAGE`, and what {@link readKey} throws
 */
export function extractOptions(
  values: OptionValues,
  operands: readonly string[],
  form: Form,
  { isTerminal, env }: { isTerminal: (fd: number) => boolean; env: NodeJS.ProcessEnv },
): ExtractOptions {
  if (values.has('quiet') && values.has('verbose'))
    throw usageError('-q and -v exclude each other', 'leave out one of them');
  const existing = existingFilePolicy(values);
  const digests = digestNames(values.all('digest'));
  const isVerb = form !== 'xbstream';
  const [archive, ...patterns] = isVerb ? operands : [];
  return {
    input: inputChoice(archive, operands, form, isTerminal),
    target: values.last('directory') ?? '.',
    createTarget: isVerb,
    selection: { include: [...patterns, ...values.all('include')], exclude: values.all('exclude') },
    existing,
    decompress: values.has('decompress'),
    key: readKey(
      {
        decrypt: values.last('decrypt'),
        encryptKey: values.last('encrypt-key'),
        encryptKeyFile: values.last('encrypt-key-file'),
      },
      env,
    ),
    decompressThreads: values.number('decompress-threads'),
    decryptThreads: values.number('encrypt-threads'),
    stripComponents: values.number('strip-components') ?? 0,
    absoluteNames: values.has('absolute-names'),
    allowSymlinks: values.has('allow-symlinks'),
    allowEmpty: values.has('allow-empty'),
    dryRun: values.has('dry-run'),
    fsync: values.has('fsync'),
    removePartial: values.has('remove-partial'),
    digests,
    manifest: values.last('manifest'),
    parallel: values.number('parallel'),
  };
}

function existingFilePolicy(values: OptionValues): ExistingFilePolicy {
  if (values.has('overwrite') && values.has('skip-existing')) {
    throw usageError(
      '--overwrite and --skip-existing exclude each other',
      '--overwrite replaces files that are there, --skip-existing keeps them: leave out one',
    );
  }
  if (values.has('overwrite')) return 'overwrite';
  if (!values.has('skip-existing')) return 'refuse';
  return values.last('skip-existing') === 'verify' ? 'keep-same-content' : 'keep-same-size';
}

/** The digests asked for, each once, under the names that `node:crypto` knows them by. */
function digestNames(given: readonly string[]): string[] {
  if (given.length === 0) return [];
  const known = new Map(
    process
      .getBuiltinModule('node:crypto')
      .getHashes()
      .map((name) => [name.toLowerCase(), name]),
  );
  const typed = given.flatMap((list) => list.split(',')).map((name) => name.trim());
  return [...new Set(typed.map((name) => digestName(name, known)))];
}

function digestName(typed: string, known: ReadonlyMap<string, string>): string {
  const lower = typed.toLowerCase();
  // SHA-256 is how the standards write it.
  const name = known.get(lower) ?? known.get(lower.replace('sha-', 'sha'));
  if (name !== undefined) return name;
  const similar = closest(lower, known.keys());
  throw usageError(
    typed === '' ? '--digest was given an empty name' : `--digest: there is no digest "${typed}"`,
    ...(similar === undefined ? [] : [`did you mean ${similar}?`]),
    'among others there are: md5, sha1, sha256, sha512',
  );
}

function inputChoice(
  archive: string | undefined,
  operands: readonly string[],
  form: Form,
  isTerminal: (fd: number) => boolean,
): InputChoice {
  if (archive !== undefined && archive !== '-') {
    if (looksLikePattern(archive) && !existsSync(archive)) {
      throw usageError(
        `there is no archive "${archive}"; it looks like a pattern`,
        'the archive comes first, and - stands for stdin:',
        `tsxbstream extract - ${operands.map(quoted).join(' ')} < ARCHIVE`,
      );
    }
    if (archive === '') throw usageError('the name of the archive is empty', '- stands for stdin');
    return { kind: 'path', path: archive };
  }
  if (isTerminal(STDIN)) throw terminalError(operands, form);
  return { kind: 'descriptor', fd: STDIN };
}

function terminalError(operands: readonly string[], form: Form): Error {
  const first = operands[0];
  const what = 'stdin is a terminal, and an archive cannot be typed';
  if (form === 'xbstream') {
    const archive = first !== undefined && existsSync(first) ? quoted(first) : 'ARCHIVE';
    return usageError(
      what,
      `from a file: tsxbstream -x -C DIR < ${archive}`,
      'from a pipe: ... | tsxbstream -x -C DIR',
    );
  }
  return usageError(
    what,
    'from a file: tsxbstream extract ARCHIVE -C DIR',
    'from a pipe: ... | tsxbstream extract -C DIR',
  );
}

function looksLikePattern(word: string): boolean {
  return /[*?[\]{}]/.test(word);
}

/** A word as a shell takes it for itself. */
function quoted(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
