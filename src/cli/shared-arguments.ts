/** What the command lines of several verbs have in common. */
import { getHashes } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { BackupChoice } from '../backup/backup-state.js';
import type { DecryptionKey } from '../codec/codec.js';
import { readKey } from '../codec/key.js';
import { shellWord } from '../format/shell-word.js';
import type { InputChoice } from '../input/open-source.js';
import type { InspectChoices } from '../ui/make-inspect-reporter.js';
import type { ProgressChoice } from '../ui/make-reporter.js';
import type { ColorChoice } from '../ui/paint.js';
import { FORMS } from './forms.js';
import type { OptionValues } from './option-values.js';
import type { Form } from './options.js';
import { closest } from './suggestion.js';
import { usageError } from './usage-error.js';

/** The descriptor of stdin. */
const STDIN = 0;

/** What the reading of a command line depends on. */
export interface CallSurroundings {
  /** As `process.argv`. */
  argv: readonly string[];
  /** Whether a descriptor is a terminal. */
  isTerminal: (fd: number) => boolean;
  env: NodeJS.ProcessEnv;
}

/** @throws XbstreamError `XB_USAGE` */
export function commonChoices(values: OptionValues): InspectChoices {
  if (values.has('quiet') && values.has('verbose'))
    throw usageError('-q and -v exclude each other', 'leave out one of them');
  return {
    json: values.has('json'),
    quiet: values.has('quiet'),
    verbose: values.has('verbose'),
    // The table has had both checked.
    progress: (values.last('progress') ?? 'auto') as ProgressChoice,
    color: (values.last('color') ?? 'auto') as ColorChoice,
  };
}

/** Whether it must be a finished backup. */
export function backupChoice(values: OptionValues): BackupChoice {
  if (!values.has('backup')) return 'auto';
  const when = values.last('backup');
  // The table has had it checked.
  return when === '' ? 'always' : (when as BackupChoice);
}

/**
 * @param decodes files are to be decoded, whether or not a key was spoken of
 * @throws XbstreamError what {@link readKey} throws
 */
export function keyChoice(values: OptionValues, env: NodeJS.ProcessEnv, decodes: boolean): DecryptionKey | undefined {
  return readKey(
    {
      decodes,
      decrypt: values.last('decrypt'),
      encryptKey: values.last('encrypt-key'),
      encryptKeyFile: values.last('encrypt-key-file'),
    },
    env,
  );
}

/**
 * What layers are undone with, and by how many threads.
 *
 * @param decodes see {@link keyChoice}
 * @throws XbstreamError what {@link readKey} throws
 */
export function decodingChoices(values: OptionValues, env: NodeJS.ProcessEnv, decodes: boolean) {
  return {
    key: keyChoice(values, env, decodes),
    decompressThreads: values.number('decompress-threads'),
    decryptThreads: values.number('encrypt-threads'),
    parallel: values.number('parallel'),
  };
}

export function selectionOptions(values: OptionValues, patterns: readonly string[]) {
  return {
    include: [...patterns, ...values.all('include')],
    exclude: values.all('exclude'),
    tables: values
      .all('tables')
      .flatMap((list) => sqlNames(list, '--tables names no table', 'shop.orders,shop.customers')),
    databases: values.all('databases').flatMap((list) => sqlNames(list, '--databases names no database', 'shop,crm')),
  };
}

/** Names in a list; a comma between backquotes belongs to a name. */
function sqlNames(list: string, problem: string, example: string): string[] {
  const names = (list.match(/(?:`[^`]*`|[^,`])+/g) ?? []).map((name) => name.trim()).filter((name) => name !== '');
  if (names.length > 0) return names;
  throw usageError(`${problem}: "${list}"`, `as in: ${problem.split(' ', 1)[0]!} ${example}`);
}

/** The digests asked for, each once, under the names that `node:crypto` knows them by. */
export function digestNames(given: readonly string[]): string[] {
  if (given.length === 0) return [];
  const known = new Map(getHashes().map((name) => [name.toLowerCase(), name]));
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

export function inputChoice(
  archive: string | readonly string[] | undefined,
  operands: readonly string[],
  form: Form,
  isTerminal: (fd: number) => boolean,
): InputChoice {
  if (typeof archive === 'object') return { kind: 'parts', paths: archive };
  if (archive !== undefined && archive !== '-') {
    if (looksLikePattern(archive) && !existsSync(archive)) {
      throw usageError(
        `there is no archive "${archive}"; it looks like a pattern`,
        'the archive comes first, and - stands for stdin:',
        `${FORMS[form].call} - ${operands.map(shellWord).join(' ')} < ARCHIVE`,
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
    const archive = first !== undefined && existsSync(first) ? shellWord(first) : 'ARCHIVE';
    return usageError(
      what,
      `from a file: tsxbstream -x -C DIR < ${archive}`,
      'from a pipe: ... | tsxbstream -x -C DIR',
    );
  }
  return usageError(
    what,
    `from a file: ${FORMS[form].call} ARCHIVE${END[form] ?? ''}`,
    `from a pipe: ... | ${FORMS[form].call}${form === 'cat' ? ' -' : ''}${END[form] ?? ''}`,
  );
}

/** How a call of a verb may go on behind the archive. */
const END: Readonly<Partial<Record<Form, string>>> = { extract: ' -C DIR', cat: ' PATH' };

function looksLikePattern(word: string): boolean {
  return /[*?[\]{}]/.test(word);
}
