import { DEFAULT_CHUNK_BYTES, type CreateOptions, type CreateSource } from '../engine/create-options.js';
import type { InputChoice } from '../input/open-source.js';
import type { OutputChoice } from '../output/archive-target.js';
import { compressionOf, type Compression } from '../output/compression.js';
import type { OptionValues } from './option-values.js';
import type { Form } from './options.js';
import { rawWords } from './raw-words.js';
import { backupChoice, type CallSurroundings } from './shared-arguments.js';
import { usageError } from './usage-error.js';
import { bytesOfSize } from './value-kinds.js';

const STDIN = 0;
const STDOUT = 1;

/**
 * What the making of an archive is told to do.
 *
 * @param operands the files
 * @throws XbstreamError `XB_USAGE`
 */
export function createOptions(
  values: OptionValues,
  operands: readonly string[],
  form: Form,
  surroundings: CallSurroundings,
): CreateOptions {
  const source = values.has('from-tar')
    ? tarSource(values, operands, surroundings)
    : filesSource(values, operands, form, surroundings);
  const chunkSize = values.last('chunk-size');
  return {
    source,
    output: outputChoice(values, 'create FILE...', 'ARCHIVE', surroundings),
    absoluteNames: values.has('absolute-names'),
    sparse: values.has('sparse'),
    allowEmpty: values.has('allow-empty'),
    chunkBytes: chunkSize === undefined ? DEFAULT_CHUNK_BYTES : bytesOfSize(chunkSize),
  };
}

/**
 * Where a verb that makes one file writes it.
 *
 * @param call what was called, for hints
 * @param what the name of the file, for hints
 * @throws XbstreamError `XB_USAGE` for a terminal
 */
export function outputChoice(
  values: OptionValues,
  call: string,
  what: string,
  { isTerminal }: CallSurroundings,
): OutputChoice {
  const path = values.last('output');
  const compression = compressionChoice(values);
  if (path !== undefined && path !== '-') {
    return { kind: 'path', path, overwrite: values.has('overwrite'), ...compression };
  }
  if (values.has('json')) {
    throw usageError('--json and what is made cannot both go to stdout', `name a file for it: -o ${what}`);
  }
  if (isTerminal(STDOUT)) {
    throw usageError(
      'stdout is a terminal, and what is made is no text',
      `into a file: tsxbstream ${call} -o ${what}`,
      `into a pipe: tsxbstream ${call} | ...`,
    );
  }
  return { kind: 'descriptor', fd: STDOUT, ...compression };
}

/** By name, or by the ending of the file that is made. */
function compressionChoice(values: OptionValues): { compression?: Compression } {
  const named = values.last('compress');
  const compression =
    named === undefined ? compressionOf(values.last('output') ?? '') : (named as Compression | 'none');
  return compression === undefined || compression === 'none' ? {} : { compression };
}

function filesSource(
  values: OptionValues,
  operands: readonly string[],
  form: Form,
  { argv, isTerminal }: CallSurroundings,
): CreateSource {
  const list = values.last('files-from');
  if (values.has('null') && list === undefined) {
    throw usageError('-0 says how names end in a list, and there is no list', 'give one: --files-from FILE');
  }
  if (values.has('backup')) {
    throw usageError('--backup judges a tar archive, and files are packed as they are named', 'leave it out');
  }
  if (operands.length === 0 && list === undefined) {
    throw usageError('no files are named', 'name them: tsxbstream create FILE... -o ARCHIVE');
  }
  return {
    kind: 'files',
    paths: rawWords(operands, argv),
    list:
      list === undefined
        ? undefined
        : { input: inputChoice(list, 'a list of names', isTerminal), nullSeparated: values.has('null') },
    directory: values.last('directory') ?? '.',
    recurse: form !== 'xbstream',
  };
}

function tarSource(values: OptionValues, operands: readonly string[], { isTerminal }: CallSurroundings): CreateSource {
  const [operand, ...more] = operands;
  const named = values.last('from-tar') ?? '';
  // Its value may be left out, so that a word after it is an operand: the tar archive it surely is.
  if (more.length > 0 || (operand !== undefined && named !== '')) {
    throw usageError('--from-tar takes one tar archive, and no files beside it', 'tsxbstream create --from-tar=FILE');
  }
  for (const name of ['files-from', 'directory'] as const) {
    if (values.has(name)) throw usageError(`--from-tar and --${name} exclude each other`, 'leave out one of them');
  }
  const input = inputChoice(named === '' ? (operand ?? '-') : named, 'a tar archive', isTerminal);
  return { kind: 'tar', input, backup: backupChoice(values) };
}

function inputChoice(name: string, what: string, isTerminal: (fd: number) => boolean): InputChoice {
  if (name !== '-') return { kind: 'path', path: name };
  if (isTerminal(STDIN)) throw usageError(`stdin is a terminal, and ${what} is expected there`, 'use a pipe or a file');
  return { kind: 'descriptor', fd: STDIN };
}
