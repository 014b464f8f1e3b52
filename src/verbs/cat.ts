/** `cat`: writes the content of files of an archive, one after the other. */
import { isWaitedFor } from '../input/open-source.js';
import { TimeSlice } from '../input/stream/time-slice.js';
import type { ContentSink } from '../output/stream-output.js';
import { textSettings } from '../ui/make-reporter.js';
import type { OutputStream } from '../ui/paint.js';
import { TextPrinter } from '../ui/text/text-printer.js';
import { catInto } from './cat/cat-files.js';
import { catInThread } from './cat/cat-in-thread.js';
import { CAT_OPTIONS, type CatOptions } from './cat/cat-options.js';
import { readArchive } from './options/inputs.js';
import { usageError } from './options/usage-error.js';
import { defineVerb, tellProblems } from './verb.js';

const CALL = 'tsxbstream cat';

/** What asks for decoding, whatever a file is called. */
const DECODING_WORDS = ['decompress', 'decrypt', 'encrypt-key', 'encrypt-key-file'] as const;

export const cat = defineVerb({
  call: CALL,
  usage: ['tsxbstream cat [options] ARCHIVE PATH...'],
  summary: 'write the content of files to stdout',
  description: [
    'Writes the content of the files that match the PATHs to stdout, one after the other. Of an ARCHIVE that is a file nothing else is read.',
    'A file comes out under the name it was asked for by: xtrabackup_info of an archive that holds xtrabackup_info.zst.xbcrypt is decrypted and decompressed, xtrabackup_info.zst only decrypted, and xtrabackup_info.zst.xbcrypt is what is stored. With --decompress or a key that, too, is decoded; with --raw nothing is.',
    'Exit code 0 means that all of it has come and every checksum held.',
  ],
  examples: [
    { command: 'tsxbstream cat backup.xbstream xtrabackup_checkpoints', purpose: 'one small file' },
    {
      command: 'tsxbstream cat -f KEYFILE backup.xbstream shop/orders.ibd > orders.ibd',
      purpose: 'one table, as it was on the server',
    },
  ],
  options: CAT_OPTIONS,

  check: (values) => {
    const asked = DECODING_WORDS.find((name) => values.has(name));
    if (!values.has('raw') || asked === undefined) return;
    throw usageError(`--raw and --${asked} exclude each other`, '--raw gives what is stored: leave out one of them');
  },

  read: (options, words, surroundings): CatOptions => {
    const { values } = words;
    const { include, tables, databases } = options;
    const named = { call: CALL, more: ' PATH', namesStdin: true };
    const { input, patterns } = readArchive(options, words, surroundings, named);
    if (patterns.length + include.length + tables.length + databases.length === 0) {
      throw usageError(
        'it is not said which file to write',
        'as in: tsxbstream cat ARCHIVE xtrabackup_info',
        'the names in it: tsxbstream list ARCHIVE',
      );
    }
    const isAsked = DECODING_WORDS.some((name) => values.has(name));
    const isDecryptionOff = values.last('decrypt')?.toUpperCase() === 'NONE';
    return { ...options, input, patterns, decrypt: isAsked && !isDecryptionOff };
  },

  run: (options, context) => {
    const write = stdoutSink(process.stdout);
    return isWaitedFor(options.input) ? catInThread(options, write, context) : catInto(options, write, context);
  },

  reporter: (options, streams, paint) => new TextPrinter(textSettings(options, streams, paint)),

  tell: ({ problems }, reporter) => tellProblems(problems, reporter),
});

/**
 * Writes content to stdout. A terminal gets text as it is, and nothing else: other bytes could make it do anything.
 *
 * @throws XbstreamError `XB_USAGE` from the sink, before anything that is no text is written to a terminal
 */
function stdoutSink(stdout: OutputStream): ContentSink {
  const isText = textJudge();
  const slice = new TimeSlice();
  return async (bytes) => {
    if (stdout.isTTY === true && !isText(bytes)) {
      throw usageError(
        'this is no text, and stdout is a terminal',
        'into a file: tsxbstream cat ARCHIVE PATH > FILE',
        'into a pager for bytes: tsxbstream cat ARCHIVE PATH | xxd | less',
      );
    }
    await new Promise<void>((resolve) => {
      // A failure is heard by the listener of stdout.
      stdout.write(bytes, () => resolve());
    });
    // A file takes everything at once: signals come in between.
    await slice.yieldIfOver();
  };
}

/** Judges piece after piece whether it is text; a letter may be cut between two. */
function textJudge(): (bytes: Buffer) => boolean {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return (bytes) => {
    try {
      // eslint-disable-next-line no-control-regex
      return !/[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]/.test(decoder.decode(bytes, { stream: true }));
    } catch {
      return false;
    }
  };
}
