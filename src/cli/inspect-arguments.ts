import type { CatOptions } from '../commands/cat-options.js';
import type { InfoOptions } from '../commands/info-options.js';
import type { ListOptions } from '../commands/list-options.js';
import type { VerifyOptions } from '../engine/verify-options.js';
import type { ListChoices, VerifyChoices, VerifyFormat } from '../ui/make-inspect-reporter.js';
import { archiveOperands } from './archive-operands.js';
import type { OptionValues } from './option-values.js';
import {
  backupChoice,
  commonChoices,
  decodingChoices,
  digestNames,
  inputChoice,
  keyChoice,
  selectionOptions,
  type CallSurroundings,
} from './shared-arguments.js';
import { usageError } from './usage-error.js';

/** @throws XbstreamError `XB_USAGE` */
export function listOptions(
  values: OptionValues,
  operands: readonly string[],
  { isTerminal }: CallSurroundings,
): ListOptions {
  const { archive, patterns } = archiveOperands(values, operands, 'list');
  return {
    input: inputChoice(archive, operands, 'list', isTerminal),
    selection: selectionOptions(values, patterns),
    sort: (values.last('sort') ?? 'archive') as ListOptions['sort'],
    absoluteNames: values.has('absolute-names'),
    allowEmpty: values.has('allow-empty'),
  };
}

export function listChoices(values: OptionValues): ListChoices {
  return { ...commonChoices(values), bytes: values.has('bytes') };
}

/** What asks for decoding, whatever a file is called. */
const DECODING_OPTIONS = ['decompress', 'decrypt', 'encrypt-key', 'encrypt-key-file'] as const;
const DEEP_ONLY = ['encrypt-key', 'encrypt-key-file', 'decrypt', 'allow-encrypted'] as const;

/** @throws XbstreamError `XB_USAGE`, and what reading a key throws */
export function verifyOptions(
  values: OptionValues,
  operands: readonly string[],
  { isTerminal, env }: CallSurroundings,
): VerifyOptions {
  const deep = values.has('deep');
  const idle = deep ? undefined : DEEP_ONLY.find((name) => values.has(name));
  if (idle !== undefined) {
    throw usageError(
      `--${idle} is of use only with --deep`,
      'add --deep to look inside of compressed and encrypted files',
    );
  }
  return {
    input: inputChoice(archiveOperands(values, operands, 'verify').archive, operands, 'verify', isTerminal),
    deep,
    backup: backupChoice(values),
    ...decodingChoices(values, env, deep),
    encrypted: values.has('allow-encrypted') ? 'allow' : 'refuse',
    absoluteNames: values.has('absolute-names'),
    allowEmpty: values.has('allow-empty'),
    digests: digestNames(values.all('digest')),
    manifest: values.last('manifest'),
    overwrite: values.has('overwrite'),
  };
}

/** @throws XbstreamError `XB_USAGE` */
export function verifyChoices(values: OptionValues): VerifyChoices {
  const format = values.last('format') as VerifyFormat | undefined;
  if (values.has('json') && format !== undefined && format !== 'json') {
    throw usageError(`--json and --format=${format} exclude each other`, 'leave out one of them');
  }
  return { ...commonChoices(values), format: format ?? (values.has('json') ? 'json' : 'text') };
}

/** @throws XbstreamError `XB_USAGE`, and what reading a key throws */
export function infoOptions(
  values: OptionValues,
  operands: readonly string[],
  { isTerminal, env }: CallSurroundings,
): InfoOptions {
  return {
    input: inputChoice(archiveOperands(values, operands, 'info').archive, operands, 'info', isTerminal),
    key: keyChoice(values, env, true),
    absoluteNames: values.has('absolute-names'),
    allowEmpty: values.has('allow-empty'),
    backup: backupChoice(values),
  };
}

/** @throws XbstreamError `XB_USAGE`, and what reading a key throws */
export function catOptions(
  values: OptionValues,
  operands: readonly string[],
  { isTerminal, env }: CallSurroundings,
): CatOptions {
  const { archive, patterns } = archiveOperands(values, operands, 'cat');
  const selection = selectionOptions(values, []);
  if (patterns.length + selection.include.length + selection.tables.length + selection.databases.length === 0) {
    throw usageError(
      'it is not said which file to write',
      'as in: tsxbstream cat ARCHIVE xtrabackup_info',
      'the names in it: tsxbstream list ARCHIVE',
    );
  }
  const raw = values.has('raw');
  const asked = DECODING_OPTIONS.find((name) => values.has(name));
  if (raw && asked !== undefined) {
    throw usageError(`--raw and --${asked} exclude each other`, '--raw gives what is stored: leave out one of them');
  }
  return {
    input: inputChoice(archive, operands, 'cat', isTerminal),
    patterns,
    selection: { ...selection, tablesAlone: true },
    undo: { decompress: values.has('decompress'), decrypt: asked !== undefined && !isDecryptionOff(values) },
    raw,
    key: keyChoice(values, env, !raw),
    absoluteNames: values.has('absolute-names'),
    allowEmpty: values.has('allow-empty'),
  };
}

function isDecryptionOff(values: OptionValues): boolean {
  return values.last('decrypt')?.toUpperCase() === 'NONE';
}
