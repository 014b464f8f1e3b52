/** `decode`: undoes compression and encryption of files where they lie. */
import { contextWith, type Context } from '../context.js';
import { decodingThreads } from '../engine/decoding/decoding-setup.js';
import { keyRequired } from '../engine/decoding/encrypted-files.js';
import { findEncoded, type EncodedFile } from '../engine/in-place/find-encoded.js';
import { WorkBoard } from '../engine/pipeline/work-board.js';
import type { XbstreamError } from '../errors.js';
import type { StoredPath } from '../format/stored-path.js';
import { looksLikeAddress, shownWord } from '../input/address/address.js';
import { isGood, type Outcome } from '../outcome.js';
import { PARTIAL_ENDING } from '../output/directory/partial-name.js';
import { makeReporter } from '../ui/make-reporter.js';
import type { DecodeReporter, DecodeSummary, StatusPrinter } from '../ui/reporter.js';
import type { DecodeJob, DecodedTotals } from '../engine/in-place/decode-files.js';
import { rawWords } from './options/raw-words.js';
import { omit, pick, reworded, type Told } from './options/option.js';
import { COMMON, DECODING, KEY_FILE_OR_VARIABLE, keyOption, OPTIONS } from './options/table.js';
import { usageError } from './options/usage-error.js';
import { allOf, sideBySide } from './threads/side-by-side.js';
import { inThread, work } from './threads/start.js';
import { defineVerb, tellProblems } from './verb.js';

const CALL = 'tsxbstream decode';

export const DECODE_OPTIONS = {
  ...pick(OPTIONS, 'keep', 'fsync', 'json'),
  ...pick(OPTIONS, ...DECODING),
  ...omit(pick(OPTIONS, ...COMMON), 'absoluteNames'),
  /**
   * What to do where the decoded file is there already: `refuse` (an error unless it is the same, byte for byte: then an earlier
   * run was killed just before it had removed the encoded one), `overwrite`, or `keep-same-size`: leave both alone. Default: `refuse`.
   */
  existing: reworded(OPTIONS.existing, {
    overwrite: 'replace decoded files that are there; each stays until the new one is whole',
    'skip-existing':
      'where the decoded file is there already, leave both alone (with =verify, as without this: it must be the same)',
  }),
  removeOriginal: reworded(OPTIONS.removeOriginal, {
    'remove-original':
      'remove encrypted files also where their old format cannot prove the key, which else stay; all others are always removed',
  }),
  /** After damage decode the other files; what is wrong is then in the result. Default: false. */
  keepGoing: reworded(OPTIONS.keepGoing, { 'keep-going': 'after damage go on with the other files' }),
  key: reworded(
    keyOption(() => true),
    KEY_FILE_OR_VARIABLE,
  ),
  allowEncrypted: reworded(OPTIONS.allowEncrypted, {
    'allow-encrypted': 'without a key: encrypted files may stay as they are',
  }),
};

/** Everything that decoding can be told. */
export interface DecodeOptions extends Told<typeof DECODE_OPTIONS> {
  /** Files, and directories with all that is in them. */
  paths: readonly StoredPath[];
}

export const decode = defineVerb<typeof DECODE_OPTIONS, DecodeOptions, DecodeSummary, DecodeReporter & StatusPrinter>({
  call: CALL,
  usage: ['tsxbstream decode [options] DIR|FILE...'],
  summary: 'decompress and decrypt files where they lie',
  description: [
    'Undoes .qp, .lz4, .zst and .xbcrypt, also where a file was compressed and then encrypted, of FILEs and of all files in DIRs, links not followed. Other files are left alone. It is what xtrabackup --decompress --decrypt --remove-original does, in several threads, and without other programs.',
    'A decoded file gets its name when it is whole, and the owner and permissions of the encoded one, which is removed then. So a run that was broken off, or killed, has lost nothing, and the same command goes on.',
    'Exit code 0 means that every file is decoded and every checksum held.',
  ],
  examples: [
    { command: 'tsxbstream decode /srv/data', purpose: 'all files in a directory' },
    { command: 'tsxbstream decode -f KEYFILE /srv/data', purpose: 'decrypt them, too' },
    {
      command: 'tsxbstream decode --keep --fsync /srv/data/shop/orders.ibd.zst',
      purpose: 'one file, and keep the encoded one',
    },
  ],
  options: DECODE_OPTIONS,

  check: (values) => {
    if (!values.has('keep') || !values.has('remove-original')) return;
    throw usageError('--keep and --remove-original exclude each other', 'leave out one of them');
  },

  read: (options, { operands }, { typed }): DecodeOptions => {
    if (operands.length === 0) throw usageError('no files are named', `name them, or their directory: ${CALL} DIR`);
    if (operands.includes('')) throw usageError('the name of a file is empty', 'the current directory is .');
    const address = operands.find(looksLikeAddress);
    if (address !== undefined)
      throw usageError(`files are decoded where they lie, and ${shownWord(address)} is an address`);
    return { ...options, paths: rawWords(operands, typed) };
  },

  run: decodeAll,

  reporter: (options, streams, paint) => makeReporter({ ...options, dryRun: false, closingLine: true }, streams, paint),

  tell: ({ summary, problems }, reporter) => {
    tellProblems(problems, reporter);
    if (summary !== undefined) reporter.decoded(summary);
  },

  leavesFiles: () => true,
});

