import { XbstreamError } from '../errors.js';
import { pathFromText } from '../format/stored-path.js';
import type { DecodeSummary } from '../ui/reporter.js';
import { decode as verb, DECODE_OPTIONS } from '../verbs/decode.js';
import type { Given } from '../verbs/options/option.js';
import { checkText } from '../verbs/options/program-options.js';
import { toldBy, type Callbacks, type FileOptions, type ProblemOptions } from './caller/options.js';
import { runFor } from './caller/caller.js';

/**
 * Undoes compression and encryption of files where they lie, in threads of its own, by their names: `.qp`, `.lz4`, `.zst`,
 * `.xbcrypt`. A decoded file gets its name when all of it is there and every checksum has held; then the encoded one is
 * removed. A run that was killed has lost nothing, and another goes on.
 *
 * @param paths files, and directories with all that is in them; links in these are not followed
 * @returns what was done; with `keepGoing` look at its `ok`
 * @throws XbstreamError (as a rejection) `XB_BAD_LAYER`, `XB_LAYER_TRUNCATED`, `XB_WRONG_KEY`, `XB_UNSUPPORTED_LAYER` for the first file
 *   that cannot be decoded, unless `keepGoing`; `XB_KEY_REQUIRED`, `XB_TARGET_EXISTS`, `XB_UNSAFE_PATH`, `XB_IO`, `XB_USAGE`, `XB_BAD_KEY`
 * @throws the signal's reason after it was aborted, and whatever a callback threw
 */
export async function decode(paths: string | readonly string[], options: DecodeOptions = {}): Promise<DecodeResult> {
  const told = toldBy(options, DECODE_OPTIONS, 'onFile', 'onProblem');
  const all = Array.isArray(paths) ? (paths as readonly string[]) : [paths as string];
  if (all.length === 0) throw new XbstreamError('XB_USAGE', 'no files are named');
  for (const path of all) checkText('the path of a file', path);
  return runFor(options, async (caller) => {
    const work = verb.run({ ...told, paths: all.map(pathFromText) }, caller);
    const { summary, problems } = await caller.resultOf(work, undefined, () => !told.keepGoing);
    const { files, bytes, archiveBytes: encodedBytes, keptFiles, elapsedSeconds } = summary;
    return { ok: problems.length === 0, files, bytes, encodedBytes, keptFiles, elapsedSeconds, problems };
  });
}

/** Options of {@link decode}. */
export interface DecodeOptions extends Callbacks, FileOptions, ProblemOptions, Given<typeof DECODE_OPTIONS> {}

/** The result of {@link decode}. */
export interface DecodeResult extends Omit<DecodeSummary, 'archiveBytes'> {
  /** Bytes of encoded files that were read. */
  encodedBytes: number;
  /** What is wrong with files that were not decoded; empty without `keepGoing`. */
  problems: readonly XbstreamError[];
}
