/**
 * Every option there is, once. The grammar, the parser, the help text and shell completion derive from this table.
 */
import { nonEmpty, oneOf, positiveNumber, sizeInBytes, wholeNumber, type ValueKind } from './value-kinds.js';

/** The ways to call the program: as xbstream (`-x`, `-c`), or by a verb. */
export type Form = 'xbstream' | 'extract' | 'list' | 'verify' | 'info' | 'cat' | 'create' | 'convert-to-tar';

/** Headings of the help text, in its order. */
export const OPTION_GROUPS = [
  'What to do',
  'Which files',
  'Where to',
  'Checking',
  'What is shown',
  'Threads and keys',
  'Compatibility',
] as const;
type OptionGroup = (typeof OPTION_GROUPS)[number];

export interface OptionDefinition {
  /** Letters that stand for it, the usual one first. */
  letters?: string;
  /** Other long names. */
  aliases?: readonly string[];
  /** The name of its value in help texts. An option without one is a flag. */
  value?: string;
  /** The value may be left out, and then never follows as a word of its own. */
  valueIsOptional?: boolean;
  /** What the value may be. */
  kind?: ValueKind;
  /** Given several times it adds up; of the others the last one counts. */
  addsUp?: boolean;
  forms: readonly Form[];
  /**
   * xbstream or mbstream has it. Among the options of their form, abbreviations mean these first: what was unique there
   * stays unique.
   */
  classic?: boolean;
  group: OptionGroup;
  help: string;
  /** The value is never shown anywhere. */
  secret?: boolean;
}

const ALL: readonly Form[] = ['xbstream', 'extract', 'list', 'verify', 'info', 'cat', 'create', 'convert-to-tar'];
const BOTH: readonly Form[] = ['xbstream', 'extract'];
/** Those that undo layers. */
const DECODING: readonly Form[] = ['xbstream', 'extract', 'verify', 'info', 'cat', 'convert-to-tar'];
const SELECTING: readonly Form[] = ['xbstream', 'extract', 'list', 'cat', 'convert-to-tar'];
/** Those that read an archive. */
const UNWRAPPING: readonly Form[] = [...DECODING, 'list'];
/** Those that read the whole archive, in a thread of its own. */
const READING: readonly Form[] = ['xbstream', 'extract', 'verify'];
/** Those that have threads to decode with. */
const THREADED: readonly Form[] = [...READING, 'convert-to-tar'];
/** Those that make one file of many. */
const MAKING: readonly Form[] = ['create', 'convert-to-tar'];
const CREATE: readonly Form[] = ['create'];
const TAR: readonly Form[] = ['convert-to-tar'];
const XBSTREAM: readonly Form[] = ['xbstream'];

