/**
 * Every option there is, once. The grammar, the parser, help texts, manual pages, shell completion, and what the functions of
 * the library take derive from this table; a verb says which of them it has.
 *
 * Their order is that of help texts, group by group. The comments are what a program is told of them.
 */
import { tmpdir } from 'node:os';
import type { BackupChoice } from '../../backup/backup-state.js';
import type { DecryptionKey } from '../../codec/codec.js';
import { keyFromBytes } from '../../codec/xbcrypt/key.js';
import { XbstreamError } from '../../errors.js';
import type { Compression } from '../../output/compression.js';
import type { ExistingFilePolicy } from '../../output/output.js';
import type { Owner } from '../../output/directory/owner.js';
import type { VerifyFormat } from '../../ui/make-inspect-reporter.js';
import {
  choice,
  count,
  flag,
  OPTION_GROUPS,
  reworded,
  text,
  texts,
  typedChoice,
  typedFlag,
  typedText,
  type Option,
  type OptionDefinition,
  type OptionTable,
  type TypedOption,
} from './option.js';
import type { OptionValues } from './option-values.js';
import { ownerOf } from './owner.js';
import {
  backupChoice,
  digestNames,
  existingFilePolicy,
  keyOfWords,
  knownDigests,
  namedPipes,
  secondsOfDate,
  secondsOfText,
  shardChoice,
  sqlNames,
} from './readers.js';
import {
  bytesOfSize,
  directory,
  namedFile,
  nonEmpty,
  oneOf,
  pathOrAddress,
  pattern,
  positiveNumber,
  shardKind,
  sizeInBytes,
  wholeNumber,
} from './value-kinds.js';

/** What the C tools put into a chunk, in bytes. */
const DEFAULT_CHUNK_BYTES = 10 * 1024 * 1024;
/** As large as a chunk may be made, in bytes. */
const CHUNK_BYTES_MAX = 2 ** 30;

const PATTERN = pattern('a pattern of file names, such as "shop/*"');

const OVERWRITE: OptionDefinition = {
  group: 'Where to',
  help: 'replace files that are there; each old file stays until the new one is whole',
  usual: 'replace files that are there',
};

/**
 * The option for the key that decrypts.
 *
 * @param decodes whether files are to be decoded, whatever is said of keys; see {@link keyOfWords}
 */
export function keyOption(
  decodes: (values: OptionValues) => boolean | 'perhaps',
): Option<DecryptionKey | undefined, Uint8Array | string> {
  return {
    words: {
      decrypt: {
        letters: 'd',
        value: 'ALGORITHM',
        kind: oneOf(['AES128', 'AES192', 'AES256', 'NONE'], true),
        classic: true,
        group: 'What to do',
        help: 'decrypt .xbcrypt files. Not needed with -k or -f: the length of a key says the cipher. NONE: decrypt nothing, whatever keys there are',
      },
      'encrypt-key': {
        letters: 'k',
        value: 'KEY',
        kind: nonEmpty('a key'),
        classic: true,
        group: 'Threads and keys',
        help: 'decrypt .xbcrypt files with KEY; taken off the process list at once',
        secret: true,
      },
      'encrypt-key-file': {
        letters: 'f',
        value: 'FILE',
        kind: namedFile,
        classic: true,
        group: 'Threads and keys',
        help: 'decrypt .xbcrypt files with the key in FILE. The variable XBCRYPT_ENCRYPTION_KEY gives one where no option does, but one asks for decoding',
        usual: 'decrypt with the key in FILE',
      },
    },
    read: (values, env) => keyOfWords(values, env, decodes(values)),
    program: {
      kind: 'key',
      take: (given) =>
        given === undefined ? undefined : keyFromBytes(typeof given === 'string' ? Buffer.from(given) : given),
    },
  };
}

/** What a key file is to a verb that always decodes. */
export const KEY_FILE_OR_VARIABLE = {
  'encrypt-key-file':
    'decrypt .xbcrypt files with the key in FILE. The variable XBCRYPT_ENCRYPTION_KEY gives one where no option does',
};

