import { openSource, type InputChoice } from '../input/open-source.js';
import type { Source } from '../input/source.js';
import { HEAD_BYTES, wrapperOf } from './formats.js';

/**
 * Opens an archive, and undoes on the way what it is wrapped in as a whole: compression, encryption. A file that is not
 * wrapped is read by position, as it is; what is inside of a wrapper cannot be.
 *
 * @param isStopped asked often while reading; true ends it
 * @param onRaw is given every byte of a wrapped input, before what is inside is given to the sink
 * @throws XbstreamError as {@link openSource}; while it is read also `XB_BAD_LAYER`, `XB_LAYER_TRUNCATED`, `XB_KEY_REQUIRED`,
 *   `XB_WRONG_KEY`, `XB_UNSUPPORTED_LAYER`
 */
export async function openArchive(
  choice: InputChoice,
  isStopped: () => boolean,
  onRaw?: (piece: Buffer) => void,
): Promise<Source> {
  const source = await openSource(choice, isStopped);
  const { asIs = false, key } = choice.stream ?? {};
  // What comes through several pipes is told apart by its chunks.
  if (asIs || choice.kind === 'named-pipes') return source;
  try {
    if (source.seekable && wrapperOf(source.bytesAt!(0, HEAD_BYTES)) === undefined) return source;
    const { UnwrappingSource } = await import('./unwrapping-source.js');
    return new UnwrappingSource(source, { isStopped, key, onRaw });
  } catch (error) {
    source.close();
    throw error;
  }
}
