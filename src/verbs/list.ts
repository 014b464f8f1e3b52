/** `list`: what an archive holds, by its headers. */
import type { Context } from '../context.js';
import { ForeignInput } from '../archive/foreign.js';
import type { IndexEntry } from '../archive/index.js';
import { Selection } from '../archive/selection/selection.js';
import { readIndexFor } from '../archive/selection/wanted-entries.js';
import { allLayersOf } from '../codec/stored-layers.js';
import { withSource } from '../engine/with-source.js';
import { isCut } from '../errors.js';
import { byIndex, isWaitedFor, type InputChoice, inputSize } from '../input/open-source.js';
import type { Outcome } from '../outcome.js';
import { makeListReporter } from '../ui/make-inspect-reporter.js';
import type { Listing, ListReporter, StatusPrinter } from '../ui/reporter.js';
import { InputError } from '../input/input-error.js';
import { readArchive } from './options/inputs.js';
import { pick, reworded, type Told } from './options/option.js';
import { COMMON, keyOption, OPTIONS, READING, SELECTION } from './options/table.js';
import { inThread, work } from './threads/start.js';
import { defineVerb, tellProblems } from './verb.js';

const CALL = 'tsxbstream list';

export const LIST_OPTIONS = {
  ...pick(OPTIONS, 'index', 'sort', 'inBytes', 'json', 'allowEmpty'),
  ...pick(OPTIONS, ...SELECTION),
  ...pick(OPTIONS, ...READING),
  ...pick(OPTIONS, ...COMMON),
  /** For an archive that is encrypted as a whole: 16, 24 or 32 bytes; a string stands for its UTF-8 bytes. */
  key: reworded(
    keyOption(() => 'perhaps'),
    {
      decrypt: 'the cipher of an archive that is encrypted as a whole; not needed, the length of a key says it',
      'encrypt-key': 'decrypt an archive that is encrypted as a whole with KEY; taken off the process list at once',
      'encrypt-key-file':
        'decrypt an archive that is encrypted as a whole with the key in FILE. The variable XBCRYPT_ENCRYPTION_KEY gives one where no option does',
    },
  ),
};

/** Everything a listing can be told. */
export interface ListOptions extends Told<typeof LIST_OPTIONS> {
  input: InputChoice;
}

export const LIST = work<ListOptions, Listing>('list');

export const list = defineVerb({
  call: CALL,
  usage: ['tsxbstream list [options] [ARCHIVE] [PATTERN...]'],
  summary: 'show what is in an archive',
  description: [
    'Lists the files of ARCHIVE, or of stdin where ARCHIVE is - or missing, with their sizes and what was done to them (compression, encryption). Of a file only the headers are read, however large it is. The corrections that mariabackup sends are applied.',
    'Exit code 0 means that every file listed has arrived, by its headers. Whether its content is right tells "verify".',
  ],
  examples: [
    { command: 'tsxbstream list backup.xbstream', purpose: 'what is in it' },
    {
      command: "tsxbstream list --sort size backup.xbstream 'shop/*'",
      purpose: 'the files of one database, the largest first',
    },
    { command: 'ssh db1 cat backup.xbstream | tsxbstream list --json', purpose: 'from a pipe, for a program' },
  ],
  options: LIST_OPTIONS,

  read: (options, words, surroundings): ListOptions => {
    const { input, patterns } = readArchive(options, words, surroundings, { call: CALL });
    return { ...options, input, include: [...patterns, ...options.include] };
  },

  run: (options, context) =>
    isWaitedFor(options.input) ? inThread(LIST, options, options, context) : listArchive(options, context),

  reporter: (options, streams, paint): ListReporter & StatusPrinter =>
    makeListReporter({ ...options, bytes: options.inBytes }, streams, paint),

  tell: ({ summary, problems, stopped }: Outcome<Listing>, reporter) => {
    if (summary !== undefined && !stopped) reporter.listed(summary, problems.length === 0);
    tellProblems(problems, reporter);
  },
});

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const ORDERS: Readonly<Record<ListOptions['sort'], (a: IndexEntry, b: IndexEntry) => number>> = {
  archive: (a, b) => a.ordinal - b.ordinal,
  size: (a, b) => b.bytes - a.bytes || byText(a.path, b.path),
  name: (a, b) => byText(a.path, b.path),
};

/** Of a file only headers are read, so that checksums are not judged; see `verify`. */
export async function listArchive(options: ListOptions, context: Context): Promise<Outcome<Listing>> {
  const { absoluteNames, allowEmpty, sort } = options;
  const input = byIndex(options);
  const totalBytes = inputSize(input);
  const selection = new Selection(options);
  const { index, problems } = await withSource(input, context, async (source) => {
    const { index, errors } = await readIndexFor(selection, source, undefined, {
      absoluteNames,
      leavesOut: (path) => selection.excludes(path),
      allowEmpty,
      onProgress: (progress) => context.progress({ ...progress, totalBytes: totalBytes ?? source.totalBytes }),
    });
    return { index, problems: [...index.problems, ...errors] };
  });
  const isOnlyCut = index.problems.every(isCut);
  const entries = index.entries.filter(({ path }) => selection.wants(path)).sort(ORDERS[sort]);
  const isForeign = index.problems.some((problem) => problem instanceof ForeignInput || problem instanceof InputError);
  const unmatched = isForeign ? [] : selection.unmatched();
  return {
    problems: [...problems, ...unmatched],
    stopped: false,
    summary: {
      entries: entries.map(({ path, bytes, chunks, complete, sparse, archiveOffset }) => {
        const cut = !complete && isOnlyCut;
        return { path, bytes, chunks, complete, cut, sparse, layers: allLayersOf(path), archiveOffset };
      }),
      corrections: index.corrections,
      bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0),
      chunks: index.chunks,
      archiveBytes: index.archiveBytes,
      wrappers: index.wrappers,
      complete: index.problemCount === 0,
    },
  };
}