/** What is said to be done by an option, in the form of xbstream. */
export type Mode = 'extract' | 'create';

export const OPTIONS = {
  extractMode: typedFlag('extract' satisfies Mode, {
    letters: 'x',
    classic: true,
    group: 'What to do',
    help: 'unpack the archive on stdin',
    usual: true,
  }),
  createMode: typedFlag('create' satisfies Mode, {
    letters: 'c',
    classic: true,
    group: 'What to do',
    help: 'write an archive of FILEs to stdout',
    usual: true,
  }),

  /** Undo compression, by the stored names' suffixes. Default: false. (Encryption is undone where a `key` is given.) */
  decompress: flag('decompress', {
    classic: true,
    group: 'What to do',
    help: 'decompress .qp, .lz4 and .zst files',
    usual: true,
  }),
  /** The most threads to use. Default: as many as help. */
  parallel: count('parallel', {
    letters: 'p',
    value: 'N',
    // 0 is 1: half of one core is what scripts work out, and the C programs take it.
    kind: wholeNumber,
    classic: true,
    group: 'Threads and keys',
    help: 'use at most N threads',
  }),
  /** The most threads to decompress with. Default: as `decryptThreads`, else as `parallel`. */
  decompressThreads: count('decompress-threads', {
    value: 'N',
    kind: positiveNumber,
    classic: true,
    group: 'Threads and keys',
    help: 'use at most N threads for decompression',
  }),
  /** The most threads to decrypt with. The same threads decompress, so that the smaller of both numbers counts. Default: as `decompressThreads`, else as `parallel`. */
  decryptThreads: count('encrypt-threads', {
    value: 'N',
    kind: positiveNumber,
    classic: true,
    group: 'Threads and keys',
    help: 'use at most N threads for decryption; of both the smaller number counts',
  }),
  /**
   * The key of encrypted files: 16, 24 or 32 bytes (a string stands for its UTF-8 bytes), for AES-128, AES-192 or AES-256.
   * Any other number is an error, `XB_BAD_KEY`.
   */
  key: keyOption((values) => values.has('decompress') || values.has('deep')),
  /**
   * Without a `key`, where files are to be decompressed or looked into: take encrypted ones as they are stored. Default: they
   * are an error, `XB_KEY_REQUIRED`.
   */
  allowEncrypted: flag('allow-encrypted', {
    group: 'Threads and keys',
    help: 'with --decompress and no key: encrypted files may stay as they are',
  }),
  /**
   * Undo what the archive is wrapped in as a whole: gzip, zstd, lz4, bzip2, xz, qpress, xbcrypt (with a `key`). Default: true;
   * without it such an input is an error, `XB_BAD_MAGIC`.
   */
  decodeStream: decodeStreamOption(),
  /** Return files as they are stored, even where one is asked for by the name it has when it is decoded. Default: false. */
  raw: flag('raw', { group: 'What to do', help: 'as it is stored: decompress and decrypt nothing' }),
  /**
   * Fail when nothing has come for this many seconds from an input that is waited for: a pipe, a stream, a server. Default: wait
   * for ever; 30 seconds for a server, which is then asked again a few times.
   */
  timeout: count('timeout', {
    value: 'SECONDS',
    kind: positiveNumber,
    group: 'Checking',
    help: 'fail when nothing has come for so long: from a pipe (default: wait for ever), or a server (default: 30 s; it is asked again a few times)',
  }),
  /**
   * The path of an index of the archive that `makeIndex` or `verify` made. Headers are read from it, and of the archive, which
   * must be readable by position, only what is needed. Default: none.
   */
  index: text('index', {
    value: 'FILE',
    kind: namedFile,
    group: 'What to do',
    help: 'know from FILE what lies where, an index that "tsxbstream index" or "verify --index" made; of the archive only what is needed is read',
  }),
  /** The path to write an index of the archive to, by which other calls find what they need in it. Written only if the archive is whole. */
  madeIndex: text('index', {
    value: 'FILE',
    kind: namedFile,
    group: 'What to do',
    help: 'write to FILE an index of the archive, by which list, info, cat and extract read only what they need of it',
  }),
  /** The path to write a description of the backup to, as a line of JSON. */
  info: text('info', {
    value: 'FILE',
    kind: namedFile,
    group: 'What to do',
    help: 'write to FILE what backup it is, as "info --json" prints it',
  }),
  tee: typedFlag('tee', {
    group: 'What to do',
    help: 'pass the archive on to stdout, unchanged, while it is verified',
  }),
  fromTar: typedText('from-tar', {
    value: 'FILE',
    valueIsOptional: true,
    kind: pathOrAddress('a tar archive'),
    once: true,
    group: 'What to do',
    help: 'make the archive of the files in a tar archive; of the one on stdin without FILE',
    usual: 'make it of the files in a tar archive',
  }),
  /** Leave out aligned blocks of zeros (Percona's sparse chunks; mbstream does not read them). Default: false. */
  sparse: flag('sparse', {
    group: 'What to do',
    help: 'leave out blocks of zeros, as sparse chunks (which xbstream reads, and mbstream does not)',
  }),
  /** The most bytes of a file in one chunk, up to 1 GiB. Default: 10 MiB, as in the C programs. */
  chunkBytes: chunkBytesOption(),
  /** The modification time of all files, from 1970 to 2242. Default: the beginning of 1970, so that the same archive gives the same tar. */
  mtime: mtimeOption(),
  /** If the input is a stream, write each file as soon as it is whole; a later correction of it is an error. Default: false. */
  stream: flag('stream', {
    group: 'What to do',
    help: 'write each file as soon as it is whole; fails where the archive corrects one that is written',
  }),

  parts: typedFlag('parts', {
    group: 'Which files',
    help: 'all words that are no options are the parts of one archive, in their order (a directory: the files in it); files are chosen by --include',
  }),
  filesFrom: typedText('files-from', {
    letters: 'T',
    value: 'FILE',
    kind: pathOrAddress('a file'),
    once: true,
    group: 'Which files',
    help: 'also the files named in FILE, one a line; - stands for stdin',
  }),
  nullSeparated: typedFlag('null', {
    letters: '0',
    group: 'Which files',
    help: 'names in --files-from end in NUL bytes, not lines',
  }),
  /**
   * Globs, matched against the final name, with and without the suffixes of compression and encryption: `db1`, `db1/*`,
   * `*.ibd`. One that matches nothing is an error, `XB_NO_MATCH`.
   */
  include: texts('include', {
    value: 'GLOB',
    kind: PATTERN,
    group: 'Which files',
    help: 'only files that match, such as "shop/*"; may be repeated',
    usual: 'only files that match, such as "shop/*"',
  }),
  /** Globs; a file that matches one of them is left out, whatever `include` says. */
  exclude: texts('exclude', {
    value: 'GLOB',
    kind: PATTERN,
    group: 'Which files',
    help: 'leave out files that match, even those included; may be repeated',
  }),
  /** Tables by their SQL names (`shop.orders`, `shop.*`): their files, and those that a prepare needs. */
  tables: texts(
    'tables',
    {
      value: 'DB.TABLE,...',
      kind: nonEmpty('names of tables, such as shop.orders'),
      group: 'Which files',
      help: 'the files of these tables (DB.* for all of a database), and all that a prepare needs',
      usual: 'these tables, and all that a prepare needs',
    },
    (list) => sqlNames(list, '--tables names no table', 'shop.orders,shop.customers'),
  ),
  /** Databases by their SQL names: their files, and those that a prepare needs. */
  databases: texts(
    'databases',
    {
      value: 'DB,...',
      kind: nonEmpty('names of databases, such as shop'),
      group: 'Which files',
      help: 'the files of these databases, and all that a prepare needs',
      usual: 'these databases, and all that a prepare needs',
    },
    (list) => sqlNames(list, '--databases names no database', 'shop,crm'),
  ),

  /** What relative paths are relative to. Default: the working directory of the process. */
  directory: text('directory', {
    letters: 'C',
    value: 'DIR',
    kind: directory,
    classic: true,
    group: 'Where to',
    help: 'unpack into DIR instead of the current directory',
    usual: 'unpack into DIR',
  }),
  /** Create the target directory and its parents if they are missing. Default: true. */
  createTarget: createTargetOption(),
  output: typedText('output', {
    letters: 'o',
    value: 'FILE',
    kind: pathOrAddress('a file'),
    group: 'Where to',
    help: 'write to FILE instead of stdout; it gets its name when it is whole',
    usual: 'write to FILE, not to stdout',
  }),
  /** Compress the output as a whole, in frames that can be decoded independently. Default: no compression. */
  compress: compressOption(),
  /** The directory in which the files of an input that is a stream wait for its end. Default: `os.tmpdir()`. */
  tmpDir: tmpDirOption(),
  /** Replace an existing file once the new one is whole. Default: it is an error, `XB_TARGET_EXISTS`. */
  overwrite: flag('overwrite', OVERWRITE),
  /** Keep each encoded file beside the decoded one. Default: it is removed when that is whole. */
  keep: flag('keep', {
    group: 'Where to',
    help: 'keep each encoded file beside the decoded one, and do not remove it',
  }),
  /** What to do with a file that exists in the target already. Default: `refuse`. */
  existing: existingOption(),
  /** How many leading directories to drop from each stored name. Default: 0. */
  stripComponents: stripComponentsOption(),
  /** Write nothing: check everything and report what would be written. Default: false. */
  dryRun: flag('dry-run', {
    group: 'Where to',
    help: 'write nothing: say what would be written and what space is free',
    usual: 'write nothing: say what would be written',
  }),
  /** Flush each file to the disk before it gets its final name. Default: false. */
  fsync: flag('fsync', { group: 'Where to', help: 'have each file on the disk before it gets its final name' }),
  /**
   * The owner of the files, each from when it is whole, and of directories that are made: `uid` and `gid`, of which one may be
   * missing. Only root can set another owner. Default: the user of this process.
   */
  owner: ownerOption(),
  /** Go on after damage, and give every undamaged file its final name; the damage is then in the result. Default: false. */
  keepGoing: flag('keep-going', {
    group: 'Where to',
    help: 'after damage go on with the next chunk that makes sense, and save every file that is whole',
    usual: 'after damage go on, and save what is whole',
  }),
  /** After a failure remove the partial files of this run. Default: false. */
  removePartial: flag('remove-partial', {
    group: 'Where to',
    help: 'after a failure remove the unfinished files of this run',
  }),
  /** Follow symbolic links inside the target. Default: they are an error. */
  allowSymlinks: flag('allow-symlinks', {
    group: 'Where to',
    help: 'follow symbolic links inside the target directory',
  }),
  /** Allow stored names that begin with `/`. Default: they are an error, `XB_UNSAFE_PATH`. */
  absoluteNames: flag('absolute-names', {
    letters: 'P',
    classic: true,
    group: 'Where to',
    help: 'allow stored names that begin with /',
  }),

  /** Digests of the raw archive to compute, by their names in `node:crypto`. */
  digests: digestsOption(),
  /** The path to write lines for `sha256sum -c` to: digests of the files as written, or, where a verification is `deep`, as decoded. */
  manifest: text('manifest', {
    value: 'FILE',
    kind: namedFile,
    group: 'Checking',
    help: 'write to FILE what "sha256sum -c" needs to check the files',
  }),
  shard: {
    words: {
      shard: {
        value: 'I/N',
        kind: shardKind,
        group: 'Checking',
        help: 'check only the I-th of N parts of the archive, and print what --merge needs of it',
      },
    },
    read: shardChoice,
  } satisfies TypedOption<unknown>,
  merge: typedFlag('merge', {
    group: 'Checking',
    help: 'judge an archive by the results of its shards: all words that are no options are files with one each',
  }),
  archive: {
    words: {
      archive: {
        value: 'FILE',
        kind: pathOrAddress('an archive'),
        addsUp: true,
        group: 'Checking',
        help: 'with --merge: the archive (each of its parts, in their order), for where a part of it has to be read again to tell what is wrong',
      },
    },
    read: (values) => values.all('archive'),
  } satisfies TypedOption<unknown>,
  /** Accept an input without a single chunk. Default: it is an error, `XB_EMPTY_ARCHIVE`. */
  allowEmpty: flag('allow-empty', {
    group: 'Checking',
    help: 'take an empty input for an archive without files',
  }),
  /** Also undo every layer (encryption with `key`), and check all checksums inside. Default: false. */
  deep: flag('deep', {
    group: 'Checking',
    help: 'also decompress and decrypt every file, and check all that is inside',
    usual: 'also look inside compressed and encrypted files',
  }),
  /**
   * Whether it must be a finished backup, with `xtrabackup_info`, which xtrabackup and mariabackup write last; else that is
   * `XB_UNFINISHED_BACKUP`. `auto`: where its files are those of a backup (where they may be, that is a warning). Default: `auto`.
   */
  backup: backupOption(),

  format: formatOption(),
  /** Default: `archive`, the order in which the archive first mentions them. */
  sort: choice(
    'sort',
    { value: 'BY', group: 'What is shown', help: 'archive (the order in it), size or name', usual: true },
    ['archive', 'size', 'name'],
    'archive',
  ),
  inBytes: typedFlag('bytes', { group: 'What is shown', help: 'sizes in bytes, also on a terminal' }),
  json: typedFlag('json', {
    group: 'What is shown',
    help: 'print JSON lines on stdout, for programs',
  }),
  verbose: typedFlag('verbose', {
    letters: 'v',
    classic: true,
    group: 'What is shown',
    help: 'name each file, or tell more of it',
  }),
  quiet: typedFlag('quiet', {
    letters: 'q',
    group: 'What is shown',
    help: 'print only what was asked for, warnings and errors',
  }),
  progress: typedChoice(
    'progress',
    { value: 'WHEN', group: 'What is shown', help: 'auto (on a terminal), always or never' },
    ['auto', 'always', 'never'],
    'auto',
  ),
  color: typedChoice(
    'color',
    {
      aliases: ['colour'],
      value: 'WHEN',
      group: 'What is shown',
      help: 'auto (on a terminal, unless NO_COLOR is set), always or never',
    },
    ['auto', 'always', 'never'],
    'auto',
  ),
  help: typedFlag('help', {
    letters: 'h?',
    classic: true,
    group: 'What is shown',
    help: 'show help: -h on one screen, --help all of it',
  }),
  version: typedFlag('version', { letters: 'V', classic: true, group: 'What is shown', help: 'show the version' }),

  /** Remove encoded files even where an old format of encryption cannot prove that the key was right. Default: such files stay. */
  removeOriginal: flag('remove-original', {
    group: 'Compatibility',
    help: 'accepted, for it is always so: of a file that is decoded on the way the encoded one is not there',
  }),
  namedPipes: {
    words: {
      'fifo-streams': {
        value: 'N',
        kind: positiveNumber,
        classic: true,
        group: 'Compatibility',
        help: 'unpack what comes through N named pipes (thread_0, thread_1, ...), not stdin; 1 means stdin',
      },
      'fifo-dir': {
        value: 'DIR',
        kind: directory,
        classic: true,
        group: 'Compatibility',
        help: 'where these named pipes are',
      },
      'fifo-timeout': {
        value: 'SECONDS',
        kind: wholeNumber,
        classic: true,
        group: 'Compatibility',
        help: 'how long to wait for whoever writes to them; 60 without it',
      },
    },
    read: namedPipes,
  } satisfies TypedOption<unknown>,
} satisfies OptionTable;