export const DECODE = work<DecodeJob, DecodedTotals>('decode');

async function decodeAll(options: DecodeOptions, context: Context): Promise<Outcome<DecodeSummary>> {
  const started = performance.now();
  const { files, problems } = await find(options, context);
  const isWorth = problems.length === 0 || options.keepGoing;
  const outcomes = isWorth ? await decodeSideBySide(files, options, context) : [];
  const summaries = outcomes.flatMap(({ summary }) => summary ?? []);
  const sum = (of: (each: DecodedTotals) => number): number => summaries.reduce((total, each) => total + of(each), 0);
  const outcome = {
    problems: [...problems, ...outcomes.flatMap((each) => each.problems)],
    stopped: outcomes.every((each) => each.problems.length === 0) && outcomes.some((each) => each.stopped),
  };
  return {
    ...outcome,
    summary: {
      ok: isGood({ ...outcome, summary: undefined }),
      files: sum((each) => each.files),
      bytes: sum((each) => each.bytes),
      archiveBytes: sum((each) => each.encodedBytes),
      keptFiles: sum((each) => each.keptFiles),
      elapsedSeconds: (performance.now() - started) / 1000,
    },
  };
}

/** What there is to decode, and what speaks against it. */
async function find(
  { paths, key, allowEncrypted }: DecodeOptions,
  context: Context,
): Promise<{ files: readonly EncodedFile[]; problems: readonly XbstreamError[] }> {
  const { files, problems, encrypted } = await findEncoded(paths, {
    choice: { decompress: true, decrypt: key !== undefined },
    signal: context.signal,
    onWarning: (message) => context.warning(message),
  });
  const [first] = encrypted;
  if (first === undefined || allowEncrypted) return { files, problems };
  const required = keyRequired({ count: encrypted.length, first }, 'not decoded');
  return { files, problems: [...problems, required] };
}

/** Of less all is decoded before a second thread has started. */
const SHARED_BYTES_MIN = 4 * 1024 * 1024;

async function decodeSideBySide(
  files: readonly EncodedFile[],
  options: DecodeOptions,
  context: Context,
): Promise<Outcome<DecodedTotals>[]> {
  if (files.length === 0) return [];
  const totalBytes = files.reduce((total, { bytes }) => total + bytes, 0);
  const threads = decodingThreads({ ...options, decompress: true });
  const isLittle = totalBytes < SHARED_BYTES_MIN && files.length < 100;
  // What one thread leaves under such a name another would take for the residue of an earlier run.
  const isAlone = isLittle || files.some(({ finalPath }) => finalPath.endsWith(PARTIAL_ENDING));
  const count = isAlone ? 1 : Math.min(threads, files.length);
  const board = new WorkBoard();
  const job: DecodeJob = { options, files, board: board.buffer };
  const all = contextWith(context, { progress: (report) => context.progress({ ...report, totalBytes }) });
  const run = async (own: Context): Promise<Outcome<DecodedTotals>> => {
    try {
      return await inThread(DECODE, job, {}, own);
    } catch (error) {
      board.stop();
      throw error;
    }
  };
  return allOf(sideBySide(all, count).map(run));
}
