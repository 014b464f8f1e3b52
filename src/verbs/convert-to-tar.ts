/** `convert-to-tar`: makes a tar of what an archive holds when all its corrections are applied. */
import type { InputChoice } from '../input/open-source.js';
import type { OutputChoice } from '../output/archive-target.js';
import { making, type MakeTotals } from './make/making.js';
import { madeOutput, readArchive } from './options/inputs.js';
import { pick, reworded, type Told } from './options/option.js';
import { COMMON, DECODING, OPTIONS, OVERWRITE_MADE, READING, SELECTION } from './options/table.js';
import { work } from './threads/start.js';
import { defineVerb } from './verb.js';

const CALL = 'tsxbstream convert-to-tar';

export const TAR_OPTIONS = {
  ...pick(OPTIONS, 'decompress', 'mtime', 'stream', 'tmpDir', 'allowEmpty', 'backup', 'json', 'output', 'compress'),
  ...pick(OPTIONS, ...SELECTION),
  ...pick(OPTIONS, ...DECODING),
  ...pick(OPTIONS, ...READING),
  ...pick(OPTIONS, ...COMMON),
  include: reworded(OPTIONS.include, { include: 'convert only files that match, such as "shop/*"; may be repeated' }),
  overwrite: OVERWRITE_MADE,
  /** Keep holes, as GNU tar does, instead of writing zeros. Default: false. */
  sparse: reworded(OPTIONS.sparse, {
    sparse: 'keep holes, as GNU tar does (GNU sparse 1.0), instead of writing zeros',
  }),
};

/** Everything a conversion to tar can be told. */
export interface TarOptions extends Omit<Told<typeof TAR_OPTIONS>, 'output'> {
  input: InputChoice;
  output: OutputChoice;
}

export const MAKE_TAR = work<TarOptions, MakeTotals>('make-tar');

export const convertToTar = defineVerb({
  call: CALL,
  usage: ['tsxbstream convert-to-tar [options] [ARCHIVE] [PATTERN...]'],
  summary: 'make a tar of an archive, or of some of its files',
  description: [
    'Writes what ARCHIVE (or stdin) holds as a tar to stdout, or to the file that -o names: files with mode 0640 and time 0, in the order of the archive, corrections applied. The same archive gives the same tar, byte for byte.',
    'Of a file only what is needed is read, and nothing is kept. The files of a pipe wait in --tmp-dir until its end, since a correction may come to the last; --stream does not wait.',
    'If the archive is damaged or incomplete, the tar ends in the middle of a file, so that no program takes it for whole.',
  ],
  examples: [
    { command: 'tsxbstream tar backup.xbstream | zstd > backup.tar.zst', purpose: 'convert and compress' },
    {
      command: "tsxbstream tar --decompress backup.xbstream 'shop/*' -o shop.tar",
      purpose: 'the files of one database, decompressed',
    },
  ],
  options: TAR_OPTIONS,

  read: (options, words, surroundings): TarOptions => {
    const { input, patterns } = readArchive(options, words, surroundings, { call: CALL });
    const output = madeOutput(options, `${CALL} ARCHIVE`, 'FILE.tar', surroundings.isTerminal);
    return { ...options, input, include: [...patterns, ...options.include], output };
  },
  ...making(MAKE_TAR),
});