/** Of a verb that makes one file. */
export const OVERWRITE_MADE = reworded(OPTIONS.overwrite, {
  overwrite: 'replace FILE of --output when the new one is whole',
});

const ORDER = new Map(
  Object.values<TypedOption<unknown>>(OPTIONS)
    .flatMap(({ words }) => Object.entries(words))
    .sort(([, a], [, b]) => OPTION_GROUPS.indexOf(a.group) - OPTION_GROUPS.indexOf(b.group))
    .map(([name], index) => [name, index]),
);

/** The words of some options, by long names, in the order of help texts. */
export function wordsOf(table: OptionTable): Map<string, OptionDefinition> {
  const words = Object.values(table).flatMap((option) => Object.entries(option.words));
  return new Map(words.sort(([a], [b]) => ORDER.get(a)! - ORDER.get(b)!));
}

/** What every verb has. */
export const COMMON = ['absoluteNames', 'verbose', 'quiet', 'progress', 'color', 'help', 'version'] as const;
/** What every verb has that reads an archive. */
export const READING = ['decodeStream', 'parts', 'timeout'] as const;
/** Which files of an archive are meant. */
export const SELECTION = ['include', 'exclude', 'tables', 'databases'] as const;
/** How layers are undone by a verb that has threads for that. */
export const DECODING = ['parallel', 'decompressThreads', 'decryptThreads', 'key', 'allowEncrypted'] as const;

