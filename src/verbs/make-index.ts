/** `index`: makes the index of an archive, by which others find what they need in it. */
import type { InputChoice } from '../input/open-source.js';
import type { OutputChoice } from '../output/archive-target.js';
import { making, type MakeTotals } from './make/making.js';
import { madeOutput, readArchive } from './options/inputs.js';
import { pick, type Told } from './options/option.js';
import { COMMON, OPTIONS, OVERWRITE_MADE, READING } from './options/table.js';
import { work } from './threads/start.js';
import { defineVerb } from './verb.js';

const CALL = 'tsxbstream index';

export const INDEX_OPTIONS = {
  ...pick(OPTIONS, 'allowEmpty', 'json', 'output'),
  ...pick(OPTIONS, ...READING),
  ...pick(OPTIONS, ...COMMON),
  overwrite: OVERWRITE_MADE,
};

/** Everything the making of an index can be told. */
export interface IndexOptions extends Omit<Told<typeof INDEX_OPTIONS>, 'output'> {
  input: InputChoice;
  output: OutputChoice;
}

export const MAKE_INDEX = work<IndexOptions, MakeTotals>('make-index');

export const makeIndex = defineVerb({
  call: CALL,
  usage: ['tsxbstream index [options] [ARCHIVE] -o FILE'],
  summary: 'make an index of an archive',
  description: [
    'Writes to FILE (or to stdout) where in ARCHIVE, or in what comes on stdin, which part of which file lies: a few MiB for a TiB. With --index FILE "list", "info", "cat" and "extract" need no look through the archive, and read only what they give: of an archive in a bucket two or three requests. It is refused for any other archive.',
    'Only headers are read. Of an archive that is not whole by these there is no index; to have the checksums held, too, make it with "verify --index FILE".',
  ],
  examples: [
    { command: 'tsxbstream index backup.xbstream -o backup.idx', purpose: 'of a file' },
    {
      command: 'tsxbstream cat --index backup.idx backup.xbstream xtrabackup_info',
      purpose: 'what it is good for',
    },
  ],
  options: INDEX_OPTIONS,

  read: (options, words, surroundings): IndexOptions => {
    const { input } = readArchive(options, words, surroundings, { call: CALL, more: ' -o FILE' }, false);
    const output = madeOutput({ ...options, compress: 'none' }, `${CALL} ARCHIVE`, 'FILE', surroundings.isTerminal);
    return { ...options, input, output };
  },
  ...making(MAKE_INDEX),
});
