/** What manual pages tell beyond help texts: patterns, JSON, files, signals, exit codes in full. */
import type { FormText } from '../grammar/forms.js';

/** A paragraph, or a list of words and what they mean. */
type Block = string | readonly (readonly [tag: string, meaning: string])[];

export interface Topic {
  title: string;
  blocks: readonly Block[];
  /** Whether the page of a form has it. */
  isOf: (form: FormText) => boolean;
}

const has =
  (...names: readonly string[]) =>
  ({ words }: FormText): boolean =>
    names.some((name) => words.has(name));

const PATTERNS: Topic = {
  title: 'PATTERNS',
  isOf: has('include'),
  blocks: [
    'Words behind the archive, and --include and --exclude, are patterns. Put them in quotes, or the shell takes them for its own.',
    [
      ['*', 'any characters but /'],
      ['**', 'any characters, / too, as in **/*.ibd'],
      ['?', 'one character but /'],
      ['[abc], [a-z]', 'one of these characters'],
      ['[!abc], [^abc]', 'one character, and none of these'],
      ['{a,b}', 'one of these words'],
      ['\\*', 'a * itself; so with the others'],
    ],
    'One without a slash is held against the name of the file itself, and of each directory it lies in: "*.ibd" is the tables of InnoDB, shop all below the directory shop. One with a slash is held against the whole name, and each leading part of it. Names may be written without what xtrabackup puts behind them (.qp, .lz4, .zst, .xbcrypt). It is the final name that counts, with all removals and renames applied. --exclude wins over everything else.',
    'What is asked for and is not there is an error, with exit code 1, after everything else was done.',
  ],
};

const TABLES: Topic = {
  title: 'TABLES AND DATABASES',
  isOf: has('tables'),
  blocks: [
    'Names are those of SQL, not of files: --databases=my-shop takes the directory my@002dshop.',
    [
      ['--tables=shop.orders,shop.items', 'two tables; the option may also be repeated'],
      ["--tables='shop.*', --databases=shop", 'all of a database'],
      ["--tables='`my.shop`.orders'", 'backquotes where a name holds a dot, a comma or a *'],
    ],
    'Every file of the table comes along, whatever it is called in the backup, and everything that a prepare needs: ibdata1, undo tablespaces, the log, and what the backup tells of itself. Give the archive as a file: from a pipe a table that was renamed while the backup ran is an error.',
  ],
};

const COLUMNS: Topic = {
  title: 'COLUMNS',
  isOf: ({ name }) => name === 'list',
  blocks: [
    'On a terminal they have titles, and sizes are shown as people read them.',
    [
      ['SIZE', "the file's size, holes included; in bytes where stdout is no terminal, and with --bytes"],
      ['CHUNKS', 'with -v: how many chunks tell of it'],
      ['OFFSET', 'with -v: at which byte of the archive it is first mentioned'],
      [
        'STATE',
        'whole (by its headers), cut (the archive ends before the file does), DAMAGED (something else is wrong)',
      ],
      ['LAYERS', 'what was done to it, outermost first: xbcrypt, zstd, lz4, qpress, sparse; - for nothing'],
      ['NAME', 'its final name, corrections applied'],
    ],
    'With -v the corrections follow that mariadb-backup has sent.',
  ],
};

/** The types of the lines that a verb prints with `--json`. */
const RECORDS: Readonly<Record<string, string>> = {
  extract: 'file, lost, error, warning, progress',
  list: 'entry, correction, error, warning, progress',
  verify: 'problem, error, warning, progress',
  info: 'error, warning, progress',
  create: 'file, error, warning, progress',
  'convert-to-tar': 'file, error, warning, progress',
  index: 'error, warning, progress',
  report: 'problem, error, warning, progress',
  decode: 'file, error, warning, progress',
};

const JSON_LINES: Topic = {
  title: 'JSON',
  isOf: has('json'),
  blocks: [
    'With --json every line on stdout is an object with a type; errors go to stderr as text, too. Sizes and offsets are numbers of bytes. A path that is no valid UTF-8 has its best reading in path, and its exact bytes in pathBase64. An error has code, message, and what is known of path, archiveOffset, systemCode, details and hints; codes keep their meaning.',
    'The last line is there however the run ends, and says with ok whether all is well, and archiveBytes and elapsedSeconds. All fields: docs/json.md and docs/json.schema.json of the package.',
  ],
};

/** What is said of the lines of one verb. */
function jsonBlocks({ name }: FormText): readonly Block[] {
  const last = name === 'info' ? 'info; summary where nothing could be read' : 'summary';
  const others = RECORDS[name];
  if (others === undefined) return [];
  return [
    [
      [others, 'lines that come where there is something to tell, progress only with --progress=always'],
      [last, 'the last line'],
    ],
  ];
}

const FILES_OF_TARGET: Topic = {
  title: 'FILES',
  isOf: has('keep-going'),
  blocks: [
    [
      [
        '.NAME.partial',
        'a file that is not whole yet, beside its final place. It gets its final name when all of it has come and every checksum has held, and replaces nothing unless --overwrite is given. After a failure it stays, since it may be all that is left of a backup; a later run leaves it alone until its own copy is whole. --remove-partial removes those of a run. What "find DIR -name .*.partial" shows is not whole.',
      ],
      ['.NAME~0123456789abcdef.partial', 'the same for a long NAME; with .2 before the ending where the name is taken'],
    ],
    'Files have mode 0640 and directories 0750, less what the umask takes.',
  ],
};

const FILES_OF_OUTPUT: Topic = {
  title: 'FILES',
  isOf: has('output'),
  blocks: [
    [
      [
        '.FILE.partial',
        'what is made with --output=FILE, until it is whole. It gets its name then, and replaces nothing unless --overwrite is given.',
      ],
    ],
  ],
};

const DAMAGE: Topic = {
  title: 'DAMAGE',
  isOf: has('keep-going'),
  blocks: [
    'The first damage ends a run; files that have their final name are whole. "tsxbstream verify" tells all that is wrong, and --keep-going saves every file that nothing speaks against. With the whole archive at hand, --skip-existing goes on where a run stopped: after a full disk, or a connection that broke.',
  ],
};

/** In the order in which pages have them, between options and exit codes. */
const TOPICS: readonly Topic[] = [PATTERNS, TABLES, COLUMNS, JSON_LINES, FILES_OF_OUTPUT, FILES_OF_TARGET, DAMAGE];

/** What the page of a form tells, beyond its help. */
export function topicsOf(form: FormText): Topic[] {
  const own = TOPICS.filter(({ isOf }) => isOf(form));
  return own.map((topic) =>
    topic === JSON_LINES ? { ...topic, blocks: [...topic.blocks, ...jsonBlocks(form)] } : topic,
  );
}

/** What help texts say of exit codes in a line, in full. */
export const EXIT_NOTES =
  'Where several things are wrong, 1 comes before 3 before 5 before 4. Codes that are not here mean failure. A run that a signal has ended dies of it, so that a shell shows 128 and its number.';

export const ENVIRONMENT = [
  [
    'XBCRYPT_ENCRYPTION_KEY',
    'the key, where decoding is asked for and no option gives one: 16, 24 or 32 bytes, which say the cipher',
  ],
  ['TMPDIR', 'where files wait that come from a pipe, where --tmp-dir does not say it'],
  ['NO_COLOR', 'when it is not empty, nothing is coloured unless --color=always says so'],
  ['TSXBSTREAM_DEBUG', 'when it is not empty, a bug is told with its stack'],
] as const;