function decodeStreamOption(): Option<boolean> {
  const definition: OptionDefinition = {
    group: 'What to do',
    help: 'refuse an archive that is compressed or encrypted as a whole (gzip, zstd, lz4, bzip2, xz, qpress, xbcrypt), which else is undone on the way',
  };
  return {
    words: { 'no-decode-stream': definition },
    read: (values) => !values.has('no-decode-stream'),
    program: { kind: 'boolean', take: (given) => given ?? true },
  };
}

function compressOption(): Option<Compression | 'none' | undefined> {
  const formats: readonly (Compression | 'none')[] = ['gzip', 'zstd', 'lz4', 'none'];
  const definition: OptionDefinition = {
    value: 'FORMAT',
    kind: oneOf(formats),
    group: 'Where to',
    help: 'compress all of it as gzip, zstd or lz4 (default: by the ending of FILE: .gz, .tgz, .zst, .tzst, .lz4), or not (none)',
  };
  return {
    words: { compress: definition },
    read: (values) => formats.find((each) => each === values.last('compress')),
    program: { kind: formats, take: (given) => given },
  };
}

function chunkBytesOption(): Option<number> {
  const definition: OptionDefinition = {
    value: 'SIZE',
    kind: sizeInBytes,
    group: 'What to do',
    help: 'most bytes of a file in a chunk, such as 512K or 1M (default: 10M)',
  };
  return {
    words: { 'chunk-size': definition },
    read: (values) => {
      const size = values.last('chunk-size');
      return size === undefined ? DEFAULT_CHUNK_BYTES : bytesOfSize(size);
    },
    program: {
      kind: 'count',
      take: (given = DEFAULT_CHUNK_BYTES) => {
        if (given >= 1 && given <= CHUNK_BYTES_MAX) return given;
        throw new XbstreamError('XB_USAGE', `the option chunkBytes must be from 1 to ${CHUNK_BYTES_MAX}`);
      },
    },
  };
}

