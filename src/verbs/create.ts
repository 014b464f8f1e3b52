/** `create`: makes an archive of files, byte for byte what the C tools write for them. */
import type { BackupChoice } from '../backup/backup-state.js';
import type { StoredPath } from '../format/stored-path.js';
import { looksLikeAddress, shownWord } from '../input/address/address.js';
import type { InputChoice } from '../input/open-source.js';
import type { OutputChoice } from '../output/archive-target.js';
import { making, type MakeTotals } from './make/making.js';
import { madeOutput, otherInput } from './options/inputs.js';
import { pick, reworded, type Told } from './options/option.js';
import { COMMON, OPTIONS, OVERWRITE_MADE } from './options/table.js';
import { usageError } from './options/usage-error.js';
import { assertExact, rawWords } from './options/raw-words.js';
import { work } from './threads/start.js';
import { defineVerb, type CallSurroundings, type CallWords } from './verb.js';

const CALL = 'tsxbstream create';

export const CREATE_OPTIONS = {
  ...pick(OPTIONS, 'sparse', 'chunkBytes', 'json', 'fromTar', 'filesFrom', 'nullSeparated', 'output', 'compress'),
  ...pick(OPTIONS, ...COMMON),
  directory: reworded(OPTIONS.directory, { directory: 'look for FILEs in DIR, not the current directory' }),
  /** Keep leading slashes, and what stands before `..`, in names. Default: they are cut off. */
  absoluteNames: reworded(OPTIONS.absoluteNames, {
    'absolute-names': 'keep leading slashes, and what stands before ".."',
  }),
  overwrite: OVERWRITE_MADE,
  /** Make an archive without files where there are none. Default: that is an error, `XB_EMPTY_ARCHIVE`. */
  allowEmpty: reworded(OPTIONS.allowEmpty, {
    'allow-empty': 'make an archive without files where there are none',
  }),
  backup: reworded(OPTIONS.backup, {
    backup:
      'with --from-tar: it must hold a finished backup, with xtrabackup_info: auto (where it looks like one), always (also without WHEN) or never',
  }),
};

/** Files that a new archive is made of. */
export interface FilesSource {
  kind: 'files';
  /** Files, and where `recurse` is set directories, in the order wanted. */
  paths: readonly StoredPath[];
  /** More of them, out of a list. */
  list?: { input: InputChoice; nullSeparated: boolean } | undefined;
  /** What relative paths are relative to. */
  directory: string;
  /** Take directories with all that is in them, and give every name its plain form. */
  recurse: boolean;
}

/** What a new archive is made of. */
export type CreateSource =
  | FilesSource
  /** With `backup`: whether the tar must hold a finished backup. */
  | { kind: 'tar'; input: InputChoice; backup: BackupChoice };

/** Everything the making of an archive can be told. */
export interface CreateOptions extends Omit<Told<typeof CREATE_OPTIONS>, 'output'> {
  source: CreateSource;
  /** The tar archive, where it is made of one. */
  input?: InputChoice;
  output: OutputChoice;
}

/** @param recurse of directories all that is in them is taken */
export function readCreate(
  options: Told<typeof CREATE_OPTIONS>,
  words: CallWords,
  surroundings: CallSurroundings,
  recurse = true,
): CreateOptions {
  if (options.nullSeparated && options.filesFrom === undefined) {
    throw usageError('-0 says how names end in a list, and there is no list', 'give one: --files-from FILE');
  }
  const source =
    options.fromTar === undefined
      ? filesSource(options, words, surroundings, recurse)
      : tarSource(options.fromTar, options.backup, words, surroundings);
  const output = madeOutput(options, `${CALL} FILE...`, 'ARCHIVE', surroundings.isTerminal);
  return { ...options, ...(source.kind === 'tar' ? { input: source.input } : {}), source, output };
}

export const PACK = work<CreateOptions, MakeTotals>('pack');

export const create = defineVerb({
  call: CALL,
  usage: ['tsxbstream create [options] FILE...', 'tsxbstream create [options] --from-tar[=FILE]'],
  summary: 'make an archive of files, directories or a tar archive',
  description: [
    'Writes an archive of FILEs to stdout, or to the file that -o names. Of a directory all files are taken, in the order of their names. An archive holds names and contents, nothing else: no modes, owners, times, links or empty directories.',
    'A file that changes or vanishes while it is read is an error. What is written to stdout is then broken off inside a chunk, so that no reader takes it for whole; the file of -o never gets its name.',
  ],
  examples: [
    { command: 'tsxbstream create -C /srv/data . -o full.xbstream', purpose: 'everything in a directory' },
    {
      command: "find . -name '*.ibd' -print0 | tsxbstream create -0T - > tables.xbstream",
      purpose: 'the files that another program names',
    },
    {
      command: 'zstd -dc old.tar.zst | tsxbstream create --from-tar > old.xbstream',
      purpose: 'from a tar archive, without unpacking it',
    },
  ],
  options: CREATE_OPTIONS,
  read: (options, words, surroundings) => readCreate(options, words, surroundings),
  ...making(PACK),
});

function filesSource(
  { filesFrom, nullSeparated, directory = '.' }: Told<typeof CREATE_OPTIONS>,
  { values, operands }: CallWords,
  { typed, isTerminal }: CallSurroundings,
  recurse: boolean,
): CreateSource {
  if (values.has('backup')) {
    throw usageError('--backup judges a tar archive, and files are packed as they are named', 'leave it out');
  }
  if (operands.length === 0 && filesFrom === undefined) {
    throw usageError('no files are named', 'name them: tsxbstream create FILE... -o ARCHIVE');
  }
  const list =
    filesFrom === undefined
      ? undefined
      : { input: otherInput(filesFrom, 'a list of names', isTerminal), nullSeparated };
  const address = operands.find(looksLikeAddress);
  if (address !== undefined) {
    throw usageError(`an archive is made of files, and ${shownWord(address)} is an address`);
  }
  return { kind: 'files', paths: rawWords(operands, typed), list, directory, recurse };
}

/** @param named empty where the value was left out */
function tarSource(
  named: string,
  backup: BackupChoice,
  { values, operands }: CallWords,
  { typed, isTerminal }: CallSurroundings,
): CreateSource {
  const [operand, ...more] = operands;
  // Its value may be left out, so that a word after it is an operand: the tar archive it surely is.
  if (more.length > 0 || (operand !== undefined && named !== '')) {
    throw usageError('--from-tar takes one tar archive, and no files beside it', `${CALL} --from-tar=FILE`);
  }
  for (const name of ['files-from', 'directory'] as const) {
    if (values.has(name)) throw usageError(`--from-tar and --${name} exclude each other`, 'leave out one of them');
  }
  if (operand !== undefined) assertExact('the name of the tar archive', operand, typed);
  const input = otherInput(named === '' ? (operand ?? '-') : named, 'a tar archive', isTerminal);
  return { kind: 'tar', input, backup };
}
