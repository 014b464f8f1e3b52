import type { Readable } from 'node:stream';
import { XbstreamError } from '../errors.js';
import { CAT_OPTIONS } from '../verbs/cat/cat-options.js';
import { catIntoRingInThread } from '../verbs/cat/cat-in-thread.js';
import type { Given } from '../verbs/options/option.js';
import { checkText } from '../verbs/options/program-options.js';
import type { ArchiveInput } from './caller/input.js';
import { toldBy, type Callbacks } from './caller/options.js';
import { readableOf } from './caller/ring-readable.js';

/**
 * The content of files of an archive, one after the other, as a stream. Of an input that is read by position little else is
 * read than these files; one that comes as a stream is read to its end.
 *
 * A file that was asked for by its name without what xtrabackup put behind it (`t.ibd` for `t.ibd.zst.xbcrypt`) comes decoded:
 * its layers are undone until it has the name it was asked for by. Where that needs a `key` and there is none, it fails with
 * `XB_KEY_REQUIRED`.
 *
 * @param paths names or globs; their files come in this order
 * @returns a stream of bytes, which begins to work when it is read. It fails with an XbstreamError of any code (`XB_NO_MATCH`
 *   for what matches nothing), with the signal's reason after that was aborted, or with what a callback threw; what came
 *   before is then not to be trusted. Destroying it ends the work
 * @throws XbstreamError `XB_USAGE`, `XB_BAD_KEY` (at once)
 */
export function cat(input: ArchiveInput, paths: string | readonly string[], options: CatOptions = {}): Readable {
  const patterns = Array.isArray(paths) ? (paths as readonly string[]) : [paths as string];
  if (patterns.length === 0) throw new XbstreamError('XB_USAGE', 'no file in the archive was named');
  for (const pattern of patterns) checkText('the path of a file in the archive', pattern);
  const told = toldBy(options, CAT_OPTIONS);
  const { raw, decompress, key } = told;
  const decrypt = decompress || key !== undefined;
  if (raw && decrypt) throw new XbstreamError('XB_USAGE', 'the option raw excludes decompress and key');
  return readableOf(input, options, async (ring, choice, caller) => {
    const job = { options: { ...told, input: choice, patterns, decrypt }, output: ring };
    // There is nothing to say of it when all is well.
    const work = catIntoRingInThread(job, caller).then((outcome) => ({ ...outcome, summary: true }));
    await caller.resultOf(work, choice);
  });
}

/** Options of {@link cat}. What chooses files beside `paths` comes behind them. */
export interface CatOptions extends Callbacks, Given<typeof CAT_OPTIONS> {}