function mtimeOption(): Option<number, Date> {
  const definition: OptionDefinition = {
    value: 'TIME',
    kind: nonEmpty('a time, such as 2026-01-31T12:00:00Z or @1700000000'),
    group: 'What to do',
    help: 'the time of all files, such as 2026-01-31T12:00:00Z or @1700000000 (default: @0)',
  };
  return {
    words: { mtime: definition },
    read: (values) => secondsOfText(values.last('mtime') ?? '@0'),
    program: { kind: 'date', take: secondsOfDate },
  };
}

function formatOption(): TypedOption<VerifyFormat | undefined> {
  const formats: readonly VerifyFormat[] = ['text', 'json', 'github', 'junit'];
  const definition: OptionDefinition = {
    value: 'FORMAT',
    kind: oneOf(formats),
    group: 'What is shown',
    help: 'text, json, github (annotations of a workflow) or junit (a report for CI)',
    usual: 'text, json, github or junit',
  };
  return { words: { format: definition }, read: (values) => formats.find((each) => each === values.last('format')) };
}

function createTargetOption(): Option<boolean> {
  return { words: {}, read: () => true, program: { kind: 'boolean', take: (given) => given ?? true } };
}

function tmpDirOption(): Option<string> {
  const definition: OptionDefinition = {
    value: 'DIR',
    kind: directory,
    group: 'Where to',
    help: 'where files wait that come from a pipe (default: TMPDIR, or /tmp)',
  };
  return {
    words: { 'tmp-dir': definition },
    read: (values) => values.last('tmp-dir') ?? tmpdir(),
    program: { kind: 'text', take: (given) => given ?? tmpdir() },
  };
}

