/** Opens an archive, and undoes what it is wrapped in as a whole. */
import { openSource, type InputChoice } from '../input/open-source.js';
import type { Source } from '../input/source.js';
import { WRAPPER_HEAD_BYTES, wrapperOf } from './formats.js';
import type { UnwrappingOptions } from './unwrapping-source.js';

/** What else is to be done with the bytes of an input, as they are stored. */
export interface RawHooks {
  /** Is given every byte of a wrapped input, before what is inside is given to the sink. */
  onRaw?: (piece: Buffer) => void;
  /** Puts another source over that of the input. */
  over?: ((source: Source) => Source) | undefined;
}

/**
 * Opens an archive, and undoes on the way what it is wrapped in as a whole: compression, encryption. A file that is not
 * wrapped is read by position, as it is; what is inside of a wrapper cannot be.
 *
 * @param isStopped asked often while reading; true ends it
 * @param hooks what else is to be done with its bytes
 * @throws XbstreamError as {@link openSource}; while it is read also `XB_BAD_LAYER`, `XB_LAYER_TRUNCATED`, `XB_KEY_REQUIRED`,
 *   `XB_WRONG_KEY`, `XB_UNSUPPORTED_LAYER`
 */
export async function openArchive(
  choice: InputChoice,
  isStopped: () => boolean,
  { onRaw, over = (source) => source }: RawHooks = {},
): Promise<Source> {
  const source = over(await openSource(choice, isStopped));
  const { asIs = false, key } = choice.stream ?? {};
  if (choice.index !== undefined) return openIndexed(source, choice.index, isStopped);
  // What comes through several pipes is told apart by its chunks.
  if (asIs || choice.kind === 'named-pipes') return source;
  const head = (): Buffer | undefined => (source.seekable ? source.bytesAt!(0, WRAPPER_HEAD_BYTES) : undefined);
  return unwrapped(source, head, { isStopped, key, onRaw });
}

/**
 * A source with undone what is around the archive as a whole, where there is anything.
 *
 * @param head its first {@link WRAPPER_HEAD_BYTES}; undefined where it can only be read from its beginning on
 */
export async function unwrapped(
  source: Source,
  head: () => Buffer | undefined | Promise<Buffer>,
  options: UnwrappingOptions,
): Promise<Source> {
  try {
    const bytes = await head();
    if (bytes !== undefined && wrapperOf(bytes) === undefined) return source;
    const { UnwrappingSource } = await import('./unwrapping-source.js');
    return new UnwrappingSource(source, options);
  } catch (error) {
    source.close();
    throw error;
  }
}

/** By an index, which is only made of what is not wrapped. */
async function openIndexed(source: Source, path: string, isStopped: () => boolean): Promise<Source> {
  try {
    const { IndexedSource } = await import('../input/indexed/indexed-source.js');
    return new IndexedSource(source, path, isStopped);
  } catch (error) {
    source.close();
    throw error;
  }
}
