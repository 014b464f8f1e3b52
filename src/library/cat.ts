import type { Readable } from 'node:stream';
import { XbstreamError } from '../errors.js';
import { RingReadable } from './ring-readable.js';
import { giveBackUnread } from './event-loop-sources.js';
import { systemInput, type ArchiveInput } from './input.js';
import {
  checkOptions,
  checkText,
  COMMON_KINDS,
  keyOption,
  type CommonOptions,
  type DecodingOptions,
  type OptionKind,
} from './options.js';
import { run } from './run.js';
import { catInThread } from './verb-thread.js';

/** What {@link cat} can be told. */
export interface CatOptions extends CommonOptions, Pick<DecodingOptions, 'key'> {
  /**
   * Undo compression also of files that were asked for by their stored names, such as `t.ibd.zst`. Default: false. (Encryption
   * is undone where a `key` is given.)
   */
  decompress?: boolean | undefined;
  /** Give what is stored, also where a file was asked for by the name it has when it is decoded. Default: false. */
  raw?: boolean | undefined;
}

const KINDS = {
  ...COMMON_KINDS,
  key: 'key',
  decompress: 'boolean',
  raw: 'boolean',
} as const satisfies Record<keyof CatOptions, OptionKind>;

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
  checkOptions(options, KINDS);
  systemInput(input);
  const { decompress = false, raw = false, absoluteNames = false, signal } = options;
  const key = keyOption(options.key);
  if (raw && (decompress || key !== undefined)) {
    throw new XbstreamError('XB_USAGE', 'the option raw excludes decompress and key');
  }
  return new RingReadable(
    (ring, destroyed) =>
      run(
        input,
        { ...options, signal: signal === undefined ? destroyed : AbortSignal.any([signal, destroyed]) },
        (tools) =>
          catInThread(
            {
              input: tools.input,
              patterns,
              selection: { include: [], exclude: [] },
              undo: { decompress, decrypt: decompress || key !== undefined },
              raw,
              key,
              absoluteNames,
              allowEmpty: false,
            },
            ring,
            tools.reporter,
            tools.signal,
          ),
      ),
    () => giveBackUnread(input),
    signal,
  );
}
