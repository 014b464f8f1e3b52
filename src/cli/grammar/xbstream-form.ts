/** The form of xbstream and mbstream: `-x` unpacks stdin, `-c` writes an archive to stdout. */
import { archiveOnStdin, withStream } from '../../verbs/options/inputs.js';
import { omit, pick, reworded, told, type OptionTable } from '../../verbs/options/option.js';
import { OPTIONS, type Mode } from '../../verbs/options/table.js';
import { usageError } from '../../verbs/options/usage-error.js';
import { extract, ignoredWords } from '../../verbs/extract.js';
import { EXTRACT_OPTIONS } from '../../verbs/unpack/unpack-options.js';
import type { CallSurroundings, CallText, CallWords, VerbCall } from '../../verbs/verb.js';

const UNPACKING = omit(EXTRACT_OPTIONS, 'json', 'parts', 'index');

const XBSTREAM_OPTIONS = {
  ...UNPACKING,
  ...pick(OPTIONS, 'extractMode', 'createMode', 'removeOriginal', 'namedPipes'),
  directory: reworded(UNPACKING.directory, {
    directory: 'unpack into DIR (with -c: look for FILEs there) instead of the current directory',
  }),
};

export const xbstream: CallText & {
  options: OptionTable;
  called(words: CallWords, surroundings: CallSurroundings): Promise<VerbCall>;
} = {
  call: 'tsxbstream -x',
  usage: ['tsxbstream -x [options] < ARCHIVE', 'tsxbstream -c [options] FILE... > ARCHIVE'],
  summary: 'unpack and pack as xbstream and mbstream do',
  description: [
    'Unpacks the archive on stdin: a drop-in for "xbstream -x" and "mbstream -x", also when started under one of these names. Prints nothing on stdout.',
    'Exit code 0 means that the whole archive has arrived and every checksum held. A file that is not whole never gets its final name.',
    'With -c: writes an archive of FILEs to stdout, byte for byte what xbstream and mbstream write. A file that changes while it is read is an error.',
    'All spellings of xbstream work: --directory=DIR, --directory DIR, -CDIR, -C DIR, -xvC DIR, --dir DIR. With -x further words are ignored, with a warning.',
  ],
  examples: [
    { command: 'tsxbstream -x -C /var/lib/mysql < backup.xbstream', purpose: 'unpack a backup' },
    {
      command: "ssh db1 'mariadb-backup --backup --stream=xbstream' | tsxbstream -x -C data",
      purpose: 'take a backup from another machine, without a file in between',
    },
    {
      command: 'tsxbstream -x --digest sha256 -C restored < backup.xbstream',
      purpose: 'unpack, and print the checksum of the archive on stderr',
    },
  ],
  options: XBSTREAM_OPTIONS,

  called: async (words, surroundings) => {
    const { values, operands } = words;
    if (values.has('quiet') && values.has('verbose')) {
      throw usageError('-q and -v exclude each other', 'leave out one of them');
    }
    if (values.has('create' satisfies Mode)) return creating(words, surroundings);
    const options = told(XBSTREAM_OPTIONS, values, surroundings.env);
    const { namedPipes, directory } = options;
    const found = namedPipes ?? archiveOnStdin(operands, surroundings.isTerminal);
    const input = withStream(found, options, values, surroundings.env);
    return extract.with(
      {
        ...options,
        input,
        json: false,
        parts: false,
        index: undefined,
        target: directory ?? '.',
        createTarget: false,
        asXbstream: true,
      },
      ignoredWords(operands, directory),
    );
  },
};

async function creating(words: CallWords, surroundings: CallSurroundings): Promise<VerbCall> {
  const { create, CREATE_OPTIONS, readCreate } = await import('../../verbs/create.js');
  const options = told(CREATE_OPTIONS, words.values, surroundings.env);
  return create.with(readCreate(options, words, surroundings, false), notEncrypted(words));
}

/** xbstream takes with -c what it knows for -x. Who gives a key there may take the archive for encrypted. */
function notEncrypted({ values }: CallWords): string[] {
  const idle = ['decompress', 'decrypt', 'encrypt-key', 'encrypt-key-file'].filter((name) => values.has(name));
  if (idle.length === 0) return [];
  return [`-c stores files as they are, and encrypts nothing: it has no use for --${idle.join(', --')}`];
}