function existingOption(): Option<ExistingFilePolicy> {
  return {
    words: {
      overwrite: OVERWRITE,
      'skip-existing': {
        value: 'verify',
        valueIsOptional: true,
        kind: oneOf(['verify']),
        group: 'Where to',
        help: 'keep files that are there if their size (with =verify: their content) is that of the archive',
        usual: 'keep files that are there if their size is right',
      },
    },
    read: existingFilePolicy,
    program: {
      kind: ['refuse', 'overwrite', 'keep-same-size', 'keep-same-content'] satisfies ExistingFilePolicy[],
      take: (given) => given ?? 'refuse',
    },
  };
}

function stripComponentsOption(): Option<number> {
  const definition: OptionDefinition = {
    value: 'N',
    kind: wholeNumber,
    group: 'Where to',
    help: 'drop the first N directories of each name',
  };
  return {
    words: { 'strip-components': definition },
    read: (values) => Number(values.last('strip-components') ?? 0),
    program: { kind: 'count', take: (given) => given ?? 0 },
  };
}

function ownerOption(): Option<Owner | undefined, Owner> {
  const definition: OptionDefinition = {
    value: 'USER[:GROUP]',
    kind: nonEmpty('a user, a group, or both, such as mysql:mysql'),
    group: 'Where to',
    help: 'give the files, and directories that are made, to USER and GROUP, such as mysql:mysql; takes root',
    usual: 'give the files to USER, such as mysql:mysql',
  };
  return {
    words: { chown: definition },
    read: (values) => {
      const chown = values.last('chown');
      return chown === undefined ? undefined : ownerOf(chown);
    },
    program: { kind: 'owner', take: (given) => given },
  };
}

function digestsOption(): Option<readonly string[]> {
  const definition: OptionDefinition = {
    value: 'NAME[,NAME...]',
    kind: nonEmpty('names of digests, such as sha256'),
    addsUp: true,
    group: 'Checking',
    help: 'also print the digest of the archive as it was read (md5, sha1, sha256, ...)',
  };
  return { words: { digest: definition }, read: digestNames, program: { kind: 'texts', take: knownDigests } };
}

function backupOption(): Option<BackupChoice> {
  const definition: OptionDefinition = {
    value: 'WHEN',
    valueIsOptional: true,
    kind: oneOf(['auto', 'always', 'never']),
    group: 'Checking',
    help: 'it must be a finished backup, with xtrabackup_info, which backup programs write last: auto (where it looks like one), always (also without WHEN) or never',
  };
  return {
    words: { backup: definition },
    read: backupChoice,
    program: {
      kind: ['auto', 'always', 'never'] satisfies BackupChoice[],
      take: (given) => given ?? 'auto',
    },
  };
}