const TABLE = {
  extract: { letters: 'x', forms: XBSTREAM, classic: true, group: 'What to do', help: 'unpack the archive on stdin' },
  create: {
    letters: 'c',
    forms: XBSTREAM,
    classic: true,
    group: 'What to do',
    help: 'write an archive of FILEs to stdout',
  },
  decompress: {
    forms: ['xbstream', 'extract', 'cat', 'convert-to-tar'],
    classic: true,
    group: 'What to do',
    help: 'decompress .qp, .lz4 and .zst files',
  },
  decrypt: {
    letters: 'd',
    value: 'ALGORITHM',
    kind: oneOf(['AES128', 'AES192', 'AES256', 'NONE'], true),
    forms: UNWRAPPING,
    classic: true,
    group: 'What to do',
    help: 'decrypt .xbcrypt files. Not needed with -k or -f: the length of a key says the cipher. NONE: decrypt nothing, whatever keys there are',
  },

  'no-decode-stream': {
    forms: UNWRAPPING,
    group: 'What to do',
    help: 'refuse an archive that is compressed or encrypted as a whole (gzip, zstd, lz4, bzip2, xz, qpress, xbcrypt), which else is undone on the way',
  },
  raw: {
    forms: ['cat'],
    group: 'What to do',
    help: 'as it is stored: decompress and decrypt nothing',
  },
  'from-tar': {
    value: 'FILE',
    valueIsOptional: true,
    kind: nonEmpty('a tar archive'),
    forms: CREATE,
    group: 'What to do',
    help: 'make the archive of the files in a tar archive; of the one on stdin without FILE',
  },
  sparse: {
    forms: MAKING,
    group: 'What to do',
    help: 'leave out blocks of zeros, as sparse chunks (which xbstream reads, and mbstream does not)',
  },
  'chunk-size': {
    value: 'SIZE',
    kind: sizeInBytes,
    forms: CREATE,
    group: 'What to do',
    help: 'most bytes of a file in a chunk, such as 512K or 1M (default: 10M)',
  },
  mtime: {
    value: 'TIME',
    kind: nonEmpty('a time, such as 2026-01-31T12:00:00Z or @1700000000'),
    forms: TAR,
    group: 'What to do',
    help: 'the time of all files, such as 2026-01-31T12:00:00Z or @1700000000 (default: @0)',
  },
  stream: {
    forms: TAR,
    group: 'What to do',
    help: 'write each file as soon as it is whole; fails where the archive corrects one that is written',
  },

  parts: {
    forms: ['extract', 'list', 'verify', 'info', 'cat', 'convert-to-tar'],
    group: 'Which files',
    help: 'all words that are no options are the parts of one archive, in their order (a directory: the files in it); files are chosen by --include',
  },
  'files-from': {
    letters: 'T',
    value: 'FILE',
    kind: nonEmpty('a file'),
    forms: CREATE,
    group: 'Which files',
    help: 'also the files named in FILE, one a line; - stands for stdin',
  },
  null: {
    letters: '0',
    forms: CREATE,
    group: 'Which files',
    help: 'names in --files-from end in NUL bytes, not lines',
  },
  include: {
    value: 'GLOB',
    kind: nonEmpty('a pattern of file names, such as "shop/*"'),
    addsUp: true,
    forms: SELECTING,
    group: 'Which files',
    help: 'only files that match, such as "shop/*"; may be repeated',
  },
  exclude: {
    value: 'GLOB',
    kind: nonEmpty('a pattern of file names, such as "shop/*"'),
    addsUp: true,
    forms: SELECTING,
    group: 'Which files',
    help: 'leave out files that match, even those included; may be repeated',
  },
  tables: {
    value: 'DB.TABLE,...',
    kind: nonEmpty('names of tables, such as shop.orders'),
    addsUp: true,
    forms: SELECTING,
    group: 'Which files',
    help: 'the files of these tables (DB.* for all of a database), and all that a prepare needs',
  },
  databases: {
    value: 'DB,...',
    kind: nonEmpty('names of databases, such as shop'),
    addsUp: true,
    forms: SELECTING,
    group: 'Which files',
    help: 'the files of these databases, and all that a prepare needs',
  },

  directory: {
    letters: 'C',
    value: 'DIR',
    kind: nonEmpty('a directory'),
    forms: [...BOTH, 'create'],
    classic: true,
    group: 'Where to',
    help: 'unpack into DIR instead of the current directory',
  },
  output: {
    letters: 'o',
    value: 'FILE',
    kind: nonEmpty('a file'),
    forms: MAKING,
    group: 'Where to',
    help: 'write to FILE instead of stdout; it gets its name when it is whole',
  },
  compress: {
    value: 'FORMAT',
    kind: oneOf(['gzip', 'zstd', 'lz4', 'none']),
    forms: MAKING,
    group: 'Where to',
    help: 'compress all of it as gzip, zstd or lz4 (default: by the ending of FILE: .gz, .zst, .lz4), or not (none)',
  },
  'tmp-dir': {
    value: 'DIR',
    kind: nonEmpty('a directory'),
    forms: TAR,
    group: 'Where to',
    help: 'where files wait that come from a pipe (default: TMPDIR, or /tmp)',
  },
  overwrite: {
    forms: [...BOTH, 'verify', ...MAKING],
    group: 'Where to',
    help: 'replace files that are there; each old file stays until the new one is whole',
  },
  'skip-existing': {
    value: 'verify',
    valueIsOptional: true,
    kind: oneOf(['verify']),
    forms: BOTH,
    group: 'Where to',
    help: 'keep files that are there if their size (with =verify: their content) is that of the archive',
  },
  'strip-components': {
    value: 'N',
    kind: wholeNumber,
    forms: BOTH,
    group: 'Where to',
    help: 'drop the first N directories of each name',
  },
  'dry-run': {
    forms: BOTH,
    group: 'Where to',
    help: 'write nothing: say what would be written and what space is free',
  },
  fsync: { forms: BOTH, group: 'Where to', help: 'have each file on the disk before it gets its final name' },
  chown: {
    value: 'USER[:GROUP]',
    kind: nonEmpty('a user, a group, or both, such as mysql:mysql'),
    forms: BOTH,
    group: 'Where to',
    help: 'give the files, and directories that are made, to USER and GROUP, such as mysql:mysql; takes root',
  },
  'keep-going': {
    forms: BOTH,
    group: 'Where to',
    help: 'after damage go on with the next chunk that makes sense, and save every file that is whole',
  },
  'remove-partial': {
    forms: BOTH,
    group: 'Where to',
    help: 'after a failure remove the unfinished files of this run',
  },
  'allow-symlinks': { forms: BOTH, group: 'Where to', help: 'follow symbolic links inside the target directory' },
  'absolute-names': {
    letters: 'P',
    forms: ALL,
    classic: true,
    group: 'Where to',
    help: 'allow stored names that begin with /',
  },

  digest: {
    value: 'NAME[,NAME...]',
    kind: nonEmpty('names of digests, such as sha256'),
    addsUp: true,
    forms: READING,
    group: 'Checking',
    help: 'also print the digest of the archive as it was read (md5, sha1, sha256, ...)',
  },
  manifest: {
    value: 'FILE',
    kind: nonEmpty('a file'),
    forms: READING,
    group: 'Checking',
    help: 'write to FILE what "sha256sum -c" needs to check the files',
  },
  'allow-empty': {
    forms: ['xbstream', 'extract', 'create', 'list', 'verify', 'info', 'cat', 'convert-to-tar'],
    group: 'Checking',
    help: 'take an empty input for an archive without files',
  },

  deep: {
    forms: ['verify'],
    group: 'Checking',
    help: 'also decompress and decrypt every file, and check all that is inside',
  },
  backup: {
    value: 'WHEN',
    valueIsOptional: true,
    kind: oneOf(['auto', 'always', 'never']),
    forms: [...READING, 'info', ...MAKING],
    group: 'Checking',
    help: 'it must be a finished backup, with xtrabackup_info, which backup programs write last: auto (where it looks like one), always (also without WHEN) or never',
  },
  format: {
    value: 'FORMAT',
    kind: oneOf(['text', 'json', 'github', 'junit']),
    forms: ['verify'],
    group: 'What is shown',
    help: 'text, json, github (annotations of a workflow) or junit (a report for CI)',
  },
  sort: {
    value: 'BY',
    kind: oneOf(['archive', 'size', 'name']),
    forms: ['list'],
    group: 'What is shown',
    help: 'archive (the order in it), size or name',
  },
  bytes: { forms: ['list'], group: 'What is shown', help: 'sizes in bytes, also on a terminal' },
  json: {
    forms: ['extract', 'list', 'verify', 'info', ...MAKING],
    group: 'What is shown',
    help: 'print JSON lines on stdout, for programs',
  },
  verbose: {
    letters: 'v',
    forms: ALL,
    classic: true,
    group: 'What is shown',
    help: 'name each file, or tell more of it',
  },
  quiet: { letters: 'q', forms: ALL, group: 'What is shown', help: 'print only warnings and errors' },
  progress: {
    value: 'WHEN',
    kind: oneOf(['auto', 'always', 'never']),
    forms: ALL,
    group: 'What is shown',
    help: 'auto (on a terminal), always or never',
  },
  color: {
    aliases: ['colour'],
    value: 'WHEN',
    kind: oneOf(['auto', 'always', 'never']),
    forms: ALL,
    group: 'What is shown',
    help: 'auto (on a terminal, unless NO_COLOR is set), always or never',
  },
  help: { letters: 'h?', forms: ALL, classic: true, group: 'What is shown', help: 'show this help' },
  version: { letters: 'V', forms: ALL, classic: true, group: 'What is shown', help: 'show the version' },

  parallel: {
    letters: 'p',
    value: 'N',
    // 0 is 1: half of one core is what scripts work out, and the C programs take it.
    kind: wholeNumber,
    forms: THREADED,
    classic: true,
    group: 'Threads and keys',
    help: 'use at most N threads',
  },
  'decompress-threads': {
    value: 'N',
    kind: positiveNumber,
    forms: THREADED,
    classic: true,
    group: 'Threads and keys',
    help: 'use at most N threads for decompression',
  },
  'encrypt-threads': {
    value: 'N',
    kind: positiveNumber,
    forms: THREADED,
    classic: true,
    group: 'Threads and keys',
    help: 'use at most N threads for decryption; of both the smaller number counts',
  },
  'encrypt-key': {
    letters: 'k',
    value: 'KEY',
    kind: nonEmpty('a key'),
    forms: UNWRAPPING,
    classic: true,
    group: 'Threads and keys',
    help: 'decrypt .xbcrypt files with KEY; taken off the process list at once',
    secret: true,
  },
  'encrypt-key-file': {
    letters: 'f',
    value: 'FILE',
    kind: nonEmpty('a file'),
    forms: UNWRAPPING,
    classic: true,
    group: 'Threads and keys',
    help: 'decrypt .xbcrypt files with the key in FILE. The variable XBCRYPT_ENCRYPTION_KEY gives one where no option does, but one asks for decoding',
  },
  'allow-encrypted': {
    forms: THREADED,
    group: 'Threads and keys',
    help: 'with --decompress and no key: encrypted files may stay as they are',
  },
  'remove-original': {
    forms: XBSTREAM,
    group: 'Compatibility',
    help: 'accepted, for it is always so: of a file that is decoded on the way the encoded one is not there',
  },
  'fifo-streams': {
    value: 'N',
    kind: positiveNumber,
    forms: XBSTREAM,
    classic: true,
    group: 'Compatibility',
    help: 'unpack what comes through N named pipes (thread_0, thread_1, ...), not stdin; 1 means stdin',
  },
  'fifo-dir': {
    value: 'DIR',
    kind: nonEmpty('a directory'),
    forms: XBSTREAM,
    classic: true,
    group: 'Compatibility',
    help: 'where these named pipes are',
  },
  'fifo-timeout': {
    value: 'SECONDS',
    kind: wholeNumber,
    forms: XBSTREAM,
    classic: true,
    group: 'Compatibility',
    help: 'how long to wait for whoever writes to them; 60 without it',
  },
} as const satisfies Record<string, OptionDefinition>;

