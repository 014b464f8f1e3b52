/** What several words of a command line, or the text of one, come to. */
import type { BackupChoice } from '../../backup/backup-state.js';
import type { DecryptionKey } from '../../codec/codec.js';
import { readKey } from '../../codec/xbcrypt/key.js';
import { XbstreamError } from '../../errors.js';
import type { NamedPipesChoice } from '../../input/named-pipes/named-pipes.js';
import type { ExistingFilePolicy } from '../../output/output.js';
import { MTIME_MAX_SECONDS } from '../../tar/header.js';
import type { OptionValues } from './option-values.js';
import { closest } from './suggestion.js';
import { usageError } from './usage-error.js';
import { shardOf, type ShardChoice } from './value-kinds.js';

/** Whether it must be a finished backup. */
export function backupChoice(values: OptionValues): BackupChoice {
  if (!values.has('backup')) return 'auto';
  const when = values.last('backup');
  // The table has had it checked.
  return when === '' ? 'always' : (when as BackupChoice);
}

/**
 * The key that decrypts.
 *
 * @param decodes whether files are to be decoded, or what is read may `perhaps` be encrypted: then one in the environment is
 *   meant for them. One that nobody spoke of, and that is none, is missed only where something is encrypted
 * @throws XbstreamError as {@link readKey}
 */
export function keyOfWords(
  values: OptionValues,
  env: NodeJS.ProcessEnv,
  decodes: boolean | 'perhaps',
): DecryptionKey | undefined {
  const decrypt = values.last('decrypt');
  const encryptKey = values.last('encrypt-key');
  const encryptKeyFile = values.last('encrypt-key-file');
  const isSpokenOf = [decrypt, encryptKey, encryptKeyFile].some((given) => given !== undefined);
  try {
    return readKey({ decodes: decodes !== false, decrypt, encryptKey, encryptKeyFile }, env);
  } catch (error) {
    if (decodes === 'perhaps' && !isSpokenOf && error instanceof XbstreamError) return undefined;
    throw error;
  }
}

/** What to do when a file is there already. @throws XbstreamError `XB_USAGE` */
export function existingFilePolicy(values: OptionValues): ExistingFilePolicy {
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

/**
 * Names in a list; a comma between backquotes belongs to a name.
 *
 * @param problem what is wrong with a list of none, `--OPTION` first
 * @throws XbstreamError `XB_USAGE`
 */
export function sqlNames(list: string, problem: string, example: string): string[] {
  const names = (list.match(/(?:`[^`]*`|[^,`])+/g) ?? []).map((name) => name.trim()).filter((name) => name !== '');
  if (names.length > 0) return names;
  throw usageError(`${problem}: "${list}"`, `as in: ${problem.split(' ', 1)[0]!} ${example}`);
}

/** Loaded where somebody asks: it takes longer than all else that reads a command line. */
const hashes = (): string[] => process.getBuiltinModule('node:crypto').getHashes();

const DIGESTS = 'among others there are: md5, sha1, sha256, sha512';

/** The digests asked for, each once, under the names that `node:crypto` knows them by. @throws XbstreamError `XB_USAGE` */
export function digestNames(values: OptionValues): string[] {
  const lists = values.all('digest');
  if (lists.length === 0) return [];
  const known = new Map(hashes().map((name) => [name.toLowerCase(), name]));
  const typed = lists.flatMap((list) => list.split(',')).map((name) => name.trim());
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
    DIGESTS,
  );
}

/** @throws XbstreamError `XB_USAGE` for digests that `node:crypto` does not know */
export function knownDigests(names: readonly string[] = []): readonly string[] {
  const known = new Set(hashes());
  const unknown = names.find((name) => !known.has(name));
  if (unknown === undefined) return names;
  throw new XbstreamError('XB_USAGE', `there is no digest "${unknown}"`, { hints: [DIGESTS] });
}

/** A time in seconds since 1970; one without a zone is in UTC: the same command gives the same tar everywhere. */
export function secondsOfText(text: string): number {
  const isIso = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?)?$/.test(text);
  const zoned = /^\d{4}-\d\d-\d\d[T ][\d:]+$/.test(text) ? `${text}Z` : text;
  const found = /^@\d+$/.test(text) ? Number(text.slice(1)) : isIso ? Date.parse(zoned.replace(' ', 'T')) / 1000 : NaN;
  // The 31st of February would be taken for a day in March.
  const day = text.slice(0, 10);
  const isDay = !isIso || new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
  if (isDay && found >= 0 && found <= MTIME_MAX_SECONDS) return found;
  throw usageError(
    `--mtime takes a time from 1970 to 2242, not "${text}"`,
    'as in: --mtime 2026-01-31T12:00:00Z, or in seconds since 1970: --mtime @1700000000',
  );
}

export function secondsOfDate(time: Date | undefined): number {
  const seconds = Math.floor((time?.getTime() ?? 0) / 1000);
  if (seconds >= 0 && seconds <= MTIME_MAX_SECONDS) return seconds;
  throw new XbstreamError('XB_USAGE', 'the option mtime must be a time from 1970 to 2242');
}

/** Which shard of the archive is meant; undefined where all of it is. */
export function shardChoice(values: OptionValues): ShardChoice | undefined {
  const typed = values.last('shard');
  return typed === undefined ? undefined : shardOf(typed);
}

/** More than any writer has threads. */
const PIPES_MAX = 1024;
/** What xbstream has. */
const PIPE_TIMEOUT_SECONDS = 60;

/** The named pipes to read from instead of stdin; undefined where none are asked for. @throws XbstreamError `XB_USAGE` */
export function namedPipes(values: OptionValues): NamedPipesChoice | undefined {
  const count = Number(values.last('fifo-streams') ?? 1);
  // As with xbstream, where the other two options mean nothing then.
  if (count === 1) return undefined;
  if (count > PIPES_MAX) throw usageError(`--fifo-streams takes at most ${PIPES_MAX}, not ${count}`);
  const directory = values.last('fifo-dir');
  if (directory === undefined) {
    throw usageError(
      `--fifo-streams=${count} needs --fifo-dir`,
      'the directory that was given to the writer: xtrabackup --fifo-streams=N --fifo-dir=DIR',
    );
  }
  if (values.has('digest')) {
    throw usageError(
      '--digest and --fifo-streams exclude each other',
      'the order in which parts come through several pipes is never the same twice',
    );
  }
  if (values.has('keep-going')) {
    throw usageError('--keep-going and --fifo-streams exclude each other', 'damage in one pipe ends the run');
  }
  return {
    kind: 'named-pipes',
    directory,
    count,
    timeoutSeconds: Number(values.last('fifo-timeout') ?? PIPE_TIMEOUT_SECONDS),
    allowEmpty: values.has('allow-empty'),
  };
}