export type OptionName = keyof typeof TABLE;

/** The table, in the order of the help text. */
export const OPTIONS: Readonly<Record<OptionName, OptionDefinition>> = TABLE;

const NAMES = Object.keys(TABLE) as OptionName[];

const KEY_FILE_OR_VARIABLE =
  'decrypt .xbcrypt files with the key in FILE. The variable XBCRYPT_ENCRYPTION_KEY gives one where no option does';

/** What an option means where that is not what its definition says. */
const MEANINGS: Readonly<Partial<Record<Form, Partial<Record<OptionName, string>>>>> = {
  xbstream: {
    directory: 'unpack into DIR (with -c: look for FILEs there) instead of the current directory',
  },
  verify: {
    'encrypt-key-file': KEY_FILE_OR_VARIABLE,
    'allow-encrypted': 'with --deep and no key: encrypted files need not be looked into',
    overwrite: 'replace FILE of --manifest when the new one is whole',
  },
  list: {
    decrypt: 'the cipher of an archive that is encrypted as a whole; not needed, the length of a key says it',
    'encrypt-key': 'decrypt an archive that is encrypted as a whole with KEY; taken off the process list at once',
    'encrypt-key-file':
      'decrypt an archive that is encrypted as a whole with the key in FILE. The variable XBCRYPT_ENCRYPTION_KEY gives one where no option does',
  },
  info: { 'encrypt-key-file': KEY_FILE_OR_VARIABLE },
  cat: {
    'encrypt-key-file': KEY_FILE_OR_VARIABLE,
    decompress: 'decompress .qp, .lz4 and .zst files also where they were asked for by these names',
  },
  create: {
    directory: 'look for FILEs in DIR instead of the current directory',
    overwrite: 'replace FILE of --output when the new one is whole',
    'absolute-names': 'keep leading slashes, and what stands before ".."',
    'allow-empty': 'make an archive without files where there are none',
    backup:
      'with --from-tar: it must hold a finished backup, with xtrabackup_info: auto (where it looks like one), always (also without WHEN) or never',
  },
  'convert-to-tar': {
    include: 'convert only files that match, such as "shop/*"; may be repeated',
    overwrite: 'replace FILE of --output when the new one is whole',
    sparse: 'keep holes, as GNU tar does (GNU sparse 1.0), instead of writing zeros',
  },
};

/** The options of a form, by name. */
export function optionsOf(form: Form): Map<OptionName, OptionDefinition> {
  const names = NAMES.filter((name) => OPTIONS[name].forms.includes(form));
  return new Map(
    names.map((name) => {
      const meaning = MEANINGS[form]?.[name];
      return [name, meaning === undefined ? OPTIONS[name] : { ...OPTIONS[name], help: meaning }];
    }),
  );
}
